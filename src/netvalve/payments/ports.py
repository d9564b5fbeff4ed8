"""What payments ask of the world: a clock, identifiers, a journal, records, a vault, banks.

Banks and storage fill these in without knowing this module; `bootstrap` joins them.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol, TypeVar

from netvalve.domain.allowance import CountedSecond
from netvalve.domain.backlog import Backlog
from netvalve.domain.bank_message import BankOutcome, BankRequest
from netvalve.domain.card import CardNumber, SealedCard
from netvalve.domain.client import BankProfile
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.directory import Directory
from netvalve.domain.journal import (
    Closing,
    Forward,
    HistoryEntry,
    KeyedTransaction,
    Opening,
    OpeningRefusal,
    ResolvedAs,
    StoredMessage,
    StoreUnavailable,
    StoreUncertain,
)
from netvalve.domain.lifecycle import Event
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search
from netvalve.domain.transaction import MessageIdentity, Transaction


class Clock(Protocol):
    """Time, injected so that a simulation can own it."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Seconds that never go back; only differences mean anything."""


class Identifiers(Protocol):
    """Numbers known before the write, unique for ever over all processes of one store."""

    async def order_id(self) -> int:
        """The next order's number, below 2^53."""

    async def transaction_id(self) -> int:
        """The next transaction's number, below 2^53."""

    async def card_id(self) -> int:
        """The next vault row's number, below 2^53."""

    async def message_identity(self, now_ms: int) -> MessageIdentity:
        """Fields 7, 11, 37 and 41 of a message never sent before."""


class Journal(Protocol):
    """The narrow write side. A call returns when its change is durable, and not before."""

    async def open(self, opening: Opening, wanted: Callable[[], bool]) -> OpeningRefusal | None:
        """Write an opening whole, or refuse it alone and write nothing.

        `wanted` is asked at the moment of writing, however long that was waited for.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost.
        """

    async def close(self, closing: Closing) -> bool:
        """Write a closing whole. False: the transaction was not pending, or no longer ours.

        Raises:
            StoreUnavailable: nothing was written; closing again is safe.
            StoreUncertain: the commit's answer was lost; closing again is safe.
        """


TransactionOnOrder = tuple[Transaction, Order]
Chunk = TypeVar("Chunk")


class Records(Protocol):
    """The read side. Every look-up names the client: another client's rows do not exist."""

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionOnOrder | None:
        """A transaction with its order."""

    async def order(self, client_id: int, order_id: int) -> Order | None:
        """An order by its number."""

    async def order_by_client_order_id(self, client_id: int, client_order_id: str) -> Order | None:
        """An order by the merchant's own name for it."""

    async def of_key(self, client_id: int, key: str, since_ms: int) -> KeyedTransaction | None:
        """What an idempotency key has opened; a key from before `since_ms` has ended."""

    async def transactions_of(self, client_id: int, order_id: int) -> tuple[Transaction, ...]:
        """All transactions of an order, oldest first."""

    async def sealed_card(self, client_id: int, card_id: int) -> SealedCard | None:
        """None once the number has been erased."""

    async def orders(self, search: Search, page: PageRequest) -> Page[Order]:
        """Newest first by (created, id)."""

    async def transactions(self, search: Search, page: PageRequest) -> Page[TransactionOnOrder]:
        """Newest first by (created, id)."""

    def export(
        self, search: Search, form: Callable[[TransactionColumns], Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        """What `form` makes of everything that matches, newest first, some rows at a time.

        From one consistent snapshot. `form` runs on a thread, for one batch after another.
        """

    async def history(self, transaction_id: int) -> tuple[HistoryEntry, ...]:
        """Every event of a transaction, oldest first. For operators: no client asked."""

    async def next_attempt_at_ms(self, transaction_id: int) -> int | None:
        """When the message stored for a transaction is sent next; None where none waits."""

    async def backlog(self, now_ms: int) -> Backlog:
        """What has no end yet, by its age now. For operators: no client asked."""

    async def writable(self) -> bool:
        """Whether the store takes writes right now."""


class Forwards(Protocol):
    """Messages that wait for their bank: one gateway's own, as far as they are to be sent.

    Every call may raise StoreUnavailable; doing it again is safe.
    """

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[StoredMessage, ...]:
        """What is to be sent to a bank now, the longest waiting first."""

    async def of_original(self, rrn: str) -> tuple[StoredMessage, ...]:
        """What is stored about the message with this RRN, whether or not it has ended."""

    async def resolved(self, limit: int) -> tuple[StoredMessage, ...]:
        """Our own messages that an operator has ended by hand."""

    async def postpone(
        self,
        forward: Forward,
        next_attempt_at_ms: int,
        *,
        counted: bool,
        refused_39: str | None = None,
    ) -> None:
        """Name the time of the next attempt; `counted` where one has been made.

        `refused_39` is what the bank answered where it will not do it; the last one is kept.
        """

    async def acknowledge(
        self, message: StoredMessage, at_ms: int, response_code_39: str | None
    ) -> bool:
        """What a reversal is about has been undone. False: it was ended before.

        By the bank, whose answer is given; by hand, where the message has a resolution, without.
        """

    async def reopen(self, message: StoredMessage, at_ms: int, response_code_39: str) -> bool:
        """The bank has approved late what is being, or has been, reversed: tell it again."""

    async def keep_late_answer(
        self,
        message: StoredMessage,
        at_ms: int,
        response_code_39: str,
        contradicts: ResolvedAs | None,
    ) -> Event | None:
        """Keep an answer to a transaction's own message, which has ended, in its history.

        Each field 39 once: what says the same again adds nothing. The event it is kept as:
        CONTRADICTED where an operator has resolved it as `contradicts`. None: it is pending.
        """


class Orphans(Protocol):
    """What gateways without a running lease have left: each row is made one other's own.

    Every call may raise StoreUnavailable; doing it again is safe.
    """

    async def left_by(self) -> tuple[int, ...]:
        """The epochs without a running lease that have left something, the oldest first."""

    async def adopt(self, epoch: int, limit: int) -> int:
        """Make stored messages of an epoch our own, each with its transaction; how many."""

    async def pending(
        self, epoch: int, after_id: int, limit: int
    ) -> tuple[TransactionOnOrder, ...]:
        """What an epoch has left pending without a message stored, in the order of numbers."""

    async def close(self, closing: Closing) -> bool:
        """Adopt an orphan and close it, in one write. False: it is not an orphan any more."""


class LeaseAtStore(Protocol):
    """One gateway's lease, as the store sees it."""

    async def renew(self) -> None:
        """Let it run for its whole length from now, be it still running or not.

        Raises:
            StoreUnavailable: it was not renewed.
            StoreUncertain: the commit's answer was lost.
        """

    async def end(self) -> None:
        """End it now.

        Raises:
            StoreUnavailable, StoreUncertain: it may run out by itself.
        """


class Keys(Protocol):
    """The merchants' idempotency keys at rest."""

    async def forget(self, before_ms: int, limit: int) -> int:
        """Remove keys that were created before a time, the oldest first; how many there were.

        Raises:
            StoreUnavailable, StoreUncertain: doing it again is safe.
        """


class Allowances(Protocol):
    """The requests of limited clients, counted over all gateways of one store."""

    async def count(self, client_id: int, more: int) -> CountedSecond:
        """Count more requests of a client in the present second of the store's time.

        Raises:
            StoreUnavailable, StoreUncertain: they may count all the same.
        """


class Digests(Protocol):
    """What a request said, so that it can be compared and cannot be read."""

    def of_field(self, client_id: int, name: str, value: bytes) -> str:
        """The digest of one field: keyed, so that nobody without the keys can try values."""


class Expiring(Protocol):
    """Authorizations whose hold time is over.

    Every call may raise StoreUnavailable; doing it again is safe.
    """

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[Order, ...]:
        """A bank's approved and past their time, nothing in flight, the longest overdue first."""

    async def put_off(self, order_id: int, expires_at_ms: int) -> None:
        """Look at an authorization again at another time, if it then still is one."""


class Vault(Protocol):
    """Card numbers at rest."""

    def seal(self, client_id: int, card_id: int, number: CardNumber) -> SealedCard:
        """Encrypt a number for one row of one client."""

    def reveal(self, sealed: SealedCard) -> CardNumber:
        """The number in clear, for its way to the bank."""


class Bank(Protocol):
    """A bank, whatever protocol it speaks."""

    @property
    def ready(self) -> bool:
        """Whether a message could leave now."""

    async def send(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        """Ask the bank; wait for its answer until `deadline_s` on the monotonic clock.

        Never raises for what the bank or the line does.
        """


class Banks(Protocol):
    """The links to all banks of the directory."""

    def link(self, profile: BankProfile) -> Bank:
        """The link to one bank; made when it is first asked for."""


class Configuration(Protocol):
    """The directory as it is now; a change in the store shows within a second."""

    @property
    def directory(self) -> Directory:
        """The newest snapshot."""

    @property
    def fresh(self) -> bool:
        """Whether the newest snapshot is known to be up to date."""


__all__ = [
    "Allowances",
    "Bank",
    "Clock",
    "Configuration",
    "Digests",
    "Expiring",
    "Identifiers",
    "Journal",
    "Keys",
    "LeaseAtStore",
    "Orphans",
    "Records",
    "StoreUnavailable",
    "StoreUncertain",
    "TransactionOnOrder",
    "Vault",
]
