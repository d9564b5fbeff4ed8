"""The configuration as it is now: looked at often, read again only when its version has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from netvalve.domain.directory import Directory

FRESH_S: Final = 5.0
"""A snapshot that nobody has looked after for longer may be wrong: ten looks have failed."""

Newest = Callable[[Directory], Awaitable[Directory]]
"""The snapshot that is known, or a newer one where the version has moved on."""

_log: Final = logging.getLogger(__name__)


class FollowedConfiguration:
    """The newest snapshot of the directory, looked after every `poll_s` seconds."""

    def __init__(self, directory: Directory, newest: Newest, poll_s: float) -> None:
        self._directory = directory
        self._newest = newest
        self._poll_s = poll_s
        self._loop = asyncio.get_running_loop()
        self._looked_at_s = self._loop.time()
        self._following = self._loop.create_task(self._follow(), name="configuration")

    @property
    def directory(self) -> Directory:
        """The newest snapshot."""
        return self._directory

    @property
    def fresh(self) -> bool:
        """Whether changes are being noticed: the store was looked at in the last five seconds."""
        return self._loop.time() - self._looked_at_s < FRESH_S

    async def stop(self) -> None:
        """Follow no longer."""
        self._following.cancel()
        await asyncio.wait([self._following])

    async def _follow(self) -> None:
        """Whatever a look fails by, the next one comes; a row of failures is logged once."""
        failing = False
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                self._directory = await self._newest(self._directory)
            except Exception:  # noqa: BLE001  # the next look may succeed, whatever this one met
                if not failing:
                    _log.exception("the configuration cannot be read; the last snapshot stays")
                failing = True
            else:
                self._looked_at_s = self._loop.time()
                failing = False
