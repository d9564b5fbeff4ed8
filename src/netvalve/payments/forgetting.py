"""Forgetting: idempotency keys that have ended are removed, a few at a time, for ever."""

import asyncio
from typing import Final

from structlog.typing import FilteringBoundLogger

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.ports import Keys

AT_ONCE: Final = 200
"""Removed in one write: it shares its commit with payments, which must not wait for it."""
PAUSE_S: Final = 60.0


class Forgetting:
    """Keeps the table of keys as small as their life makes it. No answer depends on it."""

    def __init__(
        self,
        keys: Keys,
        idempotency: Idempotency,
        log: FilteringBoundLogger,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._keys, self._idempotency, self._log = keys, idempotency, log
        self._pause_s = pause_s

    async def run(self) -> None:
        """Until cancelled. Whatever it failed by is tried again after the pause."""
        while True:
            try:
                await self.forget()
            except (StoreUnavailable, StoreUncertain) as broken:
                self._log.warning("forgetting_waits", reason=str(broken))
            except Exception as error:  # noqa: BLE001  # nobody else would ever forget
                self._log.error("forgetting_waits", error=type(error).__name__)
            await asyncio.sleep(self._pause_s)

    async def forget(self) -> None:
        """Remove everything that has ended by now."""
        while await self._keys.forget(self._idempotency.since_ms, AT_ONCE) == AT_ONCE:
            pass
