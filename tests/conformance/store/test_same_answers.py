"""Whatever comes together in one batch is answered as if each had come after the other.

SQLite, which takes one after the other, is the judge.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from conformance.store.samples import NOW_MS, Payment, follow_up, keyed, payment
from conformance.store.seated import SeatedStore, StillClock, started
from netvalve.domain.journal import OpeningRefusal
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.transaction import TransactionType

ORDERS, NUMBERS, KEYS = 3, 4, 6
ITEMS = 30
TOO_MUCH = 5_000
REFUNDABLE = sources_of(Event.REFUNDED)


@pytest.fixture
async def both(sqlite_url: str, postgres_url: str) -> AsyncIterator[list[SeatedStore]]:
    stores = [await started(url, StillClock(NOW_MS)) for url in (sqlite_url, postgres_url)]
    yield stores
    for store in stores:
        await store.stop()


def some(random: Random, seed: int, sales: Sequence[Payment]) -> Payment:
    """A sale or a refund which may want what another wants, under a key that another may have."""
    if random.random() < 0.5:
        number = random.choice([None, *range(NUMBERS)])
        one = payment(client_order_id=None if number is None else f"{seed}-{number}")
    else:
        amount_minor = random.choice([100, TOO_MUCH])
        kind = TransactionType.REFUND
        one = follow_up(random.choice(sales), kind, REFUNDABLE, amount_minor=amount_minor)
    key = random.choice([None, None, *range(KEYS)])
    return one if key is None else keyed(one, f"{seed}-{key}")


def told(one: Payment, answer: OpeningRefusal | None) -> str:
    """As far as a merchant hears it: "not now" of a request with a key is one answer.

    It is looked at twice, and what was too much at first may be in flight by then.
    """
    if one.opening.keyed is not None and answer is OpeningRefusal.GUARD:
        return OpeningRefusal.IN_FLIGHT
    return str(answer)


@pytest.mark.parametrize("seed", range(12))
async def test_a_batch_of_anything_is_answered_as_one_after_the_other(
    both: Sequence[SeatedStore], seed: int
) -> None:
    random = Random(seed)  # noqa: S311  # the same every time
    sales = [payment() for _ in range(ORDERS)]
    batch = [some(random, seed, sales) for _ in range(ITEMS)]
    heard = []
    for store in both:
        for sale in sales:
            await store.journal.open(sale.opening)
            await store.journal.close(sale.closing())
        answers = await asyncio.gather(*(store.journal.open(each.opening) for each in batch))
        heard.append(list(map(told, batch, answers)))
    assert heard[0] == heard[1]
    assert len(set(heard[0])) > 2


async def test_what_is_refused_by_itself_leaves_the_turn_to_the_next(
    both: Sequence[SeatedStore],
) -> None:
    """Of several that want one order the first that may have it, and not the first of all."""
    sale = payment()
    refunds = [
        follow_up(sale, TransactionType.REFUND, REFUNDABLE, amount_minor=amount_minor)
        for amount_minor in (TOO_MUCH, 100, TOO_MUCH, 100)
    ]
    expected = [OpeningRefusal.GUARD, None, OpeningRefusal.IN_FLIGHT, OpeningRefusal.IN_FLIGHT]
    for store in both:
        await store.journal.open(sale.opening)
        await store.journal.close(sale.closing())
        answers = await asyncio.gather(*(store.journal.open(each.opening) for each in refunds))
        assert answers == expected
