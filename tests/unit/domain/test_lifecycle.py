"""The lifecycle table is whole, and everything that is made from it agrees with it."""

import pytest

from netvalve.domain.lifecycle import (
    CHANGES_NOTHING,
    TRANSITIONS,
    Event,
    IllegalTransition,
    State,
    after,
    meanings_of_status,
    order_statuses,
    public_status,
    sources_of,
)
from netvalve.domain.transaction import TransactionType


def test_every_state_is_reached_and_every_event_is_used():
    assert {*TRANSITIONS.values()} == {*State}
    assert {event for _, event in TRANSITIONS} == {*Event} - CHANGES_NOTHING


def test_a_missing_pair_is_an_error_with_both_names_in_it():
    with pytest.raises(IllegalTransition, match="DECLINED by CAPTURED"):
        after(State.DECLINED, Event.CAPTURED)


@pytest.mark.parametrize("event", sorted(CHANGES_NOTHING))
def test_what_comes_late_leaves_every_state_as_it_is_but_none_that_is_open(event):
    for state in {*State} - {State.PENDING}:
        assert after(state, event) is state
    for state in (None, State.PENDING):
        with pytest.raises(IllegalTransition):
            after(state, event)


def test_nothing_leaves_a_final_state():
    left = {state for state, _ in TRANSITIONS}
    assert {State.DECLINED, State.FAILED, State.CANCELLED, State.REFUNDED}.isdisjoint(left)


def test_only_a_pending_transaction_can_end():
    for event in (Event.APPROVED, Event.DECLINED, Event.NOT_SENT, Event.UNANSWERED):
        assert sources_of(event) == (State.PENDING,)


def test_captured_and_cancelled_exclude_each_other():
    for state, event in (
        (State.CAPTURED, Event.CANCELLED),
        (State.PARTIALLY_SETTLED, Event.CANCELLED),
        (State.CANCELLED, Event.CAPTURED),
    ):
        with pytest.raises(IllegalTransition):
            after(state, event)


@pytest.mark.parametrize(
    ("kind", "state", "shown"),
    [
        (TransactionType.AUTHORIZATION, State.APPROVED, "Authorised"),
        (TransactionType.AUTHORIZATION, State.PARTIALLY_SETTLED, "PARTIALLY_SETTLED"),
        (TransactionType.SALE, State.APPROVED, "Purchased"),
        (TransactionType.SALE, State.PARTIALLY_REFUNDED, "Partially Refunded"),
        (TransactionType.CAPTURE, State.APPROVED, "Captured"),
        (TransactionType.REBILL, State.APPROVED, "Rebilled"),
        (TransactionType.SALE, State.REVERSING, "Failed"),
        (TransactionType.SALE, State.REVERSED, "Reversed"),
    ],
)
def test_status_is_the_contracts_word(kind, state, shown):
    assert public_status(kind, state) == shown


def test_every_status_shown_can_be_searched_for():
    kinds = [kind for kind in TransactionType if kind is not TransactionType.INQUIRY]
    for kind in kinds:
        for state in State:
            meanings = meanings_of_status(public_status(kind, state).upper())
            assert (kind, state) in meanings or (None, state) in meanings
    assert meanings_of_status("settled?") == ()
    assert len(order_statuses()) == len({*order_statuses()})
