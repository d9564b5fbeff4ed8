"""Opening: the durable intent, or the reason why there is none. Decided inside the statements."""

import sqlite3
from functools import cache
from typing import Final

from netvalve.domain.card import SealedCard
from netvalve.domain.journal import Claim, NewOrder, Opening, OpeningRefusal
from netvalve.storage.mapping import order_row, sealed_card_row, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.schema import cards, order_keys, orders, transactions
from netvalve.storage.sqlite.history import append_opened
from netvalve.storage.sqlite.keys import key_is_used, use_key
from netvalve.storage.sqlite.statements import insert, insert_or_leave, marks

_INSERT_KEY: Final = insert_or_leave(order_keys, ("client_id", "client_order_id"))
_INSERT_CARD: Final = insert_or_leave(cards, ("client_id", "digest"))
_INSERT_ORDER: Final = insert(orders)
_INSERT_TRANSACTION: Final = insert(transactions)
_CARD_OF_DIGEST: Final = "SELECT card_id FROM cards WHERE client_id = ? AND digest = ?"
_IN_FLIGHT: Final = "SELECT in_flight_id FROM orders WHERE order_id = ? AND client_id = ?"

_CLAIM: Final = """
UPDATE orders
SET in_flight_id = ?, reserved_minor = reserved_minor + ?, updated_at_ms = ?
WHERE order_id = ? AND client_id = ? AND in_flight_id IS NULL
    AND (? = 0 OR authorised_minor - captured_minor >= ?)
    AND captured_minor - refunded_minor - reserved_minor >= ?
    AND state IN
"""


def write_opening(
    connection: sqlite3.Connection, opening: Opening, owner: Owner
) -> OpeningRefusal | None:
    """Write an opening whole; a refusal leaves nothing behind.

    The idempotency key is looked at first and written last: nobody else writes in between.
    """
    transaction = opening.transaction
    refusal = None
    if key_is_used(connection, opening):
        refusal = OpeningRefusal.DUPLICATE_KEY
    elif opening.claim is not None:
        refusal = _claim(connection, opening.claim, opening)
    elif opening.new_order is not None:
        refusal = _open_order(connection, opening.new_order, transaction.transaction_id)
    if refusal is not None:
        return refusal
    row = transaction_row(transaction, mti=opening.mti, node=owner.node, owner_epoch=owner.epoch)
    connection.execute(_INSERT_TRANSACTION, row)
    use_key(connection, opening)
    append_opened(connection, transaction, mti=opening.mti, node=owner.node, detail=opening.detail)
    return None


def _open_order(
    connection: sqlite3.Connection, new: NewOrder, transaction_id: int
) -> OpeningRefusal | None:
    order = new.order
    if order.client_order_id is not None:
        key = (order.client_id, order.client_order_id, order.order_id)
        if connection.execute(_INSERT_KEY, key).rowcount == 0:
            return OpeningRefusal.DUPLICATE_CLIENT_ORDER
    card_id = _keep_card(connection, new.sealed_card)
    row = order_row(order, card_id=card_id, in_flight_id=transaction_id)
    connection.execute(_INSERT_ORDER, row)
    return None


def _keep_card(connection: sqlite3.Connection, card: SealedCard) -> int:
    """The vault row of the client's card: the one that is there, else this one."""
    if connection.execute(_INSERT_CARD, sealed_card_row(card)).rowcount == 1:
        return card.card_id
    row = connection.execute(_CARD_OF_DIGEST, (card.client_id, card.digest)).fetchone()
    card_id: int = row[0]
    return card_id


def _claim(connection: sqlite3.Connection, claim: Claim, opening: Opening) -> OpeningRefusal | None:
    transaction = opening.transaction
    granted = connection.execute(
        _claim_text(len(claim.states)),
        (
            transaction.transaction_id,
            claim.refund_minor,
            transaction.opened_at_ms,
            claim.order_id,
            claim.client_id,
            claim.capture_minor,
            claim.capture_minor,
            claim.refund_minor,
            *claim.states,
        ),
    ).rowcount
    if granted:
        return None
    row = connection.execute(_IN_FLIGHT, (claim.order_id, claim.client_id)).fetchone()
    in_flight = row is not None and row[0] is not None
    return OpeningRefusal.IN_FLIGHT if in_flight else OpeningRefusal.GUARD


@cache
def _claim_text(states: int) -> str:
    return f"{_CLAIM}({marks(states)})"
