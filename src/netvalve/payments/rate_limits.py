"""Rate limits: whether a client may make one more request in this second, over all gateways.

Most requests are let through from what this gateway has fetched before. What it has not used when
the second ends is lost, so that no second ever sees more requests than the limit.

A limit protects the gateways from a client; it must not keep a client from paying. So where the
store does not answer in time, requests are let through uncounted.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from netvalve.domain.allowance import CountedSecond, granted, portion
from netvalve.payments.ports import Allowances, Clock
from netvalve.telemetry.metrics import Metrics

PATIENCE_S: Final = 0.25
"""How old a question to the store may grow while requests wait for its answer."""
PAUSE_S: Final = 1.0
"""How long a store that has failed is not asked again."""
_QUESTIONS_MAX: Final = 5
"""A request that has seen so many answers come too late for their second waits no longer."""
_TOLD_EVERY_S: Final = 1.0


@dataclass(slots=True)
class _Purse:
    """What this gateway may still let one client do in the present second."""

    client_id: int
    limit: int
    left: int = 0
    used_up: bool = False
    """No gateway gets more of this second."""
    until_s: float = float("-inf")
    waiting: int = 0
    asked_s: float = 0.0
    filling: "asyncio.Task[None] | None" = None
    told_s: float = float("-inf")
    """When the log was last told that the client asks for too much."""

    def spend(self, now_s: float) -> bool | None:
        """Let one request through, or not; None: the store is to be asked first."""
        if now_s >= self.until_s:
            return None
        if self.left:
            self.left -= 1
            return True
        return False if self.used_up else None

    def fill(self, wanted: int, counted: CountedSecond) -> None:
        """Put in what was granted. It is good for as long as the second surely lasts."""
        self.left = granted(self.limit, wanted, counted.count)
        self.used_up = self.left < wanted
        self.until_s = self.asked_s + counted.left_s


class RateLimits:
    """Judges the requests of the clients that have a limit."""

    def __init__(
        self, allowances: Allowances, clock: Clock, metrics: Metrics, log: FilteringBoundLogger
    ) -> None:
        self._allowances, self._clock = allowances, clock
        self._metrics, self._log = metrics, log
        self._purses: dict[int, _Purse] = {}
        self._failing = False
        self._ask_again_s = float("-inf")

    async def admit(self, client_id: int, limit: int) -> bool:
        """Whether a request within `limit` a second may go on; it counts where it may."""
        purse = self._purse(client_id, limit)
        for _ in range(_QUESTIONS_MAX):
            admitted = purse.spend(self._clock.monotonic_s())
            if admitted is False:
                self._tell_refused(purse)
            if admitted is not None:
                return admitted
            if not await self._asked(purse):
                break
        self._metrics.uncounted_request()
        return True

    def _purse(self, client_id: int, limit: int) -> _Purse:
        """The client's; a new one where its limit has changed."""
        purse = self._purses.get(client_id)
        if purse is None or purse.limit != limit:
            purse = self._purses[client_id] = _Purse(client_id, limit)
        return purse

    async def _asked(self, purse: _Purse) -> bool:
        """Ask the store, once for all who wait. False: it does not answer in time."""
        now_s = self._clock.monotonic_s()
        if purse.filling is None:
            if now_s < self._ask_again_s:
                return False
            purse.asked_s = now_s
            purse.filling = asyncio.create_task(self._fill(purse), name="allowance")
        purse.waiting += 1
        try:
            patience_s = max(purse.asked_s + PATIENCE_S - now_s, 0)
            answered, _ = await asyncio.wait([purse.filling], timeout=patience_s)
        finally:
            purse.waiting -= 1
        return bool(answered)

    async def _fill(self, purse: _Purse) -> None:
        wanted = portion(purse.limit, purse.waiting)
        try:
            counted = await self._allowances.count(purse.client_id, wanted)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must stop no payment
            self._fail(error)
        else:
            purse.fill(wanted, counted)
            self._failing = False
        finally:
            purse.filling = None

    def _fail(self, error: Exception) -> None:
        """Hold no limit for a while; of a row of failures the log hears once."""
        self._ask_again_s = self._clock.monotonic_s() + PAUSE_S
        if not self._failing:
            self._log.warning("rate_limits_not_held", error=type(error).__name__)
        self._failing = True

    def _tell_refused(self, purse: _Purse) -> None:
        self._metrics.refused_request()
        now_s = self._clock.monotonic_s()
        if now_s - purse.told_s >= _TOLD_EVERY_S:
            purse.told_s = now_s
            self._log.warning(
                "rate_limit_reached", client_id=purse.client_id, requests_per_s=purse.limit
            )
