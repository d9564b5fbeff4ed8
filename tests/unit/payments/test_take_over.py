"""What another gateway has left is presumed sent, and ended for as long as this one may.

The store is played here, because only a player fails on cue.
"""

import asyncio

import pytest
import structlog

from making import ACCOUNT, BANK, a_reference, a_transaction, an_order
from netvalve.domain.journal import ForwardKind, StoreUnavailable
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity, TransactionType
from netvalve.payments.planning import Planner
from netvalve.payments.replay import Replay
from netvalve.payments.take_over import TakeOver
from unit.payments.leasing import PlayedLease

OWN = MessageIdentity("1122130500", "000077", "632613000077", "NV000000")
DEAD = 4


class Clock:
    def now_ms(self):
        return 1_795_000_100_000

    def monotonic_s(self):
        return asyncio.get_running_loop().time()


class Identifiers:
    async def message_identity(self, _now_ms):
        return OWN

    async def transaction_id(self):
        return 1009


class Orphans:
    """What one dead epoch has left, in memory."""

    def __init__(self, *transactions, messages=0):
        self.left = [(each, an_order()) for each in transactions]
        self.messages, self.broken, self.closed, self.asked = messages, 0, [], 0

    async def left_by(self):
        self.asked += 1
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("away")
        return (DEAD,) if self.left or self.messages else ()

    async def adopt(self, epoch, limit):
        assert epoch == DEAD
        adopted = min(self.messages, limit)
        self.messages -= adopted
        return adopted

    async def pending(self, epoch, after_id, _limit):
        assert epoch == DEAD
        assert self.messages == 0
        return tuple(each for each in self.left if each[0].transaction_id > after_id)[:1]

    async def close(self, closing):
        self.left = [each for each in self.left if each[0].transaction_id != closing.transaction_id]
        self.closed.append(closing)
        return True


class References:
    async def of(self, _client_id, transaction_id):
        if transaction_id == 666:
            raise ValueError("its card cannot be opened")
        kind = TransactionType.SALE if transaction_id == 1001 else TransactionType.AUTHORIZATION
        return a_reference(a_transaction(kind), an_order(), account=ACCOUNT, bank=BANK)


def an_orphan(kind=TransactionType.SALE, transaction_id=1001):
    return a_transaction(kind, State.PENDING, transaction_id=transaction_id, parent_id=1000)


async def taken_over(orphans, lease=None, seconds=0.1):
    take_over = TakeOver(
        orphans=orphans,
        lease=lease or PlayedLease(),
        replay=Replay(References(), Planner(Identifiers(), None, Clock())),
        clock=Clock(),
        log=structlog.get_logger(wrapper_class=structlog.BoundLogger),
        poll_s=0.01,
    )
    task = asyncio.create_task(take_over.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("kind", "event", "forward"),
    [
        (TransactionType.SALE, Event.UNANSWERED, ForwardKind.REVERSAL),
        (TransactionType.AUTHORIZATION, Event.UNANSWERED, ForwardKind.REVERSAL),
        (TransactionType.CAPTURE, Event.REPEATED, ForwardKind.REPEAT),
    ],
)
async def test_what_a_dead_gateway_opened_is_presumed_sent(kind, event, forward):
    orphan = an_orphan(kind)
    orphans = Orphans(orphan)
    await taken_over(orphans)
    (closing,) = orphans.closed
    assert (closing.event, closing.forward.kind) == (event, forward)
    own = closing.forward.identity
    assert own == (OWN if forward is ForwardKind.REVERSAL else orphan.identity)


async def test_stored_messages_are_adopted_group_by_group():
    orphans = Orphans(messages=450)
    await taken_over(orphans)
    assert orphans.messages == 0


async def test_it_goes_on_for_as_long_as_the_gateway_runs():
    orphans = Orphans()
    later = asyncio.get_running_loop().call_later(
        0.05, lambda: orphans.left.append((an_orphan(), an_order()))
    )
    await taken_over(orphans)
    later.cancel()
    assert len(orphans.closed) == 1


async def test_without_a_lease_nothing_is_taken_over():
    orphans = Orphans(an_orphan(), messages=1)
    await taken_over(orphans, PlayedLease(None))
    assert (orphans.asked, orphans.messages, orphans.closed) == (0, 1, [])


async def test_a_lease_that_runs_out_in_between_stops_it():
    lease = PlayedLease()

    class Stalling(Orphans):
        async def close(self, closing):
            lease.term = None
            return await super().close(closing)

    orphans = Stalling(an_orphan(), an_orphan(transaction_id=1002))
    await taken_over(orphans, lease)
    assert [closing.transaction_id for closing in orphans.closed] == [1001]


async def test_a_take_over_that_fails_is_done_again():
    orphans = Orphans(an_orphan())
    orphans.broken = 2
    await taken_over(orphans)
    assert len(orphans.closed) == 1


async def test_an_orphan_that_fails_stops_no_other_and_rests():
    orphans = Orphans(an_orphan(transaction_id=666), an_orphan())
    looked_up = []

    class Counting(References):
        async def of(self, client_id, transaction_id):
            looked_up.append(transaction_id)
            return await super().of(client_id, transaction_id)

    take_over = TakeOver(
        orphans=orphans,
        lease=PlayedLease(),
        replay=Replay(Counting(), Planner(Identifiers(), None, Clock())),
        clock=Clock(),
        log=structlog.get_logger(wrapper_class=structlog.BoundLogger),
        poll_s=0.01,
    )
    task = asyncio.create_task(take_over.run())
    await asyncio.sleep(0.1)
    task.cancel()
    assert [closing.transaction_id for closing in orphans.closed] == [1001]
    assert looked_up.count(666) == 1
