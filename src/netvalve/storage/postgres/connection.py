"""Connections to the server, and what its errors mean for what was being written."""

import asyncio
from enum import Enum, auto
from typing import Final

import asyncpg

from netvalve.storage.engine import CONNECT_S

_SETTINGS: Final = {
    "synchronous_commit": "on",
    "jit": "off",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}
"""Whatever the server's defaults are, a commit is durable (and on the synchronous standby, where
one is required) before it is acknowledged."""

BY_NUMBER: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""For statements that find every row by its number: planned once, and never for tables that were
small or not yet counted when the plan was made."""

OF_BATCHES: Final = {**BY_NUMBER, "enable_hashjoin": "on"}
"""For the journal: each of its scans of a table is bounded by the batch's own numbers, and what it
joins are the batch's own rows, of which there may be hundreds."""

UNREACHABLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Ways in which connecting, or reading, fails."""


class Fate(Enum):
    """What became of a transaction whose statement failed."""

    MOVED_ON = auto()
    """Somebody else wrote first: all of it is rolled back, and may be judged anew."""
    LOST = auto()
    """The connection broke, or the server is going: nobody says."""
    REFUSED = auto()
    """The server would not or could not: all of it is rolled back."""
    OWN_FAULT = auto()
    """The statement's own values make no sense, says the server: all of it is rolled back."""


_MOVED_ON: Final = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_REFUSED: Final = (
    asyncpg.QueryCanceledError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalServerError,
    asyncpg.PostgresSystemError,
)
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""By the server's own word. Whatever else goes wrong with a connection says nothing either."""


def fate_of(error: BaseException) -> Fate:
    """What an error of the driver's says."""
    if isinstance(error, _MOVED_ON):
        return Fate.MOVED_ON
    if isinstance(error, _REFUSED):
        return Fate.REFUSED
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, _LOST):
        return Fate.OWN_FAULT
    return Fate.LOST


async def connect(database_url: str, purpose: str, **settings: str) -> asyncpg.Connection:
    """One connection, told apart on the server by its purpose.

    Raises one of `UNREACHABLE`.
    """
    named = {**_SETTINGS, **settings, "application_name": f"netvalve {purpose}"}
    async with asyncio.timeout(CONNECT_S):
        return await asyncpg.connect(
            database_url,
            server_settings=named,
            max_cached_statement_lifetime=0,  # what is planned once stays planned
        )


def pool_of(
    database_url: str, size: int, purpose: str, answer_s: float, **settings: str
) -> asyncpg.Pool:
    """A pool that connects when it is first used, and again after every loss."""
    return asyncpg.create_pool(
        database_url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_S,
        command_timeout=answer_s,
        reset=_as_it_is,
        server_settings={**_SETTINGS, **settings, "application_name": f"netvalve {purpose}"},
    )


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """Nothing here changes a session's state: there is nothing to set back between two uses."""
