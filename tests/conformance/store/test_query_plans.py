"""A search for something rare reads what it finds, not a client's whole history."""

import sqlite3
from contextlib import closing

import pytest

from conformance.store.samples import CLIENT
from netvalve.domain.search import Search
from netvalve.storage.engine import sqlite_path
from netvalve.storage.search import (
    export_statement,
    orders_count,
    orders_statement,
    shape_of,
    transactions_count,
    transactions_statement,
    values_of,
)
from netvalve.storage.sqlite.query import Query

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


@pytest.mark.parametrize(("name", "index"), RARE.items())
def test_a_rare_value_is_found_by_its_index(database_url: str, name: str, index: str) -> None:
    search = Search(CLIENT, **{name: "1"})  # type: ignore[arg-type]  # one field of many
    with closing(sqlite3.connect(sqlite_path(database_url))) as connection:
        for statement in STATEMENTS:
            query = Query.of(statement(shape_of(search)))
            values = query.bound({**values_of(search), "limit": 1, "offset": 0})
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
            steps = " ".join(row[3] for row in plan)
            assert index in steps, (statement.__name__, steps)
            assert "_newest" not in steps, (statement.__name__, steps)


def test_the_newest_first_list_is_not_sorted(database_url: str) -> None:
    with closing(sqlite3.connect(sqlite_path(database_url))) as connection:
        for statement in (orders_statement, transactions_statement, export_statement):
            query = Query.of(statement(shape_of(Search(CLIENT))))
            values = query.bound({"client_id": CLIENT, "limit": 1, "offset": 0})
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
            assert "TEMP B-TREE" not in " ".join(row[3] for row in plan)
