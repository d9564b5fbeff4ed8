"""What a gateway without a running lease has left becomes one other's own, and only then."""

import asyncio

import pytest

from conformance.store.conftest import Passing, Starter
from conformance.store.samples import CLIENT, NOW_MS, Payment, payment
from conformance.store.seated import LEASE_S, SeatedStore, StillClock
from netvalve.bootstrap.store import Seat
from netvalve.domain.journal import BalanceChange, Closing, Forward, ForwardKind
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity, Outcome, TransactionType
from stores import rows_of

BANK = 1
OWN = MessageIdentity("1122130500", "000077", "632613000077", "NV000000")


@pytest.fixture
async def other(store: SeatedStore) -> Seat:
    """A second gateway on the same store."""
    return await store.join("other")


async def lapse(pass_s: Passing, seat: Seat) -> None:
    """All leases but this one run out."""
    pass_s(LEASE_S)
    await seat.lease.renew()


async def opened(seat: Seat) -> Payment:
    """A sale that nobody has closed."""
    one = payment()
    await seat.journal.open(one.opening)
    return one


def unanswered(one: Payment) -> Closing:
    """The closing that stores the reversal."""
    return one.closing(
        Event.UNANSWERED,
        outcome=Outcome("GTW_2054"),
        balance=BalanceChange(),
        charge_id=None,
        forward=stored(one, ForwardKind.REVERSAL, OWN),
    )


async def repeating(seat: Seat) -> Payment:
    """A follow-up, whose message is stored to be repeated."""
    one = payment(TransactionType.REFUND)
    await seat.journal.open(one.opening)
    closing = one.closing(
        Event.REPEATED,
        outcome=None,
        order_event=None,
        balance=BalanceChange(),
        charge_id=None,
        ends_turn=False,
        forward=stored(one, ForwardKind.REPEAT, one.transaction.identity),
    )
    assert await seat.journal.close(closing)
    return one


def stored(one: Payment, kind: ForwardKind, identity: MessageIdentity) -> Forward:
    transaction = one.transaction
    return Forward(
        kind, transaction.transaction_id, BANK, NOW_MS, identity, transaction.identity.rrn
    )


async def state_of(store: SeatedStore, one: Payment) -> State:
    found = await store.records.transaction(CLIENT, one.transaction.transaction_id)
    assert found is not None
    return found[0].state


async def pending_of_others(seat: Seat) -> list[int]:
    """Every orphan there is, for this seat."""
    return [
        transaction.transaction_id
        for epoch in await seat.orphans.left_by()
        for transaction, _ in await seat.orphans.pending(epoch, 0, 10)
    ]


async def test_what_an_earlier_start_left_pending_is_adopted_and_closed_in_one(
    start: Starter, pass_s: Passing
) -> None:
    first = await start()
    left = await opened(first.seat)
    await first.stop()
    pass_s(LEASE_S)
    second = await start()
    assert await pending_of_others(second.seat) == [left.transaction.transaction_id]
    assert await second.seat.orphans.close(left.closing())
    assert await state_of(second, left) is State.APPROVED
    assert await second.seat.orphans.left_by() == ()
    assert not await second.seat.orphans.close(left.closing())


async def test_a_start_closes_nothing_that_is_not_its_own(start: Starter) -> None:
    first = await start()
    left = await opened(first.seat)
    await first.stop()
    second = await start()
    assert not await second.journal.close(left.closing())
    assert await state_of(second, left) is State.PENDING


async def test_what_a_gateway_whose_lease_runs_has_open_is_nobody_elses(
    store: SeatedStore, other: Seat, database_url: str, pass_s: Passing
) -> None:
    await opened(store.seat)
    one = await repeating(store.seat)
    pass_s(LEASE_S - 3)
    assert await other.orphans.left_by() == ()
    epoch = epoch_of(database_url, one)
    assert await other.orphans.adopt(epoch, 10) == 0
    assert not await other.orphans.close(one.closing())
    assert await store.journal.close(one.closing())


async def test_what_a_gateway_has_open_itself_is_no_orphan_for_it(
    store: SeatedStore, pass_s: Passing
) -> None:
    one = await opened(store.seat)
    pass_s(LEASE_S)
    assert await store.seat.orphans.left_by() == ()
    assert not await store.seat.orphans.close(one.closing())


async def test_a_step_of_the_wall_clock_ends_no_lease(
    store: SeatedStore, other: Seat, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(store.seat)
    monkeypatch.setattr(clock, "now_ms", lambda: NOW_MS + 86_400_000)
    assert await other.orphans.left_by() == ()


async def test_a_lapsed_gateway_can_neither_close_nor_end_what_another_has_adopted(
    store: SeatedStore, other: Seat, pass_s: Passing
) -> None:
    waiting, reversing = await repeating(store.seat), await opened(store.seat)
    assert await store.journal.close(unanswered(reversing))
    mine = {each.forward.kind: each for each in await store.forwards.due(BANK, NOW_MS, 10)}
    await lapse(pass_s, other)
    (epoch,) = await other.orphans.left_by()
    assert await other.orphans.adopt(epoch, 10) == 2
    assert await store.forwards.due(BANK, NOW_MS, 10) == ()
    assert not await store.journal.close(waiting.closing())
    assert not await store.forwards.acknowledge(mine[ForwardKind.REVERSAL], NOW_MS, "00")
    await store.forwards.postpone(
        mine[ForwardKind.REPEAT].forward, NOW_MS + 3_600_000, counted=True
    )
    due = {each.forward.kind: each for each in await other.forwards.due(BANK, NOW_MS, 10)}
    assert due.keys() == mine.keys()
    assert await other.journal.close(waiting.closing())
    assert await other.forwards.acknowledge(due[ForwardKind.REVERSAL], NOW_MS, "00")
    assert await state_of(store, waiting) is State.APPROVED
    assert await state_of(store, reversing) is State.REVERSED


async def test_a_gateway_that_renews_in_time_loses_nothing_to_one_that_saw_it_lapsed(
    store: SeatedStore, other: Seat, pass_s: Passing
) -> None:
    one, waiting = await opened(store.seat), await repeating(store.seat)
    await lapse(pass_s, other)
    (epoch,) = await other.orphans.left_by()
    await store.seat.lease.renew()
    assert await other.orphans.adopt(epoch, 10) == 0
    assert not await other.orphans.close(one.closing())
    assert await store.journal.close(one.closing())
    assert await store.journal.close(waiting.closing())


async def test_of_two_that_take_over_at_once_each_row_goes_to_one(
    store: SeatedStore, other: Seat, pass_s: Passing
) -> None:
    third = await store.join("third")
    left = [await opened(store.seat) for _ in range(10)]
    for _ in range(10):
        await repeating(store.seat)
    pass_s(LEASE_S)
    await asyncio.gather(other.lease.renew(), third.lease.renew())
    (epoch,) = await other.orphans.left_by()
    adopted = await asyncio.gather(*(seat.orphans.adopt(epoch, 3) for seat in (other, third) * 4))
    assert sum(adopted) == 10
    sent = [await seat.forwards.due(BANK, NOW_MS, 20) for seat in (other, third)]
    assert sorted(len(each) for each in sent) == [4, 6]
    numbers = {each.forward.transaction_id for each in sent[0] + sent[1]}
    assert len(numbers) == 10
    closed = await asyncio.gather(
        *(seat.orphans.close(unanswered(one)) for one in left for seat in (other, third))
    )
    assert sum(closed) == 10


async def test_a_clean_stop_hands_over_at_once(store: SeatedStore, other: Seat) -> None:
    one = await opened(store.seat)
    assert await other.orphans.left_by() == ()
    await store.seat.lease.end()
    assert await pending_of_others(other) == [one.transaction.transaction_id]


async def test_an_approval_heard_by_another_opens_the_reversal_for_its_owner(
    store: SeatedStore, other: Seat
) -> None:
    one = await opened(store.seat)
    assert await store.journal.close(unanswered(one))
    (message,) = await other.forwards.of_original(one.transaction.identity.rrn)
    assert await other.forwards.reopen(message, NOW_MS + 5, "00")
    assert await other.forwards.due(BANK, NOW_MS + 10, 10) == ()
    assert len(await store.forwards.due(BANK, NOW_MS + 10, 10)) == 1


async def test_an_approval_of_what_has_been_reversed_is_told_the_bank_by_who_heard_it(
    store: SeatedStore, other: Seat, pass_s: Passing
) -> None:
    one = await opened(store.seat)
    assert await store.journal.close(unanswered(one))
    (message,) = await store.forwards.due(BANK, NOW_MS, 10)
    assert await store.forwards.acknowledge(message, NOW_MS, "25")
    await lapse(pass_s, other)
    assert await other.forwards.reopen(message, NOW_MS + 5, "00")
    (again,) = await other.forwards.due(BANK, NOW_MS + 10, 10)
    assert await other.forwards.acknowledge(again, NOW_MS + 20, "00")


async def test_rows_of_leases_long_ended_are_forgotten(
    store: SeatedStore, other: Seat, database_url: str, pass_s: Passing
) -> None:
    await store.seat.lease.end()
    pass_s(90_000)
    await other.lease.renew()
    await store.join("third")
    rows = rows_of(database_url, "SELECT node FROM nodes ORDER BY epoch")
    assert rows == [("other",), ("third",)]


def epoch_of(database_url: str, one: Payment) -> int:
    """The owner of a stored message."""
    query = "SELECT owner_epoch FROM forwards WHERE transaction_id = :number"
    ((epoch,),) = rows_of(database_url, query, number=one.transaction.transaction_id)
    return int(epoch)
