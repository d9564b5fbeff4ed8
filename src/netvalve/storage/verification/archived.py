"""What is not here because its month was archived, and breaks no rule by that.

Months leave the oldest first, so that one number parts what has left from what is here. Where
nothing was archived it is 0, and every rule holds of everything.
"""

from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from netvalve.storage.months import NUMBERS_A_MONTH
from netvalve.storage.schema import archived_months

HORIZON: Final = func.coalesce(
    select((func.max(archived_months.c.month) + 1) * NUMBERS_A_MONTH).scalar_subquery(), 0
)
"""All numbers below are of archived months."""


def is_here(number: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the month of an order's or a transaction's number has not left."""
    return number >= HORIZON


def is_leaving(connection: Connection) -> bool:
    """Whether a month is on its way out: its rows are gone before they are not counted any more."""
    under_way = select(archived_months.c.month).where(archived_months.c.detached_at_ms == 0)
    return connection.execute(under_way.limit(1)).first() is not None
