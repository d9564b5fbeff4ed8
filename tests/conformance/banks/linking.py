"""A link to a scripted peer, with short times, and what a test looks at."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from conformance.banks.scripted_peer import ScriptedPeer
from netvalve.banks.iso8583.link import Iso8583Bank
from netvalve.domain.bank_message import BankOutcome, BankRequest
from netvalve.domain.client import BankProfile
from netvalve.telemetry.metrics import Metrics
from unit.banks.bank_requests import ACQUIRER_ID, bank_request, identity


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()


class Linked:
    """A started link, its metrics and its log."""

    def __init__(self, port: int, *, metrics: Metrics | None = None, **settings: Any) -> None:
        self.metrics = metrics or Metrics()
        self.lines = CapturingLogger()
        log: FilteringBoundLogger = structlog.wrap_logger(
            self.lines,
            processors=[],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        defaults: dict[str, Any] = {
            "connections": 1,
            "in_flight_max": 1000,
            "echo_s": 30,
            "reconnect_max_s": 0.05,
            "network_answer_s": 0.2,
            "require_test_bank": True,
        }
        self.bank = Iso8583Bank(
            BankProfile(1, "TSYS", frozenset(), "GTW_2052", "127.0.0.1", port),
            acquirer_id=ACQUIRER_ID,
            clock=SystemClock(),
            metrics=self.metrics,
            log=log,
            **defaults | settings,
        )

    async def send(self, stan: int = 7, *, seconds: float = 2, **changes: Any) -> BankOutcome:
        return await self.send_request(
            bank_request(identity=identity(stan), **changes), seconds=seconds
        )

    async def send_request(self, request: BankRequest, *, seconds: float = 2) -> BankOutcome:
        return await self.bank.send(request, asyncio.get_running_loop().time() + seconds)

    @property
    def sending_socket(self) -> socket.socket:
        """The link's own end of its first connection, to make it narrow."""
        transport = self.bank._pool._open[0]._transport
        assert transport is not None
        return cast("socket.socket", transport.get_extra_info("socket"))

    def unmatched(self, kind: str) -> float:
        return self._sample("netvalve_bank_messages_unmatched_total", bank="TSYS", kind=kind)

    def exchanges(self, result: str, operation: str = "sale") -> float:
        labels = {"bank": "TSYS", "operation": operation, "result": result}
        return self._sample("netvalve_bank_seconds_count", **labels)

    def _sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0

    @property
    def reasons(self) -> str:
        return " ".join(str(call.kwargs.get("reason")) for call in self.lines.calls)


@asynccontextmanager
async def linked(
    peer: ScriptedPeer, *, ready: bool = True, **settings: Any
) -> AsyncIterator[Linked]:
    """A link to the peer, waited for until it is ready, and stopped at the end."""
    link = Linked(peer.port, **settings)
    await link.bank.start()
    try:
        if ready:
            await until(lambda: link.bank.ready)
        yield link
    finally:
        await link.bank.stop()


async def until(condition: Callable[[], object], seconds: float = 2) -> None:
    """Waits for the condition, and fails the test when it does not come true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # a condition may be anything
            await asyncio.sleep(0.002)
