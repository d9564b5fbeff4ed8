"""The journal's statements, planned once and for ever, open the months of their own rows alone.

They are planned for an empty database here, where a scan of everything would seem as good as any.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from conformance.store.samples import Payment, follow_up, keyed, payment
from netvalve.domain.journal import Closing, Forward, ForwardKind, Move
from netvalve.domain.lifecycle import Event, State, sources_of
from netvalve.domain.transaction import TransactionType
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.closing import Closings
from netvalve.storage.postgres.connection import OF_BATCHES, connect
from netvalve.storage.postgres.opening import Openings, WantedOpening

OWNER = Owner("test", 1)
SOME = 8
PARTS = r"Scan.* on (?:orders|transactions|events)_(\d+|before)"
BY_NUMBER = r"(_id|_key|digest|epoch) = |ANY"
PAYMENTS = "batches|orders|transactions|events|forwards|cards|order_keys|idempotency_keys"

Call = tuple[str, Sequence[Any]]


def openings(*payments: Payment) -> Call:
    text, own = Openings(OWNER).call([WantedOpening(each.opening, bool) for each in payments])
    return text, (1, Openings.writer, 0, 1, *own)


def closings(*each: Closing) -> Call:
    text, own = Closings(OWNER).call(each)
    return text, (1, Closings.writer, 0, 1, *own)


def refund(index: int) -> Payment:
    states = sources_of(Event.REFUNDED)
    one = follow_up(payment(), TransactionType.REFUND, states, amount_minor=100)
    return keyed(one, f"R-{index}")


def everything(one: Payment) -> Closing:
    """With a move, a stored message and a transaction that is never sent."""
    own, other = one.transaction, payment().transaction
    forward = Forward(ForwardKind.REVERSAL, own.transaction_id, 1, 1, own.identity, "1")
    done = replace(payment().transaction, state=State.APPROVED)
    return one.closing(
        moves=(Move(other.transaction_id, Event.CAPTURED),),
        forward=forward,
        recorded=done,
    )


SALES = [payment() for _ in range(SOME)]
MIXED = [
    *(keyed(payment(client_order_id=f"A-{index % 2}"), f"K-{index}") for index in range(SOME)),
    *map(refund, range(SOME)),
]


@pytest.mark.parametrize(
    "call",
    [
        openings(*SALES),
        openings(*MIXED),
        closings(*(each.closing() for each in SALES)),
        closings(*map(everything, SALES)),
    ],
    ids=["sales", "openings of every kind", "approvals", "closings of every kind"],
)
async def test_a_batch_opens_the_months_of_its_rows_and_finds_them_by_number(
    postgres_url: str, call: Call
) -> None:
    plan = await generic_plan(postgres_url, call)
    assert set(re.findall(PARTS, plan)) <= {"before"}, plan
    if re.search(PARTS, plan):
        assert "Subplans Removed" in plan
    assert not re.search(rf"Seq Scan on ({PAYMENTS})", plan), plan
    for found, condition in scans(plan):
        assert re.search(BY_NUMBER, condition), (found, condition)


async def generic_plan(postgres_url: str, call: Call) -> str:
    """As the journal's own connection makes it."""
    text, arguments = call
    connection = await connect(postgres_url, "plans", **OF_BATCHES)
    try:
        await connection.execute(f"PREPARE batch AS {text}")
        values = ", ".join(map(quoted, arguments))
        steps = await connection.fetch(f"EXPLAIN EXECUTE batch ({values})")
    finally:
        await connection.close()
    return "\n".join(step for (step,) in steps)


def quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def scans(plan: str) -> list[tuple[str, str]]:
    """Each scan of a table, with the condition by which it finds its rows."""
    steps = [*plan.splitlines(), ""]
    return [
        (step.strip(), following.strip())
        for step, following in pairwise(steps)
        if re.search(rf"(Index|Tid|Heap).*Scan.* on ({PAYMENTS})", step)
    ]
