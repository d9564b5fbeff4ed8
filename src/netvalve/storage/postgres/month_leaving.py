"""The steps by which a month leaves its tables, each of which may be done again."""

from typing import Final

from sqlalchemy import Connection, Engine, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from netvalve.storage.groups import GROUP, ORDERS, TRANSACTIONS, Listing
from netvalve.storage.months import first_number, month_after, month_of_number
from netvalve.storage.postgres.month_standing import in_flight
from netvalve.storage.postgres.partitions import BY_MONTH, exists, part, part_of, server_now_ms
from netvalve.storage.schema import (
    archived_months,
    follow_ups,
    followed_orders,
    forwards,
    tally_changes,
)
from netvalve.storage.spans import HOUR_MS

_ORDERS, _TRANSACTIONS, _EVENTS = BY_MONTH
_UNDER_WAY: Final = 0
"""In place of a time: the month is on its way out."""
_AT_ONCE: Final = 500
_WAIT_A_LITTLE: Final = text("SET lock_timeout = '2s'")
"""Whoever writes to the same part waits as long."""
_WAIT: Final = text("SET lock_timeout = 0")

_REFUSE: Final = """
CREATE OR REPLACE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the month of this order is being archived'; END $$
"""
_CLOSE: Final = """
CREATE OR REPLACE TRIGGER closed_month BEFORE UPDATE ON {orders}
FOR EACH ROW WHEN (OLD.in_flight_id IS NULL AND NEW.in_flight_id IS NOT NULL)
EXECUTE FUNCTION refuse_closed_month()
"""
_BOUNDS: Final = """
SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name) AND contype = 'c'
"""
_LATER: Final = """
SELECT transaction_id FROM transactions WHERE order_id >= :first AND order_id < :end
ORDER BY transaction_id LIMIT :limit
"""
_COPY: Final = "INSERT INTO {own} SELECT * FROM {table} WHERE transaction_id = ANY (:numbers)"
_DELETE: Final = "DELETE FROM {table} WHERE transaction_id = ANY (:numbers)"
_COPY_FORWARDS: Final = """
WITH gone AS (
    DELETE FROM forwards WHERE transaction_id >= :first AND transaction_id < :end RETURNING *
)
INSERT INTO {own} SELECT * FROM gone
"""
_UNFOLLOW: Final = "DELETE FROM {table} WHERE order_id >= :first AND order_id < :end"
_UNCOUNT: Final = """
INSERT INTO tally_changes (client_id, listing, hour, {group}, rows)
SELECT client_id, '{mark}', {at_ms} / {hour_ms}, {group}, -count(*) FROM {own}
WHERE {number} >= :first AND {number} < :end
GROUP BY client_id, {at_ms} / {hour_ms}, {group}
"""


def close(connection: Connection, month: int) -> str | None:
    """Let nothing new begin on the month's orders; why not, if something just has begun.

    What is tried on them from now on fails before it is durable: it was not begun.
    """
    _mark(connection, month, _UNDER_WAY)
    orders = part(_ORDERS, month)
    connection.execute(_WAIT_A_LITTLE)
    try:
        connection.execute(text(_REFUSE))
        connection.execute(text(_CLOSE.format(orders=orders)))
        connection.execute(text(f"ALTER TABLE {orders} ENABLE TRIGGER closed_month"))
        if not any(in_flight(connection, month)):
            return None
        connection.execute(text(f"ALTER TABLE {orders} DISABLE TRIGGER closed_month"))
        refusal = "something has just begun on one of its orders"
    except OperationalError as error:
        refusal = str(error.orig).strip()
    finally:
        connection.execute(_WAIT)
    connection.execute(delete(archived_months).where(archived_months.c.month == month))
    return refusal


def detach(connection: Connection, table: str, month: int) -> None:
    """Nobody sees the rows from its first moment on; it ends when nobody reads them any more."""
    found = part_of(connection, table, month)
    if found is not None:
        how = "FINALIZE" if found.leaving else "CONCURRENTLY"
        connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {found.name} {how}"))


def take_along(engine: Engine, month: int) -> None:
    """What later months have of the month's orders goes with them: an order leaves whole."""
    with engine.begin() as connection:
        _unbound(connection, part(_TRANSACTIONS, month))
        _unbound(connection, part(_EVENTS, month))
        _make_forwards(connection, month)
    moved = True
    while moved:
        with engine.begin() as connection:
            moved = _moved_some(connection, month)


def settle(connection: Connection, month: int) -> None:
    """Its other rows go along, it is not counted any more, and counts as archived."""
    own = part(forwards.name, month)
    connection.execute(text(_COPY_FORWARDS.format(own=own)), _ends(month))
    if exists(connection, tally_changes.name):
        for listing in (ORDERS, TRANSACTIONS):
            connection.execute(text(_uncount(listing, month)), _ends(month))
        for table in (follow_ups, followed_orders):
            connection.execute(text(_UNFOLLOW.format(table=table.name)), _ends(month))
    connection.execute(text(f"DROP TRIGGER IF EXISTS closed_month ON {part(_ORDERS, month)}"))
    _mark(connection, month, server_now_ms(connection))


def _moved_some(connection: Connection, month: int) -> bool:
    """A few transactions of one later month, with all that is theirs.

    Keys of theirs end: whatever comes again under one names an order that nobody knows.
    """
    found = connection.execute(text(_LATER), {**_ends(month), "limit": _AT_ONCE}).scalars().all()
    if not found:
        return False
    later = month_of_number(found[0])
    numbers = {"numbers": [each for each in found if month_of_number(each) == later]}
    history = part(_EVENTS, later)
    connection.execute(_WAIT_A_LITTLE)
    connection.execute(text(f"ALTER TABLE {history} DISABLE TRIGGER events_keep"))
    for table in (_EVENTS, forwards.name, _TRANSACTIONS):
        copy = _COPY.format(own=part(table, month), table=table)
        connection.execute(text(copy), numbers)
        connection.execute(text(_DELETE.format(table=table)), numbers)
    connection.execute(text(_DELETE.format(table="idempotency_keys")), numbers)
    connection.execute(text(f"ALTER TABLE {history} ENABLE TRIGGER events_keep"))
    return True


def _unbound(connection: Connection, name: str) -> None:
    """A table that was a part takes rows of other months as well."""
    for constraint in connection.execute(text(_BOUNDS), {"name": name}).scalars().all():
        connection.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT {constraint}"))


def _make_forwards(connection: Connection, month: int) -> None:
    own = part(forwards.name, month)
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {own} (LIKE forwards INCLUDING ALL)"))


def _uncount(listing: Listing, month: int) -> str:
    return _UNCOUNT.format(
        group=", ".join(GROUP),
        mark=listing.mark,
        at_ms=listing.at_ms.name,
        hour_ms=HOUR_MS,
        own=part(listing.table.name, month),
        number=listing.number.name,
    )


def _ends(month: int) -> dict[str, int]:
    return {"first": first_number(month), "end": first_number(month_after(month))}


def _mark(connection: Connection, month: int, detached_at_ms: int) -> None:
    at = {"detached_at_ms": detached_at_ms}
    row = insert(archived_months).values(month=month, **at)
    connection.execute(row.on_conflict_do_update(index_elements=["month"], set_=at))
