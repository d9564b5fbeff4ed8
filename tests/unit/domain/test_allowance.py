"""Portions of an allowance: large enough to be fetched seldom, and never above the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.domain.allowance import granted, portion

LIMITS = st.integers(1, 10_000)


@pytest.mark.parametrize(
    ("limit", "waiting", "size"),
    [(1, 0, 1), (5, 1, 1), (1000, 1, 50), (1000, 80, 80), (1000, 5000, 1000), (3, 5, 3)],
)
def test_a_portion_is_a_share_or_all_that_wait_and_at_most_the_limit(
    limit: int, waiting: int, size: int
) -> None:
    assert portion(limit, waiting) == size


@given(limit=LIMITS, wanted=st.lists(st.integers(1, 3_000), min_size=1, max_size=60))
def test_what_is_granted_of_a_second_is_the_limit_or_all_that_was_wanted(
    limit: int, wanted: list[int]
) -> None:
    counted = total = 0
    for each in wanted:
        counted += each
        total += granted(limit, each, counted)
    assert total == min(limit, sum(wanted))


@given(limit=LIMITS, lower=LIMITS, counted=st.integers(0, 10_000), wanted=st.integers(1, 100))
def test_a_limit_that_was_lowered_grants_nothing_above_itself(
    limit: int, lower: int, counted: int, wanted: int
) -> None:
    before = granted(limit, counted, counted)
    after = granted(lower, wanted, counted + wanted)
    assert after == 0 or before + after <= max(lower, before)
