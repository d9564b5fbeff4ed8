"""Spans make up every range once, and a page lies where the counts say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.storage import spans
from netvalve.storage.spans import (
    EVER_H,
    HOUR_MS,
    Spans,
    Stretch,
    covering,
    needed,
    parts_of,
    stretches,
    too_wide,
    window_of,
)

hours = st.integers(0, 5_000)


@given(hours, hours)
def test_spans_make_up_a_range_of_hours_without_gap_or_overlap(first: int, length: int) -> None:
    made_up = [
        hour
        for each in covering(first, first + length)
        for hour in range(each.first * each.span_h, each.end * each.span_h)
    ]
    assert sorted(made_up) == list(range(first, first + length))


@given(hours, hours)
def test_no_more_than_five_spans_are_asked_for(first: int, length: int) -> None:
    assert len(list(covering(first, first + length))) <= 5
    assert list(covering(0, EVER_H)) == [Spans(768, 0, EVER_H // 768)]


def test_a_change_is_added_to_the_span_that_its_hour_is_in() -> None:
    asked = [Spans(1, 48, 50), Spans(24, 1, 2)]
    found = stretches(asked, [(1, 48, 5), (24, 1, 7)], [(49, 1), (30, -2), (48, -5)])
    assert [(each.first_ms // HOUR_MS, each.rows, each.span_h) for each in found] == [
        (49, 1, 1),
        (24, 5, 24),
    ]
    with pytest.raises(ValueError, match="in no span"):
        stretches(asked, [], [(3, 1)])


def days(*rows: int) -> list[Stretch]:
    """Days of so many rows, newest first."""
    day_ms = 24 * HOUR_MS
    return [
        Stretch((100 - n) * day_ms, (101 - n) * day_ms, each, 24) for n, each in enumerate(rows)
    ]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(0, 200))
def test_a_window_holds_its_page_and_nothing_before_the_first_span_of_it(
    rows: list[int], offset: int
) -> None:
    newest_first = days(*rows)
    window = window_of(newest_first, offset, 20)
    if offset >= sum(rows):
        assert window is None
        return
    assert window is not None
    inside = [
        each
        for each in newest_first
        if window.first_ms <= each.first_ms and each.end_ms <= window.end_ms
    ]
    newer = sum(each.rows for each in newest_first if each.first_ms >= window.end_ms)
    assert newer + window.newer == offset
    assert window.newer < inside[0].rows
    assert sum(each.rows for each in inside) >= min(window.newer + 20, sum(rows) - newer)


def test_what_holds_many_rows_is_looked_at_in_shorter_spans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spans, "CLOSE", 50)
    newest_first = days(10, 51, 50)
    assert too_wide(needed(newest_first, 0, 5)) is None
    wide = too_wide(needed(newest_first, 5, 20))
    assert wide is newest_first[1]
    assert parts_of(wide) == Spans(1, 99 * 24, 100 * 24)
    hour = Stretch(0, HOUR_MS, 1_000, 1)
    part_of_an_hour = Stretch(0, 7, 1_000)
    assert too_wide([hour, part_of_an_hour]) is None
