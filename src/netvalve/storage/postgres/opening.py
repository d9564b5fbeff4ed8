"""Openings on PostgreSQL: a batch of durable intents, or the reason why there is none, each.

One statement locks, judges and writes. What it finds taken it refuses by itself; what is taken
by another gateway between its first look and its writing breaks a unique key: all of it is then
rolled back, and judged anew.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from netvalve.domain.journal import Opening, OpeningRefusal
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.mapping import key_row, order_row, sealed_card_row, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.arrays import (
    Parameters,
    columns_of,
    fields_of,
    names_of,
    numbers,
    texts,
)
from netvalve.storage.schema import cards, idempotency_keys, orders, transactions

_VERDICTS: Final = {
    "0": None,
    "1": OpeningRefusal.DUPLICATE_KEY,
    "2": OpeningRefusal.DUPLICATE_CLIENT_ORDER,
    "3": OpeningRefusal.IN_FLIGHT,
    "4": OpeningRefusal.GUARD,
}
_OF_THE_ORDER: Final = ("3", "4")
_N: Final = numbers("n")
_TRANSACTION: Final = [*_N, *fields_of(transactions), *texts("detail")]
_ORDER: Final = [*_N, *fields_of(orders)]
_CARD: Final = fields_of(cards)
_CLAIM: Final = [
    *numbers("n", "order_id", "client_id", "transaction_id", "at_ms"),
    *numbers("capture_minor", "refund_minor"),
    *texts("states"),
]
_KEY: Final = [*_N, *fields_of(idempotency_keys), *numbers("since_ms")]


@dataclass(frozen=True, slots=True)
class WantedOpening:
    """An opening, and whether it is to be written when its turn comes."""

    opening: Opening
    wanted: Callable[[], bool]


def _text() -> str:
    of = Parameters(5)
    transaction, order = of.rows("t", _TRANSACTION), of.rows("o", _ORDER)
    card, claim, key = of.rows("c", _CARD), of.rows("c", _CLAIM), of.rows("k", _KEY)
    order_columns = ", ".join(
        "card.card_id" if name == "card_id" else f"o.{name}" for name, _ in fields_of(orders)
    )
    return f"""
WITH fence AS MATERIALIZED (
    SELECT 1 FROM batches WHERE epoch = $1 AND writer = $2 AND session = $3 FOR UPDATE
), item AS MATERIALIZED (
    SELECT t.* FROM fence, {transaction}
), new_order AS MATERIALIZED (
    SELECT * FROM {order}
), new_card AS MATERIALIZED (
    SELECT * FROM {card}
), claim AS MATERIALIZED (
    SELECT * FROM {claim}
), new_key AS MATERIALIZED (
    SELECT * FROM {key}
), locked AS MATERIALIZED (
    SELECT o.order_id, o.client_id, o.state, o.in_flight_id,
        o.authorised_minor - o.captured_minor AS capturable_minor,
        o.captured_minor - o.refunded_minor - o.reserved_minor AS refundable_minor
    FROM orders o
    WHERE o.order_id = ANY (ARRAY(SELECT order_id FROM claim)) AND EXISTS (SELECT 1 FROM fence)
    ORDER BY o.order_id FOR UPDATE
), judged AS MATERIALIZED (
    SELECT i.n, CASE
        WHEN EXISTS (
            SELECT 1 FROM new_key k JOIN idempotency_keys u
                ON u.client_id = k.client_id AND u.idempotency_key = k.idempotency_key
            WHERE k.n = i.n AND u.created_at_ms >= k.since_ms
        ) THEN 1
        WHEN o.client_order_id IS NOT NULL AND EXISTS (
            SELECT 1 FROM order_keys u
            WHERE u.client_id = o.client_id AND u.client_order_id = o.client_order_id
        ) THEN 2
        WHEN c.n IS NULL THEN 0
        WHEN l.in_flight_id IS NOT NULL THEN 3
        WHEN l.order_id IS NULL
            OR c.capture_minor > 0 AND l.capturable_minor < c.capture_minor
            OR l.refundable_minor < c.refund_minor
            OR l.state <> ALL (string_to_array(c.states, ' ')) THEN 4
        ELSE 0 END AS verdict
    FROM item i
    LEFT JOIN new_order o ON o.n = i.n
    LEFT JOIN claim c ON c.n = i.n
    LEFT JOIN locked l ON l.order_id = c.order_id AND l.client_id = c.client_id
), granted AS MATERIALIZED (
    SELECT n FROM judged WHERE verdict = 0
), ended_key AS (
    DELETE FROM idempotency_keys u USING new_key k
    WHERE k.n IN (SELECT n FROM granted) AND u.client_id = k.client_id
        AND u.idempotency_key = k.idempotency_key AND u.created_at_ms < k.since_ms
    RETURNING 1
), kept_key AS (
    INSERT INTO idempotency_keys ({names_of(fields_of(idempotency_keys))})
    SELECT {names_of(fields_of(idempotency_keys), "k")} FROM new_key k
    WHERE k.n IN (SELECT n FROM granted) AND (SELECT count(*) FROM ended_key) >= 0
    ORDER BY k.client_id, k.idempotency_key
    RETURNING 1
), kept_order_key AS (
    INSERT INTO order_keys (client_id, client_order_id, order_id)
    SELECT o.client_id, o.client_order_id, o.order_id FROM new_order o
    WHERE o.n IN (SELECT n FROM granted) AND o.client_order_id IS NOT NULL
        AND (SELECT count(*) FROM kept_key) >= 0
    ORDER BY o.client_id, o.client_order_id
    RETURNING 1
), known_card AS MATERIALIZED (
    SELECT u.card_id, c.card_id AS sealed_id FROM new_card c
    JOIN cards u ON u.client_id = c.client_id AND u.digest = c.digest
), kept_card AS (
    INSERT INTO cards ({names_of(_CARD)})
    SELECT DISTINCT ON (c.client_id, c.digest) {names_of(_CARD, "c")}
    FROM granted g JOIN new_order o ON o.n = g.n JOIN new_card c ON c.card_id = o.card_id
    WHERE c.card_id NOT IN (SELECT sealed_id FROM known_card)
        AND (SELECT count(*) FROM kept_order_key) >= 0
    ORDER BY c.client_id, c.digest, g.n
    RETURNING card_id, client_id, digest
), card AS MATERIALIZED (
    SELECT card_id, sealed_id FROM known_card
    UNION ALL
    SELECT k.card_id, c.card_id FROM kept_card k
    JOIN new_card c ON c.client_id = k.client_id AND c.digest = k.digest
), kept_order AS (
    INSERT INTO orders ({names_of(fields_of(orders))})
    SELECT {order_columns} FROM granted g JOIN new_order o ON o.n = g.n
    LEFT JOIN card ON card.sealed_id = o.card_id
    ORDER BY o.order_id
    RETURNING 1
), claimed AS (
    UPDATE orders o
    SET in_flight_id = c.transaction_id, reserved_minor = reserved_minor + c.refund_minor,
        updated_at_ms = c.at_ms
    FROM granted g JOIN claim c ON c.n = g.n
    WHERE o.order_id = c.order_id AND o.order_id = ANY (ARRAY(SELECT order_id FROM claim))
        AND (SELECT count(*) FROM kept_order) >= 0
    RETURNING 1
), kept AS (
    INSERT INTO transactions ({names_of(fields_of(transactions))})
    SELECT {names_of(fields_of(transactions), "i")} FROM granted g JOIN item i ON i.n = g.n
    WHERE (SELECT count(*) FROM claimed) >= 0
    ORDER BY i.transaction_id
    RETURNING 1
), told AS (
    INSERT INTO events (transaction_id, sequence, event, state, at_ms, node, mti,
        transmitted_at, stan, rrn, terminal_id, detail)
    SELECT i.transaction_id, 1, '{Event.OPENED}', '{State.PENDING}', i.opened_at_ms, i.node,
        NULLIF(i.mti, ''), i.transmitted_at, i.stan, i.rrn, i.terminal_id, i.detail
    FROM granted g JOIN item i ON i.n = g.n
    WHERE (SELECT count(*) FROM kept) >= 0
    RETURNING 1
)
UPDATE batches
SET batch = $4, verdicts = (SELECT string_agg(verdict::text, '' ORDER BY n) FROM judged)
WHERE epoch = $1 AND writer = $2 AND EXISTS (SELECT 1 FROM fence)
RETURNING verdicts
"""


class Openings:
    """The statement of a batch of openings."""

    writer = "opening"
    text = _text()

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def names(self, item: WantedOpening) -> Iterable[Hashable]:
        """The order it claims, the order's number and the key it wants."""
        opening = item.opening
        if opening.claim is not None:
            yield "order", opening.claim.order_id
        if opening.new_order is not None and opening.new_order.order.client_order_id is not None:
            order = opening.new_order.order
            yield "number", order.client_id, order.client_order_id
        if opening.keyed is not None:
            yield "key", opening.keyed.client_id, opening.keyed.key

    def withdrawn(self, item: WantedOpening) -> OpeningRefusal | None:
        """Asked at the moment of writing."""
        return None if item.wanted() else OpeningRefusal.WITHDRAWN

    def arguments(self, items: Sequence[WantedOpening]) -> list[Any]:
        """Arrays: transactions, new orders, their cards, claims, keys."""
        openings = [item.opening for item in items]
        return [
            *columns_of([*self._transactions(openings)], _TRANSACTION),
            *columns_of([*_orders(openings)], _ORDER),
            *columns_of([*_cards(openings)], _CARD),
            *columns_of([*_claims(openings)], _CLAIM),
            *columns_of([*_keys(openings)], _KEY),
        ]

    def result(self, item: WantedOpening, verdict: str) -> OpeningRefusal | None:
        """Why it was not written, if it was not."""
        del item
        return _VERDICTS[verdict]

    def looks_again(self, item: WantedOpening, verdict: str) -> bool:
        """Its key was looked at before its order's lock was waited for, and may be used since."""
        return item.opening.keyed is not None and verdict in _OF_THE_ORDER

    def _transactions(self, openings: Sequence[Opening]) -> Iterator[tuple[object, ...]]:
        owner = self._owner
        for n, each in enumerate(openings):
            row = transaction_row(
                each.transaction, mti=each.mti, node=owner.node, owner_epoch=owner.epoch
            )
            yield n, *row, each.detail


def _orders(openings: Sequence[Opening]) -> Iterator[tuple[object, ...]]:
    for n, each in enumerate(openings):
        if (new := each.new_order) is not None:
            number = each.transaction.transaction_id
            yield n, *order_row(new.order, card_id=new.sealed_card.card_id, in_flight_id=number)


def _cards(openings: Sequence[Opening]) -> Iterator[tuple[object, ...]]:
    for each in openings:
        if each.new_order is not None:
            yield sealed_card_row(each.new_order.sealed_card)


def _claims(openings: Sequence[Opening]) -> Iterator[tuple[object, ...]]:
    for n, each in enumerate(openings):
        if (claim := each.claim) is not None:
            transaction = each.transaction
            yield (
                n,
                claim.order_id,
                claim.client_id,
                transaction.transaction_id,
                transaction.opened_at_ms,
                claim.capture_minor,
                claim.refund_minor,
                " ".join(claim.states),
            )


def _keys(openings: Sequence[Opening]) -> Iterator[tuple[object, ...]]:
    for n, each in enumerate(openings):
        if each.keyed is not None:
            row = key_row(each.keyed, each.transaction.transaction_id)
            yield n, *row, each.keys_since_ms
