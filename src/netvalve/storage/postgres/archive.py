"""Archiving a month: its parts are detached, and stay as tables of their own to be kept elsewhere.

Payments go on meanwhile. What broke in the middle goes on where it stood when it is asked for
again. What makes an order or a key unique for ever does not lie in these tables, and stays.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, select, text

from netvalve.storage.engine import engine_of
from netvalve.storage.months import month_of
from netvalve.storage.postgres import month_leaving
from netvalve.storage.postgres.month_standing import StillOpen, follows_another, still_open
from netvalve.storage.postgres.partitions import BY_MONTH, exists, part, part_of, server_now_ms
from netvalve.storage.schema import archived_months, forwards

_ONE_AT_A_TIME: Final = text("SELECT pg_try_advisory_lock(hashtext('netvalve archive'))")
_ENDS_BY_ITSELF: Final = {
    "pending": "transactions without an outcome",
    "stored": "messages that are not done",
    "keyed": "Idempotency-Keys that are still known",
    "held": "authorizations on hold",
}


class Right(StrEnum):
    """What a merchant could still ask for of an old month, and cannot once it is gone."""

    CAPTURES = "captures"
    REFUNDS = "refunds"
    REBILLS = "rebills"


_GIVEN_UP: Final = {
    Right.CAPTURES: ("capturable", "authorizations that their bank cannot cancel"),
    Right.REFUNDS: ("refundable", "orders with money that could be refunded"),
    Right.REBILLS: ("rebilled", "transactions that later rebills name"),
}


class MonthStays(Exception):
    """A month cannot be archived now, or at all."""


def archive(
    database_url: str, month: int, *, give_up: Collection[Right] = (), now_ms: int | None = None
) -> tuple[str, ...]:
    """Take a month out, the oldest first; the tables it has become. Once more changes nothing.

    Raises:
        MonthStays: why it cannot be, with counts.
    """
    with engine_of(database_url) as engine, _alone(engine) as connection:
        _require_past(connection, month, now_ms)
        if not _is_out(connection, month):
            _require_ended(still_open(connection, month), month, give_up)
            _require_oldest(connection, month)
            if refusal := month_leaving.close(connection, month):
                raise MonthStays(f"{month:04d} could not be closed, try again: {refusal}")
        for table in BY_MONTH:
            month_leaving.detach(connection, table, month)
        if not archived(connection).get(month):
            month_leaving.take_along(engine, month)
            with engine.begin() as ending:
                month_leaving.settle(ending, month)
    return tuple(part(table, month) for table in (*BY_MONTH, forwards.name))


def archived(connection: Connection) -> dict[int, int]:
    """When each month was archived, in milliseconds; 0 for one that is on its way."""
    rows = connection.execute(select(archived_months).order_by(archived_months.c.month))
    return {row.month: row.detached_at_ms for row in rows}


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection each of whose statements commits by itself; nobody else archives meanwhile."""
    with engine.connect() as opened:
        connection = opened.execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(_ONE_AT_A_TIME).scalar_one():  # ends with the connection
            raise MonthStays("another archiving is under way")
        yield connection


def _require_past(connection: Connection, month: int, now_ms: int | None) -> None:
    present = month_of(server_now_ms(connection) if now_ms is None else now_ms)
    if month >= present:
        raise MonthStays(f"{month:04d} is not over: this is {present:04d}")


def _is_out(connection: Connection, month: int) -> bool:
    """Whether its orders are, or are on their way: from there only forward."""
    orders = part_of(connection, BY_MONTH[0], month)
    if orders is not None:
        return orders.leaving
    if exists(connection, part(BY_MONTH[0], month)):
        return True
    if month in archived(connection):
        raise MonthStays(f"{month:04d} is archived, and its tables are gone from here")
    raise MonthStays(f"there is no month {month:04d}; see `netvalve month list`")


def _require_ended(found: StillOpen, month: int, give_up: Collection[Right]) -> None:
    waiting = [_counted(found, *each) for each in _ENDS_BY_ITSELF.items() if _has(found, each[0])]
    if waiting:
        raise MonthStays(f"{month:04d} has not come to its end: {', '.join(waiting)}")
    wanted = {
        right: _counted(found, *what)
        for right, what in _GIVEN_UP.items()
        if right not in give_up and _has(found, what[0])
    }
    if wanted:
        options = " ".join(f"--give-up-{right}" for right in wanted)
        raise MonthStays(
            f"{month:04d} has {', '.join(wanted.values())}; given up for ever with {options}"
        )


def _require_oldest(connection: Connection, month: int) -> None:
    if follows_another(connection, month):
        raise MonthStays(f"archive the months before {month:04d} first: their orders go on into it")


def _has(found: StillOpen, name: str) -> bool:
    return bool(getattr(found, name))


def _counted(found: StillOpen, name: str, what: str) -> str:
    return f"{getattr(found, name)} {what}"
