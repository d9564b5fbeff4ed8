"""The guards of the statements are the lifecycle's own table."""

from netvalve.domain.lifecycle import TRANSITIONS, Event
from netvalve.storage.guards import GUARDS


def test_a_guard_allows_exactly_the_transitions_of_the_table() -> None:
    allowed = {
        (source, event, guard.target) for event, guard in GUARDS.items() for source in guard.sources
    }
    table = {(state, event, target) for (state, event), target in TRANSITIONS.items() if state}
    assert allowed == table


def test_an_opening_finds_no_row() -> None:
    assert GUARDS[Event.OPENED].sources == ()
