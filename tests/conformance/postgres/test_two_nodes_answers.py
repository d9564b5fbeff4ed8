"""What two gateways hear, end and forget at the same time."""

import asyncio
from dataclasses import replace

import pytest

from conformance.postgres.nodes import (
    AT_ONCE_S,
    LATER_MS,
    ORDER,
    TRANSACTION,
    Locks,
    Nodes,
    a_reversal,
    acknowledged,
)
from conformance.store.conftest import Passing
from conformance.store.samples import CLIENT, NOW_MS, Payment, follow_up, keyed, payment
from conformance.store.samples import refund_closing as refunded
from conformance.store.seated import SeatedStore
from conformance.store.test_resolutions import broken_rules
from conformance.store.test_take_over import BANK, opened, repeating, unanswered
from netvalve.bootstrap.store import Seat
from netvalve.domain.journal import Move
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import TransactionType
from stores import rows_of


@pytest.mark.parametrize("approved_first", [True, False])
async def test_an_approval_beside_the_reversals_answer_is_told_the_bank_again(
    nodes: Nodes, postgres_url: str, locks: Locks, *, approved_first: bool
) -> None:
    first, second = nodes
    message = await a_reversal(first)
    work = [acknowledged(first, message), second.forwards.reopen(message, LATER_MS, "00")]
    if approved_first:
        work.reverse()
    async with locks.held(ORDER, message.order.order_id):
        answers = await locks.queue(*work)
    assert await asyncio.gather(*answers) == ([True, False] if approved_first else [True, True])
    found = await first.records.transaction(CLIENT, message.transaction.transaction_id)
    assert found is not None
    assert [each.state for each in found] == [State.REVERSING] * 2
    owner = first if approved_first else second
    (again,) = await owner.forwards.due(BANK, LATER_MS + 1, 10)
    assert await acknowledged(owner, again)
    assert broken_rules(postgres_url) == set()


async def test_a_late_answer_that_both_nodes_hear_is_kept_once(nodes: Nodes, locks: Locks) -> None:
    first, second = nodes
    one = await repeating(first.seat)
    (message,) = await first.forwards.due(BANK, NOW_MS, 10)
    assert await first.journal.close(one.closing(Event.DECLINED, order_event=None))
    number = one.transaction.transaction_id

    async def heard(node: SeatedStore) -> bool:
        kept = await node.forwards.keep_late_answer(message, LATER_MS, "00", None)
        return kept is Event.LATE_ANSWER

    async with locks.held(TRANSACTION, number):
        hearing = await locks.queue(heard(first), heard(second))
    assert await asyncio.gather(*hearing) == [True, True]
    events = [each.event for each in await first.records.history(number)]
    assert events.count(Event.LATE_ANSWER) == 1


async def test_an_answer_that_comes_while_another_node_ends_it_is_late(
    nodes: Nodes, locks: Locks
) -> None:
    first, second = nodes
    one = await repeating(first.seat)
    (message,) = await first.forwards.due(BANK, NOW_MS, 10)

    async def heard() -> bool:
        kept = await second.forwards.keep_late_answer(message, LATER_MS, "05", None)
        return kept is Event.LATE_ANSWER

    async with locks.held(TRANSACTION, one.transaction.transaction_id):
        ending = await locks.queue(first.journal.close(one.closing()), heard())
    assert await asyncio.gather(*ending) == [True, True]


async def test_forgetting_keys_waits_for_none_that_is_being_used_again(
    nodes: Nodes, locks: Locks
) -> None:
    first, second = nodes
    for number in range(6):
        old = keyed(payment(), f"old {number}", at_ms=1, since_ms=0)
        assert await first.journal.open(old.opening) is None
    held = "SELECT 1 FROM idempotency_keys WHERE idempotency_key = 'old 0' FOR UPDATE"
    async with locks.held(held), asyncio.timeout(AT_ONCE_S):
        forgotten = await asyncio.gather(*(node.keys.forget(NOW_MS, 10) for node in nodes))
    assert sum(forgotten) == 5
    assert await second.keys.forget(NOW_MS, 10) == 1


async def test_a_reversals_answer_and_a_closing_lock_in_the_same_order(
    nodes: Nodes, locks: Locks
) -> None:
    first, _ = nodes
    one = await opened(first.seat)
    assert await first.journal.close(unanswered(one))
    (message,) = await first.forwards.due(BANK, NOW_MS, 10)
    async with locks.held(TRANSACTION, one.transaction.transaction_id):
        answers = await locks.queue(
            acknowledged(first, message), first.journal.close(one.closing())
        )
    assert await asyncio.gather(*answers) == [True, False]
    assert await locks.deadlocks(nodes) == 0


async def test_journals_workers_and_a_take_over_never_wait_in_a_circle(
    nodes: Nodes, pass_s: Passing, postgres_url: str, locks: Locks
) -> None:
    first, second = nodes
    gone = await first.join("gone")
    sales = [payment() for _ in range(30)]
    for one in sales:
        assert await first.journal.open(one.opening) is None
        assert await first.journal.close(one.closing())
    refunds = [await a_refund(gone, one) for one in sales]
    reversals = [await a_reversal(first) for _ in range(30)]
    pass_s(60)
    await asyncio.gather(*(node.lease.renew() for node in nodes))
    (epoch,) = await first.orphans.left_by()
    await asyncio.gather(
        *(closed_by_whoever_may(gone, nodes, each) for each in refunds),
        *(acknowledged(first, each) for each in reversals),
        *(second.forwards.reopen(each, LATER_MS, "00") for each in reversals),
        *(second.forwards.keep_late_answer(each, LATER_MS, "05", None) for each in reversals),
        *(node.orphans.adopt(epoch, 3) for node in nodes for _ in range(10)),
    )
    assert await locks.deadlocks(nodes) == 0
    states = "SELECT state, count(*) FROM transactions GROUP BY state ORDER BY state"
    expected = [("APPROVED", 30), ("REFUNDED", 30), ("REVERSING", 30)]
    assert rows_of(postgres_url, states) == expected
    assert broken_rules(postgres_url) == set()


async def a_refund(seat: Seat, sale: Payment) -> Payment:
    """Opened, and not answered."""
    refund = follow_up(sale, TransactionType.REFUND, (State.APPROVED,), amount_minor=1200)
    assert await seat.journal.open(refund.opening) is None
    return refund


async def closed_by_whoever_may(gone: Seat, nodes: Nodes, refund: Payment) -> None:
    """Its gateway comes back late; two others take it over."""
    sale_id = refund.transaction.parent_id
    assert sale_id is not None
    closing = replace(refunded(refund, Event.REFUNDED), moves=(Move(sale_id, Event.REFUNDED),))
    closed = await asyncio.gather(
        *(node.orphans.close(closing) for node in nodes), gone.journal.close(closing)
    )
    assert sum(closed) == 1


async def test_two_that_use_the_same_ended_keys_again_never_wait_in_a_circle(
    nodes: Nodes, locks: Locks
) -> None:
    first, second = nodes
    for key in ("K-1", "K-2", "K-3"):
        assert await first.journal.open(keyed(payment(), key, at_ms=1, since_ms=0).opening) is None
    held = "SELECT 1 FROM idempotency_keys WHERE idempotency_key = 'K-3' FOR UPDATE"
    async with locks.held(held):
        begun = [
            asyncio.gather(*(node.journal.open(keyed(payment(), key).opening) for key in keys))
            for node, keys in ((first, ("K-1", "K-3", "K-2")), (second, ("K-2", "K-3", "K-1")))
        ]
        await locks.waiting(2)
    answers = [answer for batch in begun for answer in await batch]
    assert sorted(map(str, answers)) == [*["DUPLICATE_KEY"] * 3, *["None"] * 3]
    assert await locks.deadlocks(nodes) == 0
