"""What lets the clients' rows be spread over several databases (ADR 13) goes on holding."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Select, UniqueConstraint
from sqlalchemy.dialects import postgresql

from netvalve.domain.search import Search
from netvalve.storage import queries
from netvalve.storage.payers import payers_count, payers_statement
from netvalve.storage.postgres import closing_text, opening_text
from netvalve.storage.postgres.closing import BATCH
from netvalve.storage.schema import METADATA
from netvalve.storage.search import (
    export_statement,
    orders_count,
    orders_statement,
    shape_of,
    transactions_count,
    transactions_statement,
)

PAYMENTS = {"orders", "transactions", "events", "forwards", "follow_ups", "followed_orders"}
"""Known by numbers that the gateway hands out itself."""
DECIDING = {"order_keys", "idempotency_keys", "cards", "allowances"}
"""What is unique by something that a merchant or a card brings along."""
OF_CLIENTS = {
    "orders",
    "transactions",
    "order_keys",
    "idempotency_keys",
    "cards",
    "follow_ups",
    "followed_orders",
}
NUMBERS = {"order_id", "transaction_id", "card_id"}
SEARCH = Search(1, email="a", currency="USD", rrn="1", client_order_id="A", amount_min="1")


def _unique_keys(name: str) -> Iterator[tuple[str, ...]]:
    table = METADATA.tables[name]
    yield tuple(column.name for column in table.primary_key.columns)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)
    for index in table.indexes:
        if index.unique:
            yield tuple(column.name for column in index.columns)


@pytest.mark.parametrize("name", sorted(DECIDING))
def test_a_key_that_decides_begins_with_the_client(name: str) -> None:
    for key in _unique_keys(name):
        assert key[0] == "client_id" or key == ("card_id",), key


@pytest.mark.parametrize("name", sorted(PAYMENTS))
def test_payments_are_unique_by_their_own_numbers_alone(name: str) -> None:
    for key in _unique_keys(name):
        assert key[0] in NUMBERS, key


def test_every_table_of_a_client_s_rows_is_looked_at() -> None:
    having = {name for name, table in METADATA.tables.items() if "client_id" in table.c}
    configuration = {"clients", "sites", "accounts", "api_keys", "basic_users"}
    assert having - configuration - {"allowances", "tallies", "tally_changes"} == OF_CLIENTS


def test_no_number_comes_from_a_sequence() -> None:
    for table in METADATA.tables.values():
        for column in table.columns:
            assert column.default is None
            assert column.server_default is None
            assert column.identity is None
            assert not (column.primary_key and column.autoincrement is True)


def test_no_foreign_key_binds_payments() -> None:
    for name in PAYMENTS | DECIDING:
        assert not METADATA.tables[name].foreign_keys


def test_an_index_that_serves_listings_begins_with_the_client() -> None:
    """The others belong to the workers, each of which asks for its own or its bank's rows."""
    of_workers = {"owner_epoch", "mid_id", "order_id", "parent_id", "original_rrn", "created_at_ms"}
    for name in PAYMENTS | DECIDING:
        for index in METADATA.tables[name].indexes:
            first = next(iter(index.columns)).name
            assert first == "client_id" or first in of_workers, index.name


def _text(statement: Select[object]) -> str:
    return str(statement.compile(dialect=postgresql.dialect()))


def test_what_a_merchant_asks_names_the_client() -> None:
    shape = shape_of(SEARCH)
    asked = {
        name: _text(getattr(queries, name))
        for name in (
            "TRANSACTION_ON_ORDER",
            "ORDER",
            "ORDER_BY_CLIENT_ORDER_ID",
            "OF_KEY",
            "TRANSACTIONS_OF_ORDER",
            "SEALED_CARD",
        )
    }
    listings = (orders_statement, orders_count, transactions_statement, transactions_count)
    asked |= {each.__name__: _text(each(shape)) for each in listings}
    asked["export"] = _text(export_statement(shape))
    of_payer = shape_of(Search(1, email="a", amount_min="1", amount_max="2"))
    for each in (payers_count, payers_statement):
        openings, others = _text(each(of_payer)).split("FROM follow_ups")
        asked |= {f"{each.__name__} of openings": openings, f"{each.__name__} of others": others}
    for name, text in asked.items():
        condition = text.split("WHERE", 1)[1]
        assert re.search(r"client_id = ", condition), name


EVERY_OPENING = opening_text.opening_text(~opening_text.NO_KIND)
EVERY_CLOSING = closing_text.closing_text(BATCH, ~closing_text.NO_KIND)
"""With every step that a batch may call for."""


@pytest.mark.parametrize("text", [EVERY_OPENING, EVERY_CLOSING], ids=["opening", "closing"])
def test_a_batch_changes_rows_by_their_own_numbers_and_takes_no_other_lock(text: str) -> None:
    for word in ("nextval", "advisory", "LOCK TABLE", "SERIALIZABLE"):
        assert word.lower() not in text.lower()
    changed = set(re.findall(r"^UPDATE (\w+)", text, re.MULTILINE))
    assert {"orders", "batches"} <= changed <= {"orders", "transactions", "forwards", "batches"}
    for table, number in (("orders o", "o.order_id"), ("transactions t", "t.transaction_id")):
        for found in re.findall(rf"^UPDATE {table}\b.*?^\)", text, re.DOTALL | re.MULTILINE):
            assert f"{number} = ANY" in found


def test_no_item_of_a_batch_is_joined_to_another_s_rows_by_anything_but_numbers_and_client() -> (
    None
):
    """Every join in the two statements is on an item's place or a row's number."""
    joined = {"n", "client_id", "order_id", "transaction_id"}
    for text in (EVERY_OPENING, EVERY_CLOSING):
        conditions = re.findall(r"JOIN [\w ]+?\s+ON (.*?)(?=\n|JOIN|WHERE)", text)
        assert conditions
        for condition in conditions:
            for column in re.findall(r"\w\.(\w+) = \w+\.\w+", condition):
                assert column in joined, condition
