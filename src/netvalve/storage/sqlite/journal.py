"""The journal on SQLite: openings and closings, each an item of the writer's next batch."""

import sqlite3
from collections.abc import Callable
from functools import partial

from netvalve.domain.journal import Closing, Opening, OpeningRefusal
from netvalve.storage.owner import Owner
from netvalve.storage.sqlite.closing import write_closing
from netvalve.storage.sqlite.opening import write_opening
from netvalve.storage.sqlite.writer import Writer


class SqliteJournal:
    """The narrow write side. A call returns when its change is durable, and not before."""

    def __init__(self, writer: Writer, owner: Owner) -> None:
        self._writer = writer
        self._owner = owner

    async def open(
        self, opening: Opening, wanted: Callable[[], bool] = lambda: True
    ) -> OpeningRefusal | None:
        """Write an opening whole, or refuse it alone and write nothing.

        `wanted` is asked at the moment of writing, however long that was waited for.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost.
        """
        write = partial(_opened, opening=opening, owner=self._owner, wanted=wanted)
        return await self._writer.write(write)

    async def close(self, closing: Closing) -> bool:
        """Write a closing whole. False: the transaction was not pending, or no longer ours.

        Raises:
            StoreUnavailable: nothing was written; closing again is safe.
            StoreUncertain: the commit's answer was lost; closing again is safe.
        """
        return await self._writer.write(partial(write_closing, closing=closing, owner=self._owner))


def _opened(
    connection: sqlite3.Connection,
    *,
    opening: Opening,
    owner: Owner,
    wanted: Callable[[], bool],
) -> OpeningRefusal | None:
    return write_opening(connection, opening, owner) if wanted() else OpeningRefusal.WITHDRAWN
