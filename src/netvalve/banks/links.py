"""The links to all banks of the directory: made, kept up, and replaced when a bank moves."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Protocol

from netvalve.domain.bank_message import BankOutcome, BankRequest, NotSent
from netvalve.domain.client import BankProfile


class BankLink(Protocol):
    """What a bank's own class must be able to do, whatever protocol it speaks."""

    @property
    def ready(self) -> bool:
        """Whether a message could leave now."""

    async def start(self) -> None:
        """Begin to connect."""

    async def drain(self) -> None:
        """Take no new message; wait until those in flight have ended, each by its own deadline."""

    async def stop(self) -> None:
        """Resolve what is in flight and disconnect."""

    async def send(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        """Ask the bank."""


class _Ended:
    """What stands for every link once the links were stopped."""

    ready = False

    async def start(self) -> None:
        """Connects to nobody."""

    async def drain(self) -> None:
        """Has nothing in flight."""

    async def stop(self) -> None:
        """Is stopped."""

    async def send(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        """Sends nothing."""
        del request, deadline_s
        return NotSent("the links were stopped")


_ENDED = _Ended()


@dataclass(frozen=True, slots=True)
class _Linked:
    """A bank as the directory last described it, and the link to it."""

    profile: BankProfile
    link: BankLink

    def reaches(self, profile: BankProfile) -> bool:
        """Whether the link leads to where the profile says that the bank is."""
        here = self.profile
        return (here.host, here.port) == (profile.host, profile.port)


class BankLinks:
    """One link a bank.

    The directory alone, by `follow`, moves or ends one: a payment may have been planned under an
    older snapshot.
    """

    def __init__(self, make: Callable[[BankProfile], BankLink]) -> None:
        self._make = make
        self._linked: dict[int, _Linked] = {}
        self._stopped = False
        self._retiring: dict[BankLink, None] = {}
        self._background: dict[asyncio.Task[None], None] = {}

    def link(self, profile: BankProfile) -> BankLink:
        """The link to one bank, wherever the profile says that it is; made where there is none."""
        if self._stopped:
            return _ENDED
        known = self._linked.get(profile.bank_id)
        return known.link if known is not None else self._connect(profile)

    def follow(self, profiles: Iterable[BankProfile]) -> None:
        """Have links to these banks and no others: connect to who is new, leave who is gone.

        A bank that has another address gets a new link; the old one first ends what it has in
        flight. Every other change leaves the link alone.
        """
        described = {profile.bank_id: profile for profile in profiles}
        for bank_id in self._linked.keys() - described.keys():
            self._retire(self._linked.pop(bank_id).link)
        for bank_id, profile in described.items():
            known = self._linked.get(bank_id)
            if known is not None and known.reaches(profile):
                self._linked[bank_id] = _Linked(profile, known.link)
                continue
            self._connect(profile)
            if known is not None:
                self._retire(known.link)

    def readiness(self) -> dict[str, bool]:
        """Each bank's name, and whether a message could leave for it now."""
        return {each.profile.name: each.link.ready for each in self._linked.values()}

    async def stop(self) -> None:
        """End all links, those that are being replaced too, and what they have in flight."""
        self._stopped = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        links = [*(each.link for each in self._linked.values()), *self._retiring]
        await asyncio.gather(*(link.stop() for link in links))
        self._linked.clear()
        self._retiring.clear()

    def _connect(self, profile: BankProfile) -> BankLink:
        link = self._make(profile)
        self._linked[profile.bank_id] = _Linked(profile, link)
        self._soon(link.start())
        return link

    def _retire(self, link: BankLink) -> None:
        self._retiring[link] = None
        self._soon(self._drain_and_stop(link))

    async def _drain_and_stop(self, link: BankLink) -> None:
        await link.drain()
        await link.stop()
        self._retiring.pop(link, None)

    def _soon(self, act: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._background[task] = None
        task.add_done_callback(self._background.pop)
