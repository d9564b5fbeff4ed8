"""What a gateway stands on, and what is told of it once it runs."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from netvalve.api.port import base_url
from netvalve.api.services import random_trace_id
from netvalve.config import Settings
from netvalve.payments.ports import Clock
from netvalve.payments.store_and_forward import POLL_S as FORWARDS_POLL_S
from netvalve.payments.take_over import POLL_S as TAKE_OVER_POLL_S
from netvalve.storage.key_ring import KeyRing
from netvalve.telemetry.metrics import Metrics
from netvalve.telemetry.node import this_node


class SystemClock:
    """The machine's time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """The event loop's time."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that takes requests."""

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        return base_url(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part of one process stands on."""

    settings: Settings
    key_ring: KeyRing
    clock: Clock
    metrics: Metrics
    log: FilteringBoundLogger
    new_trace_id: Callable[[], str] = random_trace_id
    jitter: Callable[[], float] = random.random
    """From 0 to 1: spreads the attempts to reach a bank again."""
    forwards_poll_s: float = FORWARDS_POLL_S
    take_over_poll_s: float = TAKE_OVER_POLL_S
    node: str = field(default_factory=this_node)
