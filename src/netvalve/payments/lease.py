"""The lease: whether this gateway may open and send, known by the monotonic clock alone.

The store counts a lease from the moment it writes it; this side counts from before that write was
begun, and less. So this gateway stops before another one may take over what it has opened.
"""

import asyncio
from typing import Final

from structlog.typing import FilteringBoundLogger

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.payments.ports import Clock, LeaseAtStore

LEASE_RAN_OUT: Final = "the lease has run out"
MARGIN_MIN_S: Final = 0.5
"""Longer than a message may still wait for a line once it has been handed to its link."""
_MARGIN_SHARE: Final = 0.2
_RENEWALS: Final = 4
"""Renewals begun before the lease would run out without them: two may fail in a row."""


class Lease:
    """Keeps one gateway's lease renewed, and says whether it surely holds.

    A *term* is one unbroken holding. Who has looked at the lease once and acts on it later asks
    whether that term still holds: a lease that ran out and was renewed since is another term, for
    in between another gateway may have taken over.
    """

    def __init__(
        self, at_store: LeaseAtStore, *, lease_s: float, clock: Clock, log: FilteringBoundLogger
    ) -> None:
        self._at_store, self._clock, self._log = at_store, clock, log
        self._holds_s = lease_s - max(lease_s * _MARGIN_SHARE, MARGIN_MIN_S)
        self._pause_s = self._holds_s / _RENEWALS
        self._until_s = float("-inf")
        self._term = 0
        self._lapse: asyncio.TimerHandle | None = None

    @property
    def term(self) -> int | None:
        """The present term; None while the lease does not surely hold."""
        return self._term if self._holds() else None

    def holds(self, term: int) -> bool:
        """Whether the lease has held without a break since `term` was read."""
        return term == self.term

    async def run(self) -> None:
        """Renew for ever; a renewal that fails is tried again after the same pause."""
        while True:
            await self.renew()
            await asyncio.sleep(self._pause_s)

    async def renew(self) -> None:
        """Renew once, if the store can."""
        began_s = self._clock.monotonic_s()
        try:
            await self._at_store.renew()
        except (StoreUnavailable, StoreUncertain):
            return
        except Exception as error:  # noqa: BLE001  # a lease that nobody renews any more is the end
            self._log.error("lease_not_renewed", error=type(error).__name__)
            return
        self._extend(began_s + self._holds_s)

    async def leave(self) -> None:
        """Give the lease back: what is left may be taken over at once."""
        self._until_s = float("-inf")
        if self._lapse is not None:
            self._lapse.cancel()
        try:
            await self._at_store.end()
        except (StoreUnavailable, StoreUncertain) as error:
            self._log.warning("lease_not_given_back", reason=str(error))

    def _extend(self, until_s: float) -> None:
        if not self._holds():
            self._term += 1
            if self._term > 1:  # the first one is part of every start
                self._log.info("lease_taken", term=self._term)
        self._until_s = until_s
        self._watch()

    def _holds(self) -> bool:
        return self._clock.monotonic_s() < self._until_s

    def _watch(self) -> None:
        """Tell when it runs out, be the next renewal late or under way."""
        if self._lapse is not None:
            self._lapse.cancel()
        left_s = self._until_s - self._clock.monotonic_s()
        self._lapse = asyncio.get_running_loop().call_later(max(left_s, 0), self._ran_out)

    def _ran_out(self) -> None:
        self._log.error("lease_ran_out", term=self._term)
