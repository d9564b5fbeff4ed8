"""Which items of a batch go together: those that need not see what becomes of one another."""

from collections.abc import Sequence
from dataclasses import dataclass

from netvalve.storage.postgres.rounds import groups_of_rivals, next_round


@dataclass(frozen=True)
class Item:
    key: str | None = None
    order: str | None = None


class ByKeyAndOrder:
    def alone(self, item: Item) -> str | None:
        return item.key

    def rivalry(self, item: Item) -> tuple[str, str] | None:
        return None if item.order is None else ("order", item.order)


def rounded(*items: Item) -> tuple[list[int], list[tuple[int, int | None]]]:
    return next_round(items, range(len(items)), ByKeyAndOrder())


def test_rivals_are_judged_in_one_round() -> None:
    assert rounded(Item(order="A"), Item(order="A"), Item()) == ([0, 1, 2], [])


def test_of_one_key_the_first_goes_and_leads_the_others() -> None:
    assert rounded(Item("K"), Item("L"), Item("K"), Item("K")) == ([0, 1], [(2, 0), (3, 0)])


def test_nobody_goes_before_a_rival_that_waits() -> None:
    items = Item("K"), Item("K", "A"), Item(order="A"), Item(order="B")
    assert rounded(*items) == ([0, 3], [(1, 0), (2, None)])


def test_nobody_goes_before_one_of_his_key_that_waits() -> None:
    items = Item("K"), Item("K", "A"), Item("L", "A"), Item("L", "B")
    assert rounded(*items) == ([0], [(1, 0), (2, None), (3, None)])


def test_every_item_has_its_turn_in_the_end() -> None:
    items = [Item(key, order) for key in ("K", "L", None) for order in ("A", None)] * 3
    waiting: Sequence[int] = range(len(items))
    turns: list[int] = []
    while waiting:
        chosen, left = next_round(items, waiting, ByKeyAndOrder())
        turns += chosen
        waiting = [place for place, _ in left]
    assert sorted(turns) == list(range(len(items)))


def test_who_wants_the_same_stays_together_and_everybody_else_is_alone() -> None:
    items = Item(order="A"), Item(), Item(order="B"), Item(order="A"), Item()
    assert groups_of_rivals(items, ByKeyAndOrder()) == [[0, 3], [1], [2], [4]]
