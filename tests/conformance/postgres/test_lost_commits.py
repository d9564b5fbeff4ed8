"""A commit whose answer was lost is looked up: what is there counts, what is not is refused."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from conformance.postgres.line import Line
from conformance.store.samples import CLIENT, follow_up, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import BalanceChange, OpeningRefusal, StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import TransactionType

WITHIN_S = 10.0


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WITHIN_S):
        while not await holds():  # noqa: ASYNC110  # another process brings it about
            await asyncio.sleep(0.02)


async def fetch(url: str, query: str, *values: object) -> list[asyncpg.Record]:
    """What another program sees."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def test_a_commit_whose_answer_was_lost_counts_with_every_item_s_own_verdict(
    store: SeatedStore, line: Line, postgres_url: str
) -> None:
    first = payment(client_order_id="A-1")
    assert await store.journal.open(first.opening) is None
    new, again = payment(client_order_id="A-2"), payment(client_order_id="A-1")
    line.swallows_answers = True
    openings = [asyncio.create_task(store.journal.open(each.opening)) for each in (new, again)]

    async def written() -> bool:
        number = new.transaction.transaction_id
        query = "SELECT 1 FROM transactions WHERE transaction_id = $1"
        return bool(await fetch(postgres_url, query, number))

    await until(written)
    assert not any(opening.done() for opening in openings)
    line.swallows_answers = False
    line.cut()
    async with asyncio.timeout(WITHIN_S):
        answers = await asyncio.gather(*openings)
    assert answers == [None, OpeningRefusal.DUPLICATE_CLIENT_ORDER]
    history = await store.records.history(new.transaction.transaction_id)
    assert len(history) == 1


async def test_a_closing_whose_answer_was_lost_is_written_once(
    store: SeatedStore, line: Line, postgres_url: str
) -> None:
    one = payment()
    assert await store.journal.open(one.opening) is None
    assert await store.journal.close(payment().closing()) is False  # the second connection is up
    line.swallows_answers = True
    closing = asyncio.create_task(store.journal.close(one.closing()))

    async def written() -> bool:
        number = one.transaction.transaction_id
        query = "SELECT 1 FROM transactions WHERE transaction_id = $1 AND state = 'APPROVED'"
        return bool(await fetch(postgres_url, query, number))

    await until(written)
    line.swallows_answers = False
    line.cut()
    async with asyncio.timeout(WITHIN_S):
        assert await closing is True
    assert len(await store.records.history(one.transaction.transaction_id)) == 2


async def test_what_never_arrived_is_refused_and_never_written_even_where_it_arrives_late(
    store: SeatedStore, line: Line, postgres_url: str
) -> None:
    assert await store.journal.open(payment().opening) is None
    lost = payment(client_order_id="A-1")
    line.withholds_requests = True
    opening = asyncio.create_task(store.journal.open(lost.opening))
    await asyncio.sleep(0.1)
    line.cut()
    withheld, line._withheld = line._withheld, []
    line.withholds_requests = False
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(StoreUnavailable):
            await opening
    line._withheld = withheld
    await line.deliver()
    await asyncio.sleep(0.3)
    assert await store.records.order(CLIENT, lost.order.order_id) is None
    assert not await fetch(postgres_url, "SELECT 1 FROM order_keys")
    assert await store.journal.open(payment(client_order_id="A-1").opening) is None


async def test_what_is_still_under_way_is_waited_for_before_anything_is_said(
    store: SeatedStore, line: Line, postgres_url: str
) -> None:
    sale = payment()
    assert await store.journal.open(sale.opening) is None
    assert await store.journal.close(sale.closing())
    refund = follow_up(sale, TransactionType.REFUND, (State.APPROVED,), amount_minor=100)
    other = await asyncpg.connect(postgres_url)
    holding = other.transaction()
    await holding.start()
    await other.execute("SELECT 1 FROM orders WHERE order_id = $1 FOR UPDATE", sale.order.order_id)
    opening = asyncio.create_task(store.journal.open(refund.opening))
    await asyncio.sleep(0.2)
    line.cut()
    await asyncio.sleep(0.5)
    assert not opening.done()
    await holding.rollback()
    await other.close()
    async with asyncio.timeout(WITHIN_S):
        assert await opening is None
    found = await store.records.transaction(CLIENT, refund.transaction.transaction_id)
    assert found is not None
    assert found[1].balance.reserved_minor == 100


async def test_while_no_server_is_reached_writes_are_refused_soon_and_go_on_without_a_restart(
    store: SeatedStore, line: Line
) -> None:
    assert await store.journal.open(payment().opening) is None
    line.refuses = True
    line.cut()
    in_doubt = asyncio.create_task(store.journal.open(payment().opening))
    await asyncio.sleep(0.1)
    began_s = asyncio.get_running_loop().time()
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            await store.journal.open(payment().opening)
        with pytest.raises(StoreUnavailable):
            await store.records.order(CLIENT, 1)
    assert asyncio.get_running_loop().time() - began_s < WITHIN_S
    assert not in_doubt.done(), "nobody knows yet whether it was written"
    line.refuses = False

    async def opens() -> bool:
        try:
            return await store.journal.open(payment().opening) is None
        except StoreUnavailable:
            return False

    await until(opens)
    with pytest.raises(StoreUnavailable):
        await in_doubt
    assert await store.records.writable()


async def test_two_gateways_that_want_one_order_number_at_once_get_it_once(
    store: SeatedStore,
) -> None:
    """Both have seen that it is free: the key decides, and the loser is told so."""
    seats = [await store.join(f"node-{index}") for index in range(4)]
    for turn in range(25):
        rivals = [payment(client_order_id=f"same-{turn}") for _ in seats]
        answers = await asyncio.gather(
            *(seat.journal.open(rival.opening) for seat, rival in zip(seats, rivals, strict=True))
        )
        assert sorted(map(str, answers)) == ["DUPLICATE_CLIENT_ORDER"] * 3 + ["None"]


async def test_gateways_that_meet_on_the_same_orders_in_any_order_never_deadlock(
    store: SeatedStore, postgres_url: str
) -> None:
    seats = [await store.join(f"node-{index}") for index in range(3)]
    sales = [payment() for _ in range(12)]
    for sale in sales:
        assert await seats[0].journal.open(sale.opening) is None
        assert await seats[0].journal.close(sale.closing())
    granted = 0
    for turn in range(15):
        refunds = [
            [
                follow_up(sale, TransactionType.REFUND, (State.APPROVED,), amount_minor=1)
                for sale in (sales if (turn + place) % 2 else reversed(sales))
            ]
            for place in range(len(seats))
        ]
        answers = await asyncio.gather(
            *(
                seat.journal.open(refund.opening)
                for seat, own in zip(seats, refunds, strict=True)
                for refund in own
            )
        )
        asked = [(seat, refund) for seat, own in zip(seats, refunds, strict=True) for refund in own]
        won = [each for each, answer in zip(asked, answers, strict=True) if answer is None]
        assert len(won) == len(sales)
        closings = [
            seat.journal.close(
                refund.closing(
                    order_event=None,
                    charge_id=None,
                    balance=BalanceChange(reserved_minor=-1),
                )
            )
            for seat, refund in won
        ]
        assert all(await asyncio.gather(*closings))
        granted += len(won)
    assert granted == 15 * len(sales)
    name = postgres_url.rpartition("/")[2]
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1"
    assert (await fetch(postgres_url, query, name))[0]["deadlocks"] == 0
