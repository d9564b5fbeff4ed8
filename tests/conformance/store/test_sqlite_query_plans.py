"""A search for something rare reads what it finds, not a client's whole history (SQLite)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Select

from conformance.store.samples import CLIENT, NOW_MS
from netvalve.domain.search import Search
from netvalve.storage import backlog_queries, forward_queries, queries
from netvalve.storage.engine import sqlite_path
from netvalve.storage.payers import payers_count, payers_statement
from netvalve.storage.search import (
    Shape,
    export_statement,
    orders_count,
    orders_statement,
    shape_of,
    transactions_count,
    transactions_statement,
    values_of,
)
from netvalve.storage.sqlite.keys import _FORGET
from netvalve.storage.sqlite.query import Query

OF_BANK = "forwards USING INDEX forwards_due (owner_epoch=? AND bank_id=? AND next_attempt_at_ms"
STATEMENTS = (
    orders_statement,
    orders_count,
    transactions_statement,
    transactions_count,
    export_statement,
)
RARE = {
    "email": "orders_of_email",
    "last_four": "orders_of_last_four",
    "rrn": "transactions_of_rrn",
    "trace_id": "transactions_of_trace",
    "client_order_id": "order_keys",
}

OF_PAYERS = {
    "email": ("orders_of_email_by_time", "follow_ups_of_email"),
    "first_name": ("orders_of_first_name", "follow_ups_of_first_name"),
    "last_name": ("orders_of_last_name", "follow_ups_of_last_name"),
    "first_six": ("orders_of_first_six", "follow_ups_of_first_six"),
    "last_four": ("orders_of_last_four_by_time", "follow_ups_of_last_four"),
    "country": ("orders_of_country", "follow_ups_of_country"),
    "site_id": ("orders_of_site", "follow_ups_of_site_id"),
}


@pytest.mark.parametrize("name", OF_PAYERS)
@pytest.mark.parametrize("statement", [payers_count, payers_statement])
def test_transactions_by_whose_they_are_are_read_from_indexes_alone(
    sqlite_url: str, name: str, statement: Callable[[Shape], Select[Any]]
) -> None:
    search = Search(CLIENT, from_ms=1, **{name: "1"})  # type: ignore[arg-type]  # one of many
    query = Query.of(statement(shape_of(search)))
    bounds = {"limit": 1, "offset": 0, "reach": 1}
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        values = query.bound({**values_of(search), **bounds})
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
    steps = " ".join(row[3] for row in plan)
    for index in OF_PAYERS[name]:
        assert f"COVERING INDEX {index} " in steps, steps


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (orders_count, ["orders_of_amount"]),
        (orders_statement, ["orders_of_amount"]),
        (payers_count, ["orders_of_amount", "follow_ups_of_amount"]),
        (payers_statement, ["orders_of_amount", "follow_ups_of_amount"]),
    ],
)
def test_what_lies_between_two_amounts_is_found_by_them(
    sqlite_url: str, statement: Callable[[Shape], Select[Any]], indexes: list[str]
) -> None:
    search = Search(CLIENT, amount_min="12.00", amount_max="12.50")
    query = Query.of(statement(shape_of(search)))
    bounds = {"limit": 1, "offset": 0, "reach": 1}
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        values = query.bound({**values_of(search), **bounds})
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
    steps = " ".join(row[3] for row in plan)
    for index in indexes:
        assert f"{index} (client_id=? AND amount_minor>? AND amount_minor<?)" in steps, steps


@pytest.mark.parametrize(("name", "index"), RARE.items())
def test_a_rare_value_is_found_by_its_index(sqlite_url: str, name: str, index: str) -> None:
    search = Search(CLIENT, **{name: "1"})  # type: ignore[arg-type]  # one field of many
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        for statement in STATEMENTS:
            query = Query.of(statement(shape_of(search)))
            values = query.bound({**values_of(search), "limit": 1, "offset": 0})
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
            steps = " ".join(row[3] for row in plan)
            assert index in steps, (statement.__name__, steps)
            assert "_newest" not in steps, (statement.__name__, steps)


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        (forward_queries.DUE, [OF_BANK]),
        (forward_queries.ASTRAY, [OF_BANK]),
        (
            forward_queries.ORPHANS,
            ["transactions USING INDEX transactions_pending (owner_epoch=? AND transaction_id>?)"],
        ),
        (
            forward_queries.LEFT_BY,
            [
                "transactions USING INDEX transactions_pending (owner_epoch>?)",
                "forwards USING INDEX forwards_due (owner_epoch>?)",
            ],
        ),
    ],
)
def test_what_is_asked_every_second_steps_into_an_index(
    sqlite_url: str, question: Select[Any], steps: list[str]
) -> None:
    query = Query.of(question)
    values = dict.fromkeys(("epoch", "now_ms", "after_id", "limit", "bank_id", "latest_ms"), 1)
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", query.bound(values))
        taken = " ".join(row[3] for row in plan)
    for step in steps:
        assert f"SEARCH {step}" in taken
    for table in ("forwards", "transactions", "orders"):
        assert f"SCAN {table}" not in taken


def test_the_newest_first_list_is_not_sorted(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        for statement in (orders_statement, transactions_statement, export_statement):
            query = Query.of(statement(shape_of(Search(CLIENT))))
            values = query.bound({"client_id": CLIENT, "limit": 1, "offset": 0})
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
            assert "TEMP B-TREE" not in " ".join(row[3] for row in plan)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (backlog_queries.PENDING.by_age, "transactions_pending"),
        (backlog_queries.PENDING.oldest, "transactions_pending"),
        (backlog_queries.REVERSING.by_age, "forwards_due"),
        (backlog_queries.REVERSING.oldest, "forwards_due"),
        (backlog_queries.REFUSED, "forwards_due"),
        (forward_queries.RESOLVED, "forwards_resolved"),
    ],
)
def test_what_waits_is_found_among_what_waits_alone(
    sqlite_url: str, statement: Select[Any], index: str
) -> None:
    """These indexes are partial: they hold the rows that wait and no others."""
    values = {"now_ms": 1, "epoch": 1, "limit": 1}
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        query = Query.of(statement)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", query.bound(values))
        first, *others = (row[3] for row in plan)
    assert f"USING INDEX {index}" in first
    assert not any("SCAN" in each for each in others), others


def test_neither_a_look_up_nor_forgetting_reads_every_key(sqlite_url: str) -> None:
    look_up = Query.of(queries.OF_KEY)
    values = look_up.bound({"client_id": 1, "key": "K", "since_ms": 0})
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        for text, bound in ((look_up.text, values), (_FORGET, (1, 1))):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", bound).fetchall()
            steps = [row[3] for row in plan]
            assert not [step for step in steps if step.startswith("SCAN")], steps
            assert "TEMP B-TREE" not in " ".join(steps)


def test_holds_are_found_by_their_own_index(sqlite_url: str) -> None:
    """A bank's alone, and without what is in flight, however much of either is overdue."""
    query = Query.of(queries.EXPIRING)
    values = query.bound({"bank_id": 1, "now_ms": NOW_MS, "limit": 10})
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
        index = "SELECT sql FROM sqlite_schema WHERE name = 'orders_expiring'"
        ((definition,),) = connection.execute(index).fetchall()
    assert [row[3] for row in plan] == [
        "SEARCH orders USING INDEX orders_expiring (mid_id=? AND expires_at_ms<?)",
        "LIST SUBQUERY 1",
        "SCAN accounts",
        "USE TEMP B-TREE FOR ORDER BY",
    ]
    assert "in_flight_id IS NULL" in definition
