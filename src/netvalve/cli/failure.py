"""Failures a person can mend: told in one line that says what to do, never as a traceback."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError


class Failure(Exception):
    """Ends the command with status 1 and this line on standard error."""


def failure_of(error: Exception) -> Failure | None:
    """The line for an error that is a person's to mend; None for a bug, whose trace is wanted."""
    match error:
        case Failure():
            return error
        case OSError():
            return _of_operating_system(error)
        case _ if isinstance(error, _known()):
            return Failure(str(error))
        case sqlite3.DatabaseError():
            return Failure(f"the database refuses: {error}; `netvalve migrate` may be due")
        case _ if isinstance(error, _database_error()):
            return _of_database(error)
        case _:
            return None


def _database_error() -> "type[DBAPIError]":
    from sqlalchemy.exc import DBAPIError

    return DBAPIError


def _of_database(error: "DBAPIError") -> Failure:
    """A server that is not there, or will not let one in; else a table that is not as it should."""
    from psycopg import OperationalError

    said = " ".join(str(error.orig).split())
    if isinstance(error.orig, OperationalError):
        return Failure(f"the database cannot be reached: {said}")
    return Failure(f"the database refuses: {said}; `netvalve migrate` may be due")


@contextmanager
def naming_ports(host: str, **ports: int) -> Iterator[None]:
    """Turns "address in use" into a line that names the ports and their settings."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        numbers = " or ".join(str(port) for port in ports.values())
        variables = " or ".join(f"NETVALVE_{name.upper()}" for name in ports)
        raise Failure(
            f"port {numbers} on {host} is in use; stop what listens there or set {variables} "
            "to another port (0 takes a free one)"
        ) from None


def _known() -> tuple[type[Exception], ...]:
    """Errors of the floors below whose message says what to do."""
    from netvalve.banks.testbank.book import BookInUse
    from netvalve.bootstrap import StoreBroke
    from netvalve.storage.account_rules import AdministrationError
    from netvalve.storage.engine import DatabaseUrlError
    from netvalve.storage.key_ring import KeyRingError
    from netvalve.storage.migrate import StoreNotReady
    from netvalve.storage.sqlite.lock import StoreInUse

    return (
        AdministrationError,
        BookInUse,
        DatabaseUrlError,
        KeyRingError,
        StoreBroke,
        StoreInUse,
        StoreNotReady,
    )


def _of_operating_system(error: OSError) -> Failure:
    """A folder that cannot be written, a port that is taken, a file that is missing."""
    reason = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        return Failure(f"{reason}; stop what listens there or choose another port")
    return Failure(f"{error.filename}: {reason}" if error.filename else reason)
