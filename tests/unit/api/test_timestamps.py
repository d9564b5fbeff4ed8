"""Moments are shown to the millisecond, in UTC."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from netvalve.api.answers.timestamps import timestamp


@given(st.integers(-1_000_000_000_000, 4_102_444_800_000))
@example(1_731_069_538_140)
@example(1_731_069_540_000)
@example(0)
def test_timestamp_is_that_of_iso_8601(at_ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    assert timestamp(at_ms) == moment.isoformat(timespec="milliseconds")
