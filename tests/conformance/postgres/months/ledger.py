"""A database whose oldest month is over, and what the tests of months do with it.

That month is the present one, whose parts every new database has: the present is put three months
later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.store.months import transaction_in
from conformance.store.samples import CLIENT, Payment, follow_up, refund_closing
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import Move
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.search import PageRequest, Search
from netvalve.domain.transaction import TransactionType
from netvalve.storage.months import began_at_ms, month_after
from netvalve.storage.postgres.archive import Right, archive
from netvalve.storage.verification.breach import Breach
from netvalve.storage.verification.verification import verify
from stores import rows_of

Sold = Callable[..., Awaitable[Payment]]
REFUND_FROM: Final = sources_of(Event.REFUNDED)
EVERYTHING: Final = tuple(Right)


@dataclass(frozen=True)
class Ledger:
    """A database, and its oldest month: the present one when it was made."""

    url: str
    month: int

    @property
    def later(self) -> int:
        """The month after it."""
        return month_after(self.month)

    @property
    def now_ms(self) -> int:
        """When both are over."""
        return began_at_ms(month_after(self.later)) + 1

    def archive(self, *given_up: Right, month: int | None = None) -> tuple[str, ...]:
        return archive(self.url, month or self.month, give_up=given_up, now_ms=self.now_ms)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows_of(self.url, query)

    def breaches(self) -> tuple[Breach, ...]:
        return verify(self.url, first=1).breaches


async def refunded(
    store: SeatedStore, sale: Payment, in_: int, amount_minor: int = 1200
) -> Payment:
    """A refund of a later month, of all unless said otherwise."""
    whole = amount_minor == sale.transaction.amount_minor
    event = Event.REFUNDED if whole else Event.PARTIALLY_REFUNDED
    one = follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=amount_minor)
    refund = transaction_in(in_, one)
    assert await store.journal.open(refund.opening) is None
    moves = (Move(sale.transaction.transaction_id, event),)
    assert await store.journal.close(replace(refund_closing(refund, event), moves=moves))
    return refund


async def totals(store: SeatedStore) -> tuple[int, int]:
    """How many orders and transactions the client is told of; as many as it is shown."""
    page = PageRequest(0, 100)
    orders = await store.records.orders(Search(CLIENT), page)
    transactions = await store.records.transactions(Search(CLIENT), page)
    assert len(orders.rows) == orders.total
    assert len(transactions.rows) == transactions.total
    return orders.total, transactions.total


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(400):
        if reached():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")
