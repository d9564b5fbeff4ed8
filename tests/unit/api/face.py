"""The real application over a gateway that remembers what it was asked and answers as told."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog

from making import ACCOUNT, BANK, a_transaction, an_order
from netvalve.api.application import Application, build_application
from netvalve.config import Settings
from netvalve.domain.allowance import CountedSecond
from netvalve.domain.backlog import Backlog, Oldest, Waiting
from netvalve.domain.client import ApiKey, BasicUser, Client
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.directory import Directory
from netvalve.domain.journal import KeyedRequest, KeyedTransaction
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.enquiries import Enquiries
from netvalve.payments.gateway import PaymentAnswer
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.ports import Chunk, TransactionOnOrder
from netvalve.payments.rate_limits import RateLimits
from netvalve.telemetry.metrics import Metrics

CLIENT = Client(ACCOUNT.client_id, "0b6ff1a5-7d34-4a8f-9c0b-0f6f6a1f2a11", "Shop Ltd")
DISABLED = Client(8, "7d0d2a1e-3f5c-4e0e-8b8e-61f7a0f3a222", "Closed Ltd", enabled=False)
HEADERS = {"netvalve-client-id": CLIENT.netvalve_client_id, "netvalve-api-key": "key-7"}
NOW_MS = 1_731_069_538_140


def digest(secret: str) -> bytes:
    return b"digest of " + secret.encode()


DIRECTORY = Directory.of(
    1,
    clients=(CLIENT, DISABLED),
    banks=(BANK,),
    accounts=(ACCOUNT,),
    api_keys=(ApiKey(1, 7, digest("key-7")), ApiKey(2, 8, digest("key-8"))),
    basic_users=(BasicUser("shop", 7, digest("pass:word")),),
)


class StillClock:
    """Time that stands still."""

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic_s(self) -> float:
        return 100.0


class PlainDigests:
    """What a request says, hidden from nobody."""

    def of_field(self, _client_id: int, _name: str, value: bytes) -> str:
        return value.decode()


@dataclass
class Store:
    """Records of one order and its sale, and what was searched."""

    order_: Order = field(default_factory=lambda: an_order(TransactionType.SALE, State.APPROVED))
    transaction_: Transaction = field(
        default_factory=lambda: a_transaction(TransactionType.SALE, State.APPROVED)
    )
    searched: list[Search] = field(default_factory=list)
    takes_writes: bool = True
    lease: bool = True
    next_attempt_at_ms_: int | None = None
    keys: dict[tuple[int, str], KeyedTransaction] = field(default_factory=dict)

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionOnOrder | None:
        found = transaction_id == self.transaction_.transaction_id and client_id == 7
        return (self.transaction_, self.order_) if found else None

    async def order(self, client_id: int, order_id: int) -> Order | None:
        return self.order_ if (client_id, order_id) == (7, self.order_.order_id) else None

    async def order_by_client_order_id(self, client_id: int, client_order_id: str) -> Order | None:
        found = (client_id, client_order_id) == (7, self.order_.client_order_id)
        return self.order_ if found else None

    async def of_key(self, client_id: int, key: str, _since_ms: int) -> KeyedTransaction | None:
        return self.keys.get((client_id, key))

    async def transactions_of(self, client_id: int, order_id: int) -> tuple[Transaction, ...]:
        return (self.transaction_,) if (client_id, order_id) == (7, self.order_.order_id) else ()

    async def orders(self, search: Search, page: PageRequest) -> Page[Order]:
        self.searched.append(search)
        return Page((self.order_,), 41, page)

    async def transactions(self, search: Search, page: PageRequest) -> Page[TransactionOnOrder]:
        self.searched.append(search)
        return Page(((self.transaction_, self.order_),), 1, page)

    async def export(
        self, search: Search, form: Callable[[TransactionColumns], Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        self.searched.append(search)
        for _ in range(3):
            yield form(TransactionColumns.of([(self.transaction_, self.order_)] * 200))

    async def next_attempt_at_ms(self, _transaction_id: int) -> int | None:
        return self.next_attempt_at_ms_

    async def backlog(self, now_ms: int) -> Backlog:
        pending = Waiting({"under_10s": 1, "over_1d": 2}, Oldest(1001, now_ms - 90_000_000))
        return Backlog(pending, Waiting({"under_1m": 2}), refused=1)

    async def writable(self) -> bool:
        return self.takes_writes


@dataclass
class Allowances:
    """One second that does not end."""

    counted: int = 0

    async def count(self, _client_id: int, more: int) -> CountedSecond:
        self.counted += more
        return CountedSecond(self.counted, left_s=1)


@dataclass
class FakeGateway:
    """Answers every command with `answer`, or raises it."""

    enquiries: Enquiries
    answer: PaymentAnswer | Exception
    idempotency: Idempotency
    commands: list[Any] = field(default_factory=list)
    keys: list[KeyedRequest] = field(default_factory=list)

    async def charge(
        self, client: Client, command: Any, *, keyed: KeyedRequest | None, **_: object
    ) -> PaymentAnswer:
        return self._told(client, command, keyed)

    async def follow_up(
        self, client: Client, command: Any, *, keyed: KeyedRequest | None, **_: object
    ) -> PaymentAnswer:
        return self._told(client, command, keyed)

    async def rebill(
        self, client: Client, command: Any, *, keyed: KeyedRequest | None, **_: object
    ) -> PaymentAnswer:
        return self._told(client, command, keyed)

    def _told(
        self, client: Client, command: Any, keyed: KeyedRequest | None = None
    ) -> PaymentAnswer:
        assert client is CLIENT
        self.commands.append(command)
        if keyed is not None:
            self.keys.append(keyed)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class FakeConfiguration:
    """A directory that never changes."""

    directory: Directory = DIRECTORY
    fresh: bool = True


@dataclass
class Face:
    """The application with everything around it."""

    application: Application
    gateway: FakeGateway
    store: Store
    metrics: Metrics
    banks: dict[str, bool]
    configuration: FakeConfiguration
    allowances: Allowances
    lines: list[dict[str, Any]]

    def client(self, headers: Mapping[str, str] = HEADERS) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application),
            base_url="http://gateway",
            headers=dict(headers),
        )


def a_face(home: Path) -> Face:
    """The application, ready for requests."""
    store, metrics, banks = Store(), Metrics(), {"Mock Bank": True}
    configuration, allowances = FakeConfiguration(), Allowances()
    lines: list[dict[str, Any]] = []
    idempotency = Idempotency(store, PlainDigests(), StillClock(), 1)
    enquiries = Enquiries(store, configuration, idempotency)
    gateway = FakeGateway(enquiries, (store.transaction_, store.order_), idempotency)

    def remember(_logger: object, method: str, event: dict[str, Any]) -> str:
        lines.append({**event, "level": method})
        raise structlog.DropEvent

    log = structlog.wrap_logger(
        None, processors=[remember], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    application = build_application(
        gateway=gateway,
        configuration=configuration,
        limits=RateLimits(allowances, StillClock(), metrics, log),
        records=store,
        bank_readiness=lambda: banks,
        holds_lease=lambda: store.lease,
        digest=digest,
        metrics=metrics,
        settings=Settings(home=home),
        clock=StillClock(),
        log=log,
    )
    return Face(application, gateway, store, metrics, banks, configuration, allowances, lines)
