"""The journal on PostgreSQL: openings and closings, each kind with a writer of its own."""

from collections.abc import Callable

from netvalve.domain.journal import Closing, Opening, OpeningRefusal
from netvalve.storage.postgres.batch_writer import BatchWriter
from netvalve.storage.postgres.opening import WantedOpening


class PostgresJournal:
    """The narrow write side. A call returns when its change is durable, and not before."""

    def __init__(
        self,
        openings: BatchWriter[WantedOpening, OpeningRefusal | None],
        closings: BatchWriter[Closing, bool],
    ) -> None:
        self._openings, self._closings = openings, closings

    async def open(
        self, opening: Opening, wanted: Callable[[], bool] = lambda: True
    ) -> OpeningRefusal | None:
        """Write an opening whole, or refuse it alone and write nothing.

        `wanted` is asked at the moment of writing, however long that was waited for.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost.
        """
        return await self._openings.write(WantedOpening(opening, wanted))

    async def close(self, closing: Closing) -> bool:
        """Write a closing whole. False: the transaction was not pending, or no longer ours.

        Raises:
            StoreUnavailable: nothing was written; closing again is safe.
            StoreUncertain: the commit's answer was lost; closing again is safe.
        """
        return await self._closings.write(closing)

    async def stop(self) -> None:
        """Write what waits and close the connections."""
        await self._openings.stop()
        await self._closings.stop()
