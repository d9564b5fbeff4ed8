"""A machine's clock: a wall clock that may be set, a monotonic one that never is."""

import asyncio
from typing import Final

EPOCH_MS: Final = 1_772_323_200_000
"""2026-03-01T00:00:00Z, when every run begins."""


class SteppedClock:
    """The loop's time as one machine has it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.step_ms = 0
        """How far the wall clock is off."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return EPOCH_MS + int(self._loop.time() * 1000) + self.step_ms

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        return self._loop.time()
