"""Many at once that want the same: one gets it, in as few statements as for any other batch."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

import pytest

from conformance.postgres.nodes import ORDER, Locks, Nodes
from conformance.postgres.test_lost_commits import fetch
from conformance.store.samples import CLIENT, Payment, follow_up, keyed, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import OpeningRefusal, StoreUnavailable
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.transaction import TransactionType

MANY = 500
A_HANDFUL = 3
LOCK_WAIT_S = 4.0
REFUNDABLE = sources_of(Event.REFUNDED)
BATCHES = "SELECT batch FROM batches WHERE writer = 'opening' ORDER BY epoch"

Answer = OpeningRefusal | None
Storm = Callable[[], Payment]


def same_number() -> Payment:
    return payment(client_order_id="A-1")


def own_key(index: int, one: Payment) -> Payment:
    return keyed(one, f"K-{index}")


async def opened(store: SeatedStore, payments: Iterable[Payment]) -> Sequence[Answer]:
    """All at once."""
    return await asyncio.gather(*(store.journal.open(each.opening) for each in payments))


async def statements(postgres_url: str) -> int:
    """How many the first gateway's openings have taken."""
    ((count,), *_) = await fetch(postgres_url, BATCHES)
    return int(count)


async def paid(store: SeatedStore) -> Payment:
    sale = payment()
    assert await store.journal.open(sale.opening) is None
    assert await store.journal.close(sale.closing())
    return sale


def refunds(sale: Payment, count: int = MANY) -> list[Payment]:
    kind = TransactionType.REFUND
    return [follow_up(sale, kind, REFUNDABLE, amount_minor=100) for _ in range(count)]


@pytest.mark.parametrize(
    ("storm", "refusal"),
    [
        (
            [same_number() for _ in range(MANY)],
            OpeningRefusal.DUPLICATE_CLIENT_ORDER,
        ),
        (
            [own_key(index, same_number()) for index in range(MANY)],
            OpeningRefusal.DUPLICATE_CLIENT_ORDER,
        ),
        ([keyed(same_number(), "K") for _ in range(MANY)], OpeningRefusal.DUPLICATE_KEY),
        ([keyed(payment(), "K") for _ in range(MANY)], OpeningRefusal.DUPLICATE_KEY),
    ],
    ids=["one number", "one number and keys of their own", "one number and one key", "one key"],
)
async def test_a_storm_of_equal_sales_is_a_handful_of_statements(
    store: SeatedStore, postgres_url: str, storm: Sequence[Payment], refusal: OpeningRefusal
) -> None:
    before = await statements(postgres_url)
    assert Counter(await opened(store, storm)) == {None: 1, refusal: MANY - 1}
    assert await statements(postgres_url) <= before + A_HANDFUL
    assert len(await fetch(postgres_url, "SELECT 1 FROM transactions")) == 1


@pytest.mark.parametrize("have_keys", [False, True])
async def test_a_storm_of_refunds_of_one_order_is_a_handful_of_statements(
    store: SeatedStore, postgres_url: str, have_keys: bool
) -> None:
    sale = await paid(store)
    storm = refunds(sale)
    if have_keys:
        storm = list(map(own_key, range(MANY), storm))
    before = await statements(postgres_url)
    assert Counter(await opened(store, storm)) == {None: 1, OpeningRefusal.IN_FLIGHT: MANY - 1}
    assert await statements(postgres_url) <= before + A_HANDFUL
    assert len(await store.records.transactions_of(CLIENT, sale.order.order_id)) == 2


async def test_a_storm_with_one_key_on_what_is_taken_is_a_handful_of_statements(
    store: SeatedStore, postgres_url: str
) -> None:
    assert await opened(store, [same_number()]) == [None]
    before = await statements(postgres_url)
    answers = await opened(store, [keyed(same_number(), "K") for _ in range(MANY)])
    assert Counter(answers) == {OpeningRefusal.DUPLICATE_CLIENT_ORDER: MANY}
    assert await statements(postgres_url) <= before + A_HANDFUL


async def test_a_storm_on_an_order_that_is_locked_is_refused_together(
    nodes: Nodes, locks: Locks
) -> None:
    sale = await paid(nodes[0])
    async with locks.held(ORDER, sale.order.order_id):
        began_s = monotonic()
        storm = map(nodes[0].journal.open, (each.opening for each in refunds(sale, 100)))
        answers = await asyncio.gather(*storm, return_exceptions=True)
        assert monotonic() - began_s < LOCK_WAIT_S + 2
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert Counter(await opened(nodes[0], refunds(sale, 2)))[None] == 1
