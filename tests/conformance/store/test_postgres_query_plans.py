"""PostgreSQL finds what is asked for by the same indexes, in each month's part of a table.

The tables are empty here, so the planner is told to do without what it can: a plan that still
scans a table, or sorts, has no index to go by.
"""

import re
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Select

from conformance.store.samples import CLIENT, NOW_MS
from conformance.store.test_sqlite_query_plans import RARE, STATEMENTS
from netvalve.domain.search import Search
from netvalve.storage import backlog_queries, forward_queries, queries
from netvalve.storage.postgres.query import Query
from netvalve.storage.search import (
    export_statement,
    orders_statement,
    shape_of,
    transactions_statement,
    values_of,
)

_PARTS = """
SELECT part.relname, whole.relname FROM pg_inherits i
JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class whole ON whole.oid = i.inhparent
"""
BIG = r"Seq Scan on (orders|transactions|events|forwards|order_keys|idempotency_keys)\b"


async def plan_of(url: str, statement: Select[Any], values: Mapping[str, object]) -> str:
    """How the server would go about it; each month's part by the name of the whole."""
    query = Query.of(statement)
    connection = await asyncpg.connect(url)
    try:
        for needless in ("seqscan", "sort", "bitmapscan", "hashjoin", "mergejoin"):
            await connection.execute(f"SET enable_{needless} = off")
        steps = await connection.fetch(f"EXPLAIN {query.text}", *query.bound(values))
        parts = dict(await connection.fetch(_PARTS))
    finally:
        await connection.close()
    plan = "\n".join(step for (step,) in steps)
    return re.sub(r"\w+", lambda word: parts.get(word[0], word[0]), plan)


@pytest.mark.parametrize(("name", "index"), RARE.items())
async def test_a_rare_value_is_found_by_its_index(postgres_url: str, name: str, index: str) -> None:
    search = Search(CLIENT, **{name: "1"})  # type: ignore[arg-type]  # one field of many
    for statement in STATEMENTS:
        values = {**values_of(search), "limit": 1, "offset": 0}
        plan = await plan_of(postgres_url, statement(shape_of(search)), values)
        assert index in plan, (statement.__name__, plan)
        assert "_newest" not in plan, (statement.__name__, plan)
        assert not re.search(BIG, plan), (statement.__name__, plan)


@pytest.mark.parametrize("statement", [orders_statement, transactions_statement, export_statement])
async def test_the_newest_first_list_is_not_sorted(postgres_url: str, statement: Any) -> None:
    values = {"client_id": CLIENT, "limit": 1, "offset": 0}
    plan = await plan_of(postgres_url, statement(shape_of(Search(CLIENT))), values)
    assert "_newest" in plan
    assert "Sort Key" not in plan.replace("Merge Append\n", ""), plan


@pytest.mark.parametrize(
    ("question", "indexes"),
    [
        (forward_queries.DUE, ["forwards_due"]),
        (forward_queries.ASTRAY, ["forwards_due"]),
        (forward_queries.ORPHANS, ["transactions_pending"]),
        (forward_queries.LEFT_BY, ["transactions_pending", "forwards_due"]),
        (forward_queries.RESOLVED, ["forwards_resolved"]),
        (backlog_queries.PENDING.by_age, ["transactions_pending"]),
        (backlog_queries.PENDING.oldest, ["transactions_pending"]),
        (backlog_queries.REVERSING.by_age, ["forwards_due"]),
        (backlog_queries.REVERSING.oldest, ["forwards_due"]),
        (backlog_queries.REFUSED, ["forwards_due"]),
        (queries.EXPIRING, ["orders_expiring"]),
        (queries.OF_KEY, ["idempotency_keys_key"]),
    ],
)
async def test_what_waits_is_found_among_what_waits_alone(
    postgres_url: str, question: Select[Any], indexes: list[str]
) -> None:
    """Asked for every second, or for every request: never by reading a table through."""
    numbers = ("epoch", "after_id", "limit", "bank_id", "latest_ms", "client_id", "since_ms")
    values = {**dict.fromkeys(numbers, 1), "now_ms": NOW_MS, "key": "K"}
    plan = await plan_of(postgres_url, question, values)
    for index in indexes:
        assert f"using {index} " in plan, plan
    assert not re.search(BIG, plan), plan
