"""The database of a station on PostgreSQL: its server, and a line that leads to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from e2e.rounds.database_line import DatabaseLine
from postgres import PostgresServer
from stores import Databases, contents_of


class StationDatabase:
    """One database of its own on a server that may be killed, stalled and cut off."""

    def __init__(self, server: PostgresServer, url: str, line: DatabaseLine | None) -> None:
        self.server, self.url, self._line = server, url, line
        self.back_s: float | None = None
        """When it last could be used again after a harm, by the monotonic clock."""

    @property
    def name(self) -> str:
        """What the server calls it."""
        return self.url.rpartition("/")[2]

    @property
    def line(self) -> DatabaseLine:
        """Where one may break in on what gateways and database say to each other."""
        assert self._line is not None, "gateways reach it directly"
        return self._line

    @property
    def reached_at(self) -> str:
        """Its address for gateways."""
        return self.url if self._line is None else self._line.url

    async def kill(self) -> None:
        """Kill -9 of all the server's processes."""
        await asyncio.to_thread(self.server.kill)

    async def serve(self) -> None:
        """Start the server again; returns when it lets somebody in."""
        await asyncio.to_thread(self.server.serve)
        self.is_back()

    def is_back(self) -> None:
        """It can be used again from now on."""
        self.back_s = time.monotonic()

    def keep_evidence(self, folder: Path) -> None:
        """Write down what its tables hold, and what the server has said."""
        folder.mkdir(parents=True, exist_ok=True)
        for table, rows in contents_of(self.url).items():
            (folder / table).write_bytes(rows)
        (folder / "server.log").write_bytes(self.server.log.read_bytes())


@asynccontextmanager
async def station_database(
    databases: Databases, *, by_line: bool
) -> AsyncIterator[StationDatabase]:
    """A fresh database; gone at the end."""
    url = await asyncio.to_thread(databases.fresh)
    try:
        if by_line:
            async with DatabaseLine(url) as line:
                yield StationDatabase(databases.server, url, line)
        else:
            yield StationDatabase(databases.server, url, None)
    finally:
        await asyncio.to_thread(databases.drop, url)
