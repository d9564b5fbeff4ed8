"""Which items of a batch go into one statement, and which wait for what becomes of others."""

from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")


class Names(Protocol[Item_contra]):
    """What items have in common with others."""

    def alone(self, item: Item_contra) -> Hashable | None:
        """What only one item of a statement may bring along: it sees one moment only."""

    def rivalry(self, item: Item_contra) -> Hashable | None:
        """What only one of several can get: a statement decides between them by their places."""


def next_round(
    items: Sequence[Item], waiting: Sequence[int], names: Names[Item]
) -> tuple[list[int], list[tuple[int, int | None]]]:
    """The places of those whose turn it is, and of those who wait on.

    Each of these with the one, if any, that brings the same along in this round. Who has anything
    in common with one that waits on does not go before it.
    """
    chosen: list[int] = []
    left: list[tuple[int, int | None]] = []
    leaders: dict[Hashable, int] = {}
    late: set[Hashable | None] = set()
    for place in waiting:
        alone, rivalry = names.alone(items[place]), names.rivalry(items[place])
        leader = leaders.get(alone)
        if leader is not None or not late.isdisjoint((alone, rivalry)):
            left.append((place, leader))
            late |= {alone, rivalry} - {None}
            continue
        chosen.append(place)
        if alone is not None:
            leaders[alone] = place
    return chosen, left


def groups_of_rivals(items: Sequence[Item], names: Names[Item]) -> list[list[int]]:
    """Their places, those together who want the same."""
    groups: dict[Hashable, list[int]] = {}
    for place, item in enumerate(items):
        rivalry = names.rivalry(item)
        groups.setdefault(place if rivalry is None else rivalry, []).append(place)
    return list(groups.values())
