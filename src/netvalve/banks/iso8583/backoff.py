"""Pauses between attempts: each twice the last, up to a limit, and never quite the same."""

from collections.abc import Callable
from typing import Final

FIRST_PAUSE_S: Final = 0.05


class Backoff:
    """Yields pauses in seconds; `random` gives numbers from 0 to 1 and spreads them by half."""

    def __init__(self, pause_max_s: float, random: Callable[[], float]) -> None:
        self._pause_max_s = pause_max_s
        self._random = random
        self.reset()

    def reset(self) -> None:
        """Begins again with the shortest pause: an attempt has succeeded."""
        self._pause_s = min(FIRST_PAUSE_S, self._pause_max_s)

    def next_s(self) -> float:
        """The next pause: between half of it and all of it."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, self._pause_max_s)
        return pause_s * (1 + self._random()) / 2
