"""PostgreSQL finds what is asked for by the same indexes, in each month's part of a table.

Some months are empty here, and a scan of nothing is as short as any way: it is forbidden.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Select

from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import StillClock, started
from conformance.store.test_sqlite_query_plans import OF_PAYERS, RARE, STATEMENTS
from netvalve.domain.search import Search
from netvalve.storage import backlog_queries, forward_queries, queries
from netvalve.storage.payers import payers_count, payers_statement
from netvalve.storage.postgres.query import Query
from netvalve.storage.search import (
    Shape,
    orders_statement,
    shape_of,
    transactions_statement,
    values_of,
)
from stores import Databases, change

_PARTS = """
SELECT part.relname, whole.relname FROM pg_inherits i
JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class whole ON whole.oid = i.inhparent
WHERE part.relkind = 'i'
"""
COPIES = """
INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object({changed}))).*
FROM {table} one, generate_series(1, 3000) n
"""
ORDER = """
'order_id', order_id + n, 'email_folded', 'a' || n, 'last_four', n, 'created_at_ms', n,
'client_order_id', 'A-' || n, 'opening_id', opening_id + n, 'charge_id', charge_id + n
"""
TRANSACTION = """
'order_id', order_id + n, 'transaction_id', transaction_id + n, 'opened_at_ms', n,
'rrn', n, 'trace_id', n
"""
ENDED_REVERSALS = """
INSERT INTO forwards (transaction_id, kind, next_attempt_at_ms, attempts, done_at_ms, bank_id,
    transmitted_at, stan, rrn, terminal_id, original_rrn, owner_epoch)
SELECT transaction_id, 'REVERSAL', 1, 1, 2, 1,
    transmitted_at, stan, rrn, terminal_id, rrn, owner_epoch
FROM transactions
"""
KEYS = """
INSERT INTO idempotency_keys
    (client_id, idempotency_key, transaction_id, operation, digests, created_at_ms)
SELECT 1, 'K-' || n, n, '/sale', '{}', n FROM generate_series(1, 3000) n
"""
FOLLOW_UPS = """
INSERT INTO follow_ups
SELECT n, n, 1, n, 1, 'REFUND', 'USD', 1, n, n, n, n, n, n, n FROM generate_series(1, 3000) n
"""
BIG = r"Seq Scan on (orders|transactions|events|forwards|order_keys|idempotency_keys)"


@pytest.fixture(scope="module")
def filled_url(databases: Databases) -> str:
    """A database with some thousand payments, of which the server knows the statistics."""
    url = databases.fresh()
    asyncio.run(one_payment(url))
    change(url, COPIES.format(table="orders", changed=ORDER))
    change(url, COPIES.format(table="transactions", changed=TRANSACTION))
    change(url, ENDED_REVERSALS)
    change(url, KEYS)
    change(url, FOLLOW_UPS)
    change(url, "ANALYZE")
    return url


async def one_payment(url: str) -> None:
    store = await started(url, StillClock(NOW_MS))
    one = payment()
    await store.journal.open(one.opening)
    await store.journal.close(one.closing())
    await store.stop()


async def plan_of(url: str, statement: Select[Any], values: Mapping[str, object]) -> str:
    """How the server would go about it; the index of each month's part by the name of the whole."""
    query = Query.of(statement)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET enable_seqscan = off")
        await connection.execute("SET enable_bitmapscan = off")
        steps = await connection.fetch(f"EXPLAIN {query.text}", *query.bound(values))
        parts = dict(await connection.fetch(_PARTS))
    finally:
        await connection.close()
    plan = "\n".join(step for (step,) in steps)
    return re.sub(r"\w+", lambda word: parts.get(word[0], word[0]), plan)


def of_filled_parts(plan: str) -> list[str]:
    """The steps on the parts that hold something."""
    return [step for step in plan.splitlines() if "_before" in step]


@pytest.mark.parametrize(("name", "index"), RARE.items())
async def test_a_rare_value_is_found_by_its_index(filled_url: str, name: str, index: str) -> None:
    search = Search(CLIENT, **{name: "1"})  # type: ignore[arg-type]  # one field of many
    for statement in STATEMENTS:
        values = {**values_of(search), "limit": 1, "offset": 0}
        plan = await plan_of(filled_url, statement(shape_of(search)), values)
        assert index in plan, (statement.__name__, plan)
        assert not any("_newest" in step for step in of_filled_parts(plan)), plan
        assert not re.search(BIG, plan), (statement.__name__, plan)


@pytest.mark.parametrize("name", OF_PAYERS)
@pytest.mark.parametrize("statement", [payers_count, payers_statement])
async def test_transactions_by_whose_they_are_are_read_from_indexes_alone(
    filled_url: str, name: str, statement: Callable[[Shape], Select[Any]]
) -> None:
    search = Search(CLIENT, from_ms=1, **{name: "1"})  # type: ignore[arg-type]  # one of many
    values = {**values_of(search), "limit": 1, "offset": 0, "reach": 1}
    plan = await plan_of(filled_url, statement(shape_of(search)), values)
    for index in OF_PAYERS[name]:
        assert re.search(rf"Index Only Scan .*using {index} ", plan), plan


@pytest.mark.parametrize("statement", [orders_statement, transactions_statement])
async def test_the_newest_first_list_is_not_sorted(filled_url: str, statement: Any) -> None:
    values = {"client_id": CLIENT, "limit": 1, "offset": 0}
    plan = await plan_of(filled_url, statement(shape_of(Search(CLIENT))), values)
    assert "_newest" in plan
    assert not re.search(r"\bSort  \(", plan), plan


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
    filled_url: str, question: Select[Any], indexes: list[str]
) -> None:
    """Asked for every second, or for every request: never by reading a table through."""
    numbers = ("epoch", "after_id", "limit", "bank_id", "latest_ms", "client_id", "since_ms")
    values = {**dict.fromkeys(numbers, 1), "now_ms": NOW_MS, "key": "K"}
    plan = await plan_of(filled_url, question, values)
    for index in indexes:
        assert f"using {index} " in plan, plan
    assert not re.search(BIG, plan), plan
