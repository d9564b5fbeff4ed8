"""The months in the numbers of orders and transactions.

A number begins with the year and the month it was leased in: 2611… is of November 2026. So a
table of them can be cut by month along its primary key, on any database, and old months can be
taken out whole. The years are those from 2000 to 2099.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

NUMBERS_A_MONTH: Final = 10**11
"""38,000 a second for a month; more of them run on into the next month's, and stay in order."""
_DAY_MS: Final = 86_400_000
_FIRST_MS: Final = 946_684_800_000
_END_MS: Final = 4_102_444_800_000
"""The year 2000 and the year 2100."""


def month_of(at_ms: int) -> int:
    """Of a time in milliseconds: 2611 for November 2026, UTC."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.year % 100 * 100 + moment.month


def month_after(month: int) -> int:
    """2612 is followed by 2701."""
    return month + 1 if month % 100 < 12 else month + 89


def first_number(month: int) -> int:
    """Where a month's numbers begin."""
    return month * NUMBERS_A_MONTH


def month_of_number(number: int) -> int:
    """In which month a number was leased; 0 for one from before the numbers had months."""
    return number // NUMBERS_A_MONTH


def began_at_ms(month: int) -> int:
    """When a month began."""
    return int(datetime(2000 + month // 100, month % 100, 1, tzinfo=UTC).timestamp() * 1000)


def numbers_between(first_ms: int, end_ms: int) -> tuple[int, int]:
    """From which number, and up to which, rows of this time have theirs.

    A number may be of the day before, and of the month after where a month's own are used up.
    """
    first = first_number(month_of(first_ms - _DAY_MS)) if first_ms > _FIRST_MS + _DAY_MS else 0
    if end_ms >= _END_MS:
        return first, 2**63 - 1
    return first, first_number(month_after(month_after(month_of(max(end_ms, _FIRST_MS)))))


class MonthFloor:
    """The least number that may be given out now: a block from an earlier month is left unused."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._floor = 0
        self._until_ms = 0

    def __call__(self) -> int:
        """The first number of the present month."""
        now_ms = self._now_ms()
        if now_ms >= self._until_ms:
            month = month_of(now_ms)
            self._floor = first_number(month)
            self._until_ms = began_at_ms(month_after(month))
        return self._floor
