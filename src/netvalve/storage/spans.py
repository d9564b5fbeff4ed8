"""Time in spans of hours, and where in it a page of a newest-first list lies. Pure.

Rows are counted by the hour, by the day and by 32 days. Whatever range is asked for, a few dozen
counts add up to it; and they say between which moments the rows of a page lie, so that nothing in
front of it is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

HOUR_MS: Final = 3_600_000
SPANS_H: Final = (768, 24, 1)
"""Each is a whole number of the next."""
EVER_H: Final = 768 * 2**21
EVER_MS: Final = EVER_H * HOUR_MS
"""After everything."""
CLOSE: Final = 2_000
"""Rows that are rather stepped over than counted in shorter spans."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Whole spans of one length, by their numbers."""

    span_h: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows in a time, its end left out; `span_h` is 0 for one that is not made of whole hours."""

    first_ms: int
    end_ms: int
    rows: int
    span_h: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of a page: between two moments, after those that are newer."""

    first_ms: int
    end_ms: int
    newer: int


def covering(first: int, end: int) -> Iterator[Spans]:
    """The fewest whole spans that make up the hours from `first` to before `end`, newest first."""
    yield from _covering(first, end, SPANS_H)


def _covering(first: int, end: int, spans_h: Sequence[int]) -> Iterator[Spans]:
    span_h, *shorter = spans_h
    whole, whole_end = -(-first // span_h), end // span_h
    if whole >= whole_end:
        if shorter and first < end:
            yield from _covering(first, end, shorter)
        return
    if shorter:
        yield from _covering(whole_end * span_h, end, shorter)
    yield Spans(span_h, whole, whole_end)
    if shorter:
        yield from _covering(first, whole * span_h, shorter)


def stretches(
    spans: Sequence[Spans], counts: Iterable[tuple[int, int, int]], hours: Iterable[tuple[int, int]]
) -> list[Stretch]:
    """Counts (length, number, rows) and later changes (hour, rows) as stretches, newest first."""
    rows: dict[tuple[int, int], int] = {}
    for span_h, number, counted in counts:
        rows[span_h, number] = rows.get((span_h, number), 0) + counted
    for hour, changed in hours:
        key = _span_of(hour, spans)
        rows[key] = rows.get(key, 0) + changed
    found = [
        Stretch(number * span_h * HOUR_MS, (number + 1) * span_h * HOUR_MS, counted, span_h)
        for (span_h, number), counted in rows.items()
        if counted
    ]
    return sorted(found, key=lambda each: each.first_ms, reverse=True)


def _span_of(hour: int, spans: Sequence[Spans]) -> tuple[int, int]:
    for each in spans:
        number = hour // each.span_h
        if each.first <= number < each.end:
            return each.span_h, number
    raise ValueError(f"hour {hour} is in no span")


def needed(newest_first: Sequence[Stretch], offset: int, size: int) -> list[Stretch]:
    """The stretches that hold rows of the page."""
    found, seen = [], 0
    for each in newest_first:
        if seen + each.rows > offset and seen < offset + size:
            found.append(each)
        seen += each.rows
    return found


def too_wide(stretches_needed: Sequence[Stretch]) -> Stretch | None:
    """One of many rows that shorter spans can tell apart."""
    for each in stretches_needed:
        if each.span_h > 1 and each.rows > CLOSE:
            return each
    return None


def parts_of(stretch: Stretch) -> Spans:
    """The next shorter spans of a stretch."""
    span_h = SPANS_H[SPANS_H.index(stretch.span_h) + 1]
    return Spans(
        span_h, stretch.first_ms // (span_h * HOUR_MS), stretch.end_ms // (span_h * HOUR_MS)
    )


def window_of(newest_first: Sequence[Stretch], offset: int, size: int) -> Window | None:
    """Where the rows of the page lie; None where it has none."""
    holding = needed(newest_first, offset, size)
    if not holding:
        return None
    first_ms, end_ms = holding[-1].first_ms, holding[0].end_ms
    newer = sum(each.rows for each in newest_first if each.first_ms >= end_ms)
    return Window(first_ms, end_ms, offset - newer)
