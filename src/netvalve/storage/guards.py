"""The lifecycle's table as a guarded statement reads it: what an event may find and leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.domain.lifecycle import CHANGES_NOTHING, TRANSITIONS, Event, State, sources_of


@dataclass(frozen=True, slots=True)
class Guard:
    """The states an event may find, and the one it leads to from all of them."""

    sources: tuple[State, ...]
    target: State


def _guard(event: Event) -> Guard:
    targets = {target for (_, each), target in TRANSITIONS.items() if each is event}
    if len(targets) != 1:
        raise ValueError(f"one statement cannot write where {event} leads: {sorted(targets)}")
    return Guard(sources_of(event), targets.pop())


GUARDS: Final[Mapping[Event, Guard]] = MappingProxyType(
    {event: _guard(event) for event in Event if event not in CHANGES_NOTHING}
)
