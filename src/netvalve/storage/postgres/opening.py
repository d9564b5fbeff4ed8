"""Openings on PostgreSQL: a batch of durable intents, or the reason why there is none, each.

One statement locks, judges and writes. What it finds taken it refuses by itself; what is taken
by another gateway between its first look and its writing breaks a unique key: all of it is then
rolled back, and judged anew.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from netvalve.domain.journal import Opening, OpeningRefusal
from netvalve.storage.mapping import key_row, order_row, sealed_card_row, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.opening_text import (
    CARD,
    CLAIM,
    GRANTED,
    GUARDED,
    IN_FLIGHT,
    KEY,
    KEY_IS_USED,
    NO_KIND,
    NUMBER_IS_USED,
    ORDER,
    TRANSACTION,
    Kind,
    opening_text,
)
from netvalve.storage.postgres.rows import Row, bounds, document, row_of

_MEANINGS: Final = {
    GRANTED: None,
    KEY_IS_USED: OpeningRefusal.DUPLICATE_KEY,
    NUMBER_IS_USED: OpeningRefusal.DUPLICATE_CLIENT_ORDER,
    IN_FLIGHT: OpeningRefusal.IN_FLIGHT,
    GUARDED: OpeningRefusal.GUARD,
}


@dataclass(frozen=True, slots=True)
class WantedOpening:
    """An opening, and whether it is to be written when its turn comes."""

    opening: Opening
    wanted: Callable[[], bool]


class Openings:
    """The statement of a batch of openings."""

    writer = "opening"

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def alone(self, item: WantedOpening) -> Hashable | None:
        """Its key."""
        keyed = item.opening.keyed
        return None if keyed is None else (keyed.client_id, keyed.key)

    def rivalry(self, item: WantedOpening) -> Hashable | None:
        """The order it claims, or its new order's number."""
        return _rivalry(item.opening)

    def withdrawn(self, item: WantedOpening) -> OpeningRefusal | None:
        """Asked at the moment of writing."""
        return None if item.wanted() else OpeningRefusal.WITHDRAWN

    def call(self, items: Sequence[WantedOpening]) -> tuple[str, list[Any]]:
        """The items, then between which numbers the claimed orders lie."""
        openings = [item.opening for item in items]
        firsts = _firsts(openings)
        rows = map(self._row, count(), openings, firsts)
        claimed = [each.claim.order_id for each in openings if each.claim is not None]
        text = opening_text(_kinds(openings, firsts))
        return text, [document(rows), *(bounds(claimed) if claimed else ())]

    def result(self, item: WantedOpening, verdict: str) -> OpeningRefusal | None:
        """Why it was not written, if it was not."""
        del item
        return _MEANINGS[verdict]

    def looks_again(self, item: WantedOpening, verdict: str) -> bool:
        """Its key was looked at before its order's lock was waited for, and may be used since."""
        return item.opening.keyed is not None and verdict in {IN_FLIGHT, GUARDED}

    def follows(
        self, item: WantedOpening, leader: WantedOpening, result: OpeningRefusal | None
    ) -> OpeningRefusal | None:
        """A used key is used; a number that is taken or an order in flight is so for both."""
        if result in {None, OpeningRefusal.DUPLICATE_KEY}:
            return OpeningRefusal.DUPLICATE_KEY
        lasts = result is not OpeningRefusal.GUARD
        return result if lasts and self.rivalry(item) == self.rivalry(leader) else None

    def _row(self, n: int, opening: Opening, first: int) -> Row:
        owner = self._owner
        transaction = transaction_row(
            opening.transaction, mti=opening.mti, node=owner.node, owner_epoch=owner.epoch
        )
        return {
            "n": n,
            "detail": opening.detail,
            "rival": first,
            "beaten": int(NUMBER_IS_USED if opening.claim is None else IN_FLIGHT),
            **row_of(TRANSACTION, transaction),
            **_order(opening),
            **_claim(opening),
            **_key(opening),
        }


def _order(opening: Opening) -> Row:
    if (new := opening.new_order) is None:
        return {}
    card, number = new.sealed_card, opening.transaction.transaction_id
    order = order_row(new.order, card_id=card.card_id, in_flight_id=number)
    return {**row_of(ORDER, order), **row_of(CARD, sealed_card_row(card))}


def _claim(opening: Opening) -> Row:
    if (claim := opening.claim) is None:
        return {}
    states = " ".join(claim.states)
    minor = claim.capture_minor, claim.refund_minor
    return row_of(CLAIM, (claim.order_id, claim.client_id, *minor, states))


def _key(opening: Opening) -> Row:
    if (keyed := opening.keyed) is None:
        return {}
    key = key_row(keyed, opening.transaction.transaction_id)
    return row_of(KEY, (*key, opening.keys_since_ms))


def _kinds(openings: Sequence[Opening], firsts: Sequence[int]) -> Kind:
    """Which steps the statement needs."""
    kinds = Kind.RIVALS if len(set(firsts)) < len(firsts) else NO_KIND
    for each in openings:
        if each.new_order is not None:
            kinds |= Kind.ORDERS
            if each.new_order.order.client_order_id is not None:
                kinds |= Kind.NUMBERS
        if each.claim is not None:
            kinds |= Kind.CLAIMS
        if each.keyed is not None:
            kinds |= Kind.KEYS
    return kinds


def _rivalry(opening: Opening) -> Hashable | None:
    if (claim := opening.claim) is not None:
        return "order", claim.client_id, claim.order_id
    if opening.new_order is None or opening.new_order.order.client_order_id is None:
        return None
    order = opening.new_order.order
    return "number", order.client_id, order.client_order_id


def _firsts(openings: Sequence[Opening]) -> list[int]:
    """The place of each one's first rival; its own, where that is the first or the only one."""
    first: dict[Hashable, int] = {}
    return [
        n if (rivalry := _rivalry(each)) is None else first.setdefault(rivalry, n)
        for n, each in enumerate(openings)
    ]
