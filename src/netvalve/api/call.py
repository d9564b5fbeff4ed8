"""One authenticated request, as an operation's handler sees it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from netvalve.api.answers.answer import Answer, StreamedAnswer
from netvalve.api.services import Services
from netvalve.domain.client import Client


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, by whom, and when it came in."""

    services: Services
    client: Client
    trace_id: str
    arrived_s: float
    """On the monotonic clock."""
    body: bytes = field(default=b"", repr=False)
    query: bytes = field(default=b"", repr=False)
    accept: bytes = b""
    path: str = ""
    idempotency_keys: tuple[bytes, ...] = ()
    """The values of every `Idempotency-Key` header."""

    @property
    def now_ms(self) -> int:
        """The time of an answer given now."""
        return self.services.clock.now_ms()


Handler = Callable[[Call], Awaitable[Answer | StreamedAnswer]]
