"""Idempotency: the same request of a merchant, however often it comes, is done once.

A request with a key that has opened a transaction is answered from that transaction, as it stands;
nothing else of an answer is kept. Another request with the same key is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from netvalve.domain.journal import KeyedRequest, KeyedTransaction
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Clock, Digests, Records

Told = TypeVar("Told")

KEY: Final = "Idempotency-Key"
"""The name under which a key itself has its digest."""
OPERATION: Final = "operation"
"""The name under which a request to another path differs."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The key has opened this transaction: its answer is given once more."""

    transaction: Transaction
    order: Order


@dataclass(frozen=True, slots=True)
class KeyBusy:
    """The first request with the key is still being answered: ask again in a moment."""


@dataclass(frozen=True, slots=True)
class KeyMismatch:
    """The key is that of a request which said something else in these fields."""

    fields: tuple[str, ...]


KeyAnswer = Replayed | KeyBusy | KeyMismatch


class Idempotency:
    """The keys of requests: those being answered here, and those that have opened something."""

    def __init__(self, records: Records, digests: Digests, clock: Clock, life_ms: int) -> None:
        """`life_ms` is how long a key is known after its first request came in."""
        self._records, self._digests, self._clock = records, digests, clock
        self._life_ms = life_ms
        self._answering: dict[tuple[int, str], KeyedRequest] = {}

    @property
    def since_ms(self) -> int:
        """Keys created before this have ended, whether or not they have been removed."""
        return self._clock.now_ms() - self._life_ms

    def keyed(
        self, client_id: int, key: str, operation: str, fields: Mapping[str, bytes]
    ) -> KeyedRequest:
        """A request that has just come in, with what it said in digests."""
        digests = {
            name: self._digests.of_field(client_id, name, said) for name, said in fields.items()
        }
        name = self._name(client_id, key)
        return KeyedRequest(client_id, name, operation, digests, self._clock.now_ms())

    async def opened_by(self, client_id: int, key: str) -> KeyedTransaction | None:
        """What a key that has not ended has opened.

        Raises:
            StoreUnavailable: the key could not be looked up.
        """
        return await self._of_name(client_id, self._name(client_id, key))

    def _name(self, client_id: int, key: str) -> str:
        """The name a key is kept under: whatever a merchant takes for a key, nobody reads it."""
        return self._digests.of_field(client_id, KEY, key.encode())

    def taken(self, payment: Payment, keyed: KeyedRequest) -> Payment:
        """The payment, its opening to take the key along."""
        opening = replace(payment.opening, keyed=keyed, keys_since_ms=self.since_ms)
        return replace(payment, opening=opening)

    async def once(
        self, keyed: KeyedRequest, work: Callable[[], Awaitable[Told]]
    ) -> Told | KeyAnswer:
        """Do the work unless the key is known; what came of it, then or now.

        The key is known from here on until the work has been answered, and for its whole life once
        the work has opened a transaction: a refusal leaves it free.

        Raises:
            StoreUnavailable: the key could not be looked up, or the work was not begun.
        """
        place = keyed.client_id, keyed.key
        answering = self._answering.get(place)
        if answering is not None:
            return _mismatch(answering, keyed) or KeyBusy()
        self._answering[place] = keyed
        try:
            return await self._known(keyed) or await work()
        finally:
            del self._answering[place]

    async def _known(self, keyed: KeyedRequest) -> KeyAnswer | None:
        found = await self._of_name(keyed.client_id, keyed.key)
        if found is None:
            return None
        return _mismatch(found.keyed, keyed) or Replayed(found.transaction, found.order)

    async def _of_name(self, client_id: int, name: str) -> KeyedTransaction | None:
        return await self._records.of_key(client_id, name, self.since_ms)


def _mismatch(first: KeyedRequest, keyed: KeyedRequest) -> KeyMismatch | None:
    names = differing_fields(first, keyed)
    return KeyMismatch(names) if names else None


def differing_fields(first: KeyedRequest, other: KeyedRequest) -> tuple[str, ...]:
    """In which fields two requests differ, the operation before the body's, which are sorted."""
    fields = sorted(
        name
        for name in first.digests.keys() | other.digests.keys()
        if first.digests.get(name) != other.digests.get(name)
    )
    return (OPERATION, *fields) if first.operation != other.operation else tuple(fields)
