"""The statement of a batch of openings: it locks, judges and writes, and says what it has done.

Most batches hold plain sales: a batch's statement has only the steps that its items call for.
"""

from collections.abc import Iterator
from enum import Flag, auto
from functools import cache
from typing import Final

from netvalve.domain.lifecycle import Event, State
from netvalve.storage.postgres.rows import Fields, fields_of, names_of, numbers, rows_in, texts
from netvalve.storage.postgres.steps import Steps
from netvalve.storage.schema import cards, idempotency_keys, orders, transactions

GRANTED: Final = "0"
KEY_IS_USED: Final = "1"
NUMBER_IS_USED: Final = "2"
IN_FLIGHT: Final = "3"
GUARDED: Final = "4"

_KEY_ROW: Final = fields_of(idempotency_keys, "key_")
TRANSACTION: Final = fields_of(transactions)
ORDER: Final = fields_of(orders, "order_")
CARD: Final = fields_of(cards, "card_")
KEY: Final = {**_KEY_ROW, **numbers("keys_since_ms")}
CLAIM: Final = {
    **numbers("claim_order_id", "claim_client_id", "capture_minor", "refund_minor"),
    **texts("states"),
}
RIVAL: Final = numbers("rival", "beaten")
"""The place of the first of those who want the same, and the verdict of whoever comes too late."""
_ORDER_ROW: Final = ["vault_card_id" if name == "order_card_id" else name for name in ORDER]


class Kind(Flag):
    """What the items of a batch bring along."""

    ORDERS = auto()
    """New orders, with their cards."""
    NUMBERS = auto()
    """Merchants' own numbers of new orders."""
    CLAIMS = auto()
    """Turns on orders that are there."""
    KEYS = auto()
    """Merchants' keys of their requests."""
    RIVALS = auto()
    """Several that want the same order or the same number: the first that may have it gets it."""


NO_KIND: Final = Kind(0)


def item_fields(kinds: Kind) -> Fields:
    """One row an item: its transaction and, under longer names, all that comes with it."""
    return {
        **numbers("n"),
        **texts("detail"),
        **TRANSACTION,
        **(ORDER if Kind.ORDERS in kinds else {}),
        **(CARD if Kind.ORDERS in kinds else {}),
        **(CLAIM if Kind.CLAIMS in kinds else {}),
        **(KEY if Kind.KEYS in kinds else {}),
        **(RIVAL if Kind.RIVALS in kinds else {}),
    }


@cache
def opening_text(kinds: Kind) -> str:
    """The first four parameters are the writer's, the fifth are the items.

    The sixth and the seventh are the lowest and the highest number of the orders that are claimed:
    parts of other months are not even opened.
    """
    steps = Steps()
    _look(steps, kinds)
    if Kind.KEYS in kinds:
        _keep_keys(steps)
    if Kind.NUMBERS in kinds:
        steps.in_line("kept_number", _KEPT_NUMBER)
    if Kind.ORDERS in kinds:
        _keep_orders(steps)
    if Kind.CLAIMS in kinds:
        steps.change("claimed", _CLAIMED)
    steps.change("kept", _KEPT)
    steps.change("told", _TOLD)
    return steps.ended_by(_ENDING)


def _look(steps: Steps, kinds: Kind) -> None:
    """Lock and judge; of rivals, after each has been judged by itself."""
    items = rows_in("$5", "i", item_fields(kinds))
    steps.look("fence", _FENCE)
    steps.look("item", f"SELECT i.* FROM fence, {items}")
    if Kind.CLAIMS in kinds:
        steps.look("locked", _LOCKED)
    judged, claims = _verdict(kinds), _WITH_THE_ORDER if Kind.CLAIMS in kinds else ""
    if Kind.RIVALS in kinds:
        steps.look("weighed", f"SELECT i.*, {judged} AS alone FROM item i {claims}")
        verdicts = _AMONG_RIVALS
    else:
        verdicts = f"SELECT i.*, {judged} AS verdict FROM item i {claims}"
    steps.look("judged", f"SELECT i.*, verdict = {GRANTED} AS granted FROM ({verdicts}) i")


def _verdict(kinds: Kind) -> str:
    cases = [f"WHEN {condition} THEN {verdict}" for condition, verdict in _refusals(kinds)]
    return f"CASE {' '.join(cases)} ELSE {GRANTED} END" if cases else GRANTED


def _refusals(kinds: Kind) -> Iterator[tuple[str, str]]:
    """Conditions and what they come to; the first that holds counts."""
    if Kind.KEYS in kinds:
        yield _KEY_IS_USED, KEY_IS_USED
    if Kind.NUMBERS in kinds:
        yield _NUMBER_IS_USED, NUMBER_IS_USED
    if Kind.CLAIMS in kinds:
        yield "i.claim_order_id IS NOT NULL AND l.in_flight_id IS NOT NULL", IN_FLIGHT
        yield f"i.claim_order_id IS NOT NULL AND ({_GUARDED})", GUARDED


def _keep_keys(steps: Steps) -> None:
    steps.in_line("ended_key", _ENDED_KEY)
    steps.in_line("kept_key", _KEPT_KEY)


def _keep_orders(steps: Steps) -> None:
    """The vault's own card, where it is there; of several new ones that are equal, the first."""
    steps.look("new_order", _NEW_ORDER)
    steps.in_line("kept_card", _KEPT_CARD)
    steps.change("kept_order", _KEPT_ORDER)


_FENCE: Final = """
SELECT 1 FROM batches WHERE epoch = $1 AND writer = $2 AND session = $3 FOR UPDATE
"""
_LOCKED: Final = """
SELECT o.order_id, o.client_id, o.state, o.in_flight_id,
    o.authorised_minor - o.captured_minor AS capturable_minor,
    o.captured_minor - o.refunded_minor - o.reserved_minor AS refundable_minor
FROM orders o
WHERE o.order_id = ANY (ARRAY(SELECT claim_order_id FROM item)) AND o.order_id BETWEEN $6 AND $7
ORDER BY o.order_id FOR UPDATE
"""
_KEY_IS_USED: Final = """(
    SELECT u.created_at_ms FROM idempotency_keys u
    WHERE u.client_id = i.key_client_id AND u.idempotency_key = i.key_idempotency_key
) >= i.keys_since_ms"""
_NUMBER_IS_USED: Final = """(
    SELECT u.order_id FROM order_keys u
    WHERE u.client_id = i.order_client_id AND u.client_order_id = i.order_client_order_id
) IS NOT NULL"""
_GUARDED: Final = """
    l.order_id IS NULL
    OR i.capture_minor > 0 AND l.capturable_minor < i.capture_minor
    OR l.refundable_minor < i.refund_minor
    OR l.state <> ALL (string_to_array(i.states, ' '))
"""
_WITH_THE_ORDER: Final = """
LEFT JOIN locked l ON l.order_id = i.claim_order_id AND l.client_id = i.claim_client_id
"""
_AMONG_RIVALS: Final = f"""
SELECT i.*, CASE
    WHEN i.alone <> {KEY_IS_USED} AND i.n > min(i.n) FILTER (WHERE i.alone = {GRANTED}) OVER w
        THEN i.beaten
    ELSE i.alone END AS verdict
FROM weighed i
WINDOW w AS (PARTITION BY i.rival)
"""
_ENDED_KEY: Final = """
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT (
        SELECT u.ctid FROM idempotency_keys u
        WHERE u.client_id = i.key_client_id AND u.idempotency_key = i.key_idempotency_key
            AND u.created_at_ms < i.keys_since_ms
    ) FROM judged i WHERE i.granted
)) RETURNING 1
"""
"""By their places, and in the order of these: two gateways never wait for each other."""
_KEPT_KEY: Final = f"""
INSERT INTO idempotency_keys ({names_of(fields_of(idempotency_keys))})
SELECT {names_of(_KEY_ROW, "i")} FROM judged i
WHERE i.granted AND i.key_idempotency_key IS NOT NULL AND {{behind}}
ORDER BY i.key_client_id, i.key_idempotency_key
RETURNING 1
"""
_KEPT_NUMBER: Final = """
INSERT INTO order_keys (client_id, client_order_id, order_id)
SELECT i.order_client_id, i.order_client_order_id, i.order_id FROM judged i
WHERE i.granted AND i.order_client_order_id IS NOT NULL AND {behind}
ORDER BY i.order_client_id, i.order_client_order_id
RETURNING 1
"""
_NEW_ORDER: Final = """
SELECT i.*, COALESCE(i.known_card_id, first_value(i.card_card_id) OVER w) AS vault_card_id,
    i.known_card_id IS NULL AND row_number() OVER w = 1 AS card_is_new
FROM (
    SELECT i.*, (
        SELECT u.card_id FROM cards u
        WHERE u.client_id = i.card_client_id AND u.digest = i.card_digest
    ) AS known_card_id
    FROM judged i WHERE i.granted AND i.order_order_id IS NOT NULL
) i
WINDOW w AS (PARTITION BY i.card_client_id, i.card_digest ORDER BY i.n)
"""
_KEPT_CARD: Final = f"""
INSERT INTO cards ({names_of(fields_of(cards))})
SELECT {names_of(CARD, "i")} FROM new_order i
WHERE i.card_is_new AND {{behind}}
ORDER BY i.card_client_id, i.card_digest
RETURNING 1
"""
_KEPT_ORDER: Final = f"""
INSERT INTO orders ({names_of(fields_of(orders))})
SELECT {names_of(_ORDER_ROW, "i")} FROM new_order i
"""
_CLAIMED: Final = """
UPDATE orders o
SET in_flight_id = i.transaction_id, reserved_minor = reserved_minor + i.refund_minor,
    updated_at_ms = i.opened_at_ms
FROM judged i
WHERE i.granted AND o.order_id = i.claim_order_id
    AND o.order_id = ANY (ARRAY(SELECT claim_order_id FROM item)) AND o.order_id BETWEEN $6 AND $7
"""
_KEPT: Final = f"""
INSERT INTO transactions ({names_of(TRANSACTION)})
SELECT {names_of(TRANSACTION, "i")} FROM judged i WHERE i.granted
"""
_TOLD: Final = f"""
INSERT INTO events (transaction_id, sequence, event, state, at_ms, node, mti,
    transmitted_at, stan, rrn, terminal_id, detail)
SELECT i.transaction_id, 1, '{Event.OPENED}', '{State.PENDING}', i.opened_at_ms, i.node,
    NULLIF(i.mti, ''), i.transmitted_at, i.stan, i.rrn, i.terminal_id, i.detail
FROM judged i WHERE i.granted
"""
_ENDING: Final = """
UPDATE batches
SET batch = $4, verdicts = (SELECT string_agg(verdict::text, '' ORDER BY n) FROM judged)
WHERE epoch = $1 AND writer = $2 AND EXISTS (SELECT 1 FROM fence)
RETURNING verdicts
"""
