"""Requests counted by client, beside SQLite: in the memory of the one process that has the file.

They are worth nothing after their second, and a write for them would wait for the disk.
"""

from collections.abc import Callable

from netvalve.domain.allowance import CountedSecond


class SqliteAllowances:
    """The present second of each client that has a limit, by the process's own time."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._counts: dict[int, tuple[int, int]] = {}
        """The last second that was counted, and how much in it."""

    async def count(self, client_id: int, more: int) -> CountedSecond:
        """Count more requests of a client in the present second."""
        second, gone_ms = divmod(self._now_ms(), 1000)
        counted, before = self._counts.get(client_id, (second, 0))
        count = before + more if counted == second else more
        self._counts[client_id] = second, count
        return CountedSecond(count, (1000 - gone_ms) / 1000)
