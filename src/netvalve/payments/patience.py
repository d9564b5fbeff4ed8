"""Patience with a store that is away: what must be written or known is tried until it is."""

import asyncio
from collections.abc import AsyncIterator

from structlog.typing import FilteringBoundLogger

from netvalve.domain.journal import Closing, StoreUnavailable, StoreUncertain
from netvalve.payments.ports import Journal, Records, TransactionOnOrder

_PAUSE_FIRST_S = 0.05
_PAUSE_MAX_S = 1.0


class PatientStore:
    """Closing writes and look-ups that do not give up. Closing again is safe."""

    def __init__(self, journal: Journal, records: Records, log: FilteringBoundLogger) -> None:
        self._journal, self._records, self._log = journal, records, log

    async def close(self, closing: Closing) -> bool:
        """Write the closing. False: the transaction was not pending, or no longer ours."""
        async for tries in pauses():
            try:
                return await self._journal.close(closing)
            except (StoreUnavailable, StoreUncertain) as broken:
                self._tell_once(tries, "closing_write_waits", closing.transaction_id, broken)
        return False

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionOnOrder | None:
        """The transaction as it is stored."""
        async for tries in pauses():
            try:
                return await self._records.transaction(client_id, transaction_id)
            except StoreUnavailable as broken:
                self._tell_once(tries, "look_up_waits", transaction_id, broken)
        return None

    def _tell_once(self, tries: int, event: str, transaction_id: int, broken: Exception) -> None:
        if tries == 0:
            self._log.warning(event, transaction_id=transaction_id, reason=str(broken))


async def pauses() -> AsyncIterator[int]:
    """The number of every try, each after a longer pause than the one before; without end."""
    tries, pause_s = 0, _PAUSE_FIRST_S
    while True:
        yield tries
        await asyncio.sleep(pause_s)
        tries, pause_s = tries + 1, min(pause_s * 2, _PAUSE_MAX_S)
