"""Pauses between attempts double up to their limit."""

import pytest

from netvalve.banks.iso8583.backoff import FIRST_PAUSE_S, Backoff


def test_pauses_double_up_to_the_limit_and_begin_again() -> None:
    backoff = Backoff(0.3, lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == pytest.approx([0.05, 0.1, 0.2, 0.3, 0.3])
    backoff.reset()
    assert backoff.next_s() == pytest.approx(FIRST_PAUSE_S)


def test_chance_shortens_a_pause_by_half_at_most() -> None:
    assert Backoff(5, lambda: 0.0).next_s() == pytest.approx(FIRST_PAUSE_S / 2)


def test_no_pause_is_longer_than_the_limit() -> None:
    assert Backoff(0.01, lambda: 1.0).next_s() == pytest.approx(0.01)
