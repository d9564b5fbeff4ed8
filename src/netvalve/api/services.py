"""What the HTTP face stands on, given by who joins the gateway together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from structlog.typing import FilteringBoundLogger

from netvalve.config import Settings
from netvalve.domain.client import Client
from netvalve.domain.journal import KeyedRequest
from netvalve.payments.commands import ChargeCommand, FollowUpCommand, RebillCommand
from netvalve.payments.enquiries import Enquiries
from netvalve.payments.gateway import PaymentAnswer
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.ports import Clock, Configuration, Records
from netvalve.payments.rate_limits import RateLimits
from netvalve.telemetry.metrics import Metrics


def random_trace_id() -> str:
    """A UUID that nobody has had."""
    return str(uuid4())


class Payments(Protocol):
    """The gateway, as far as this face needs it.

    Each call may raise StoreUnavailable: surely nothing was begun.
    """

    @property
    def idempotency(self) -> Idempotency:
        """What makes a request that comes again the same request."""

    @property
    def enquiries(self) -> Enquiries:
        """The read side."""

    async def charge(
        self,
        client: Client,
        command: ChargeCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
    ) -> PaymentAnswer:
        """Sale or authorize."""

    async def follow_up(
        self,
        client: Client,
        command: FollowUpCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
    ) -> PaymentAnswer:
        """Capture, cancel or refund."""

    async def rebill(
        self,
        client: Client,
        command: RebillCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
    ) -> PaymentAnswer:
        """Rebill."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a request may need."""

    gateway: Payments
    configuration: Configuration
    digest: Callable[[str], bytes] = field(repr=False)
    """The keyed digest of an API key or a Basic password."""
    limits: RateLimits
    records: Records
    bank_readiness: Callable[[], Mapping[str, bool]]
    """Each bank's name, and whether a message could leave for it now."""
    holds_lease: Callable[[], bool]
    """Whether this gateway may open and send."""
    metrics: Metrics
    settings: Settings
    clock: Clock
    log: FilteringBoundLogger
    new_trace_id: Callable[[], str] = random_trace_id
