"""The links to all banks of the directory, each made once and kept up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Protocol

from netvalve.domain.bank_message import BankOutcome, BankRequest
from netvalve.domain.client import BankProfile


class BankLink(Protocol):
    """What a bank's own class must be able to do, whatever protocol it speaks."""

    @property
    def ready(self) -> bool:
        """Whether a message could leave now."""

    async def start(self) -> None:
        """Begin to connect."""

    async def stop(self) -> None:
        """Resolve what is in flight and disconnect."""

    async def send(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        """Ask the bank."""


class BankLinks:
    """Makes a link when a bank is first named; a bank whose profile changed gets a new one."""

    def __init__(self, make: Callable[[BankProfile], BankLink]) -> None:
        self._make = make
        self._links: dict[int, tuple[BankProfile, BankLink]] = {}
        self._background: set[asyncio.Task[None]] = set()

    def link(self, profile: BankProfile) -> BankLink:
        """The link to one bank."""
        known = self._links.get(profile.bank_id)
        if known is not None and known[0] == profile:
            return known[1]
        link = self._make(profile)
        self._links[profile.bank_id] = profile, link
        self._soon(link.start)
        if known is not None:
            self._soon(known[1].stop)
        return link

    def start(self, profiles: Iterable[BankProfile]) -> None:
        """Begin to connect to all of these."""
        for profile in profiles:
            self.link(profile)

    def readiness(self) -> dict[str, bool]:
        """Each bank's name, and whether a message could leave for it now."""
        return {profile.name: link.ready for profile, link in self._links.values()}

    async def stop(self) -> None:
        """End all links."""
        await asyncio.gather(*self._background)
        await asyncio.gather(*(link.stop() for _, link in self._links.values()))
        self._links.clear()

    def _soon(self, act: Callable[[], Coroutine[None, None, None]]) -> None:
        task = asyncio.get_running_loop().create_task(act())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
