"""Records to rows and rows to records: the one place that knows the order of the columns.

A row is read by position, in the order of the table's columns, whichever driver fetched it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson

from netvalve.domain.card import SealedCard
from netvalve.domain.journal import (
    Forward,
    ForwardKind,
    HistoryEntry,
    KeyedRequest,
    KeyedTransaction,
    Resolution,
    ResolvedAs,
    StoredMessage,
)
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.order import Balance, CardOnOrder, Customer, Details, Order, ThreeDS
from netvalve.domain.transaction import MessageIdentity, Outcome, Transaction, TransactionType
from netvalve.storage.schema import forwards, orders, transactions

Row = Sequence[Any]

TRANSACTION_WIDTH: Final = len(transactions.c)
"""In a row of both, the transaction's columns come first and the order's follow."""
_FORWARD_WIDTH: Final = len(forwards.c)
_BOTH_WIDTH: Final = TRANSACTION_WIDTH + len(orders.c)

_CUSTOMER: Final = tuple(Customer.__dataclass_fields__)


def transaction_row(
    transaction: Transaction, *, mti: str, node: str, owner_epoch: int
) -> tuple[object, ...]:
    """A row of `transactions`."""
    identity = transaction.identity
    return (
        transaction.transaction_id,
        transaction.order_id,
        transaction.client_id,
        transaction.mid_id,
        transaction.type,
        transaction.state,
        transaction.amount_minor,
        transaction.currency,
        identity.transmitted_at,
        identity.stan,
        identity.rrn,
        identity.terminal_id,
        transaction.trace_id,
        transaction.opened_at_ms,
        transaction.parent_id,
        transaction.closed_at_ms,
        *outcome_values(transaction.outcome),
        transaction.final_capture,
        mti,
        node,
        owner_epoch,
    )


def outcome_values(outcome: Outcome | None) -> tuple[object, ...]:
    """The seven columns of an outcome, all empty while there is none."""
    if outcome is None:
        return (None,) * 7
    return (
        outcome.response_code,
        outcome.bank_response_code,
        outcome.auth_code,
        outcome.scheme_transaction_id,
        outcome.avs_result,
        outcome.cvv2_result,
        outcome.approved_minor,
    )


def transaction_of(row: Row) -> Transaction:
    """A transaction from the columns of `transactions`."""
    return Transaction(
        transaction_id=row[0],
        order_id=row[1],
        client_id=row[2],
        mid_id=row[3],
        type=TransactionType(row[4]),
        state=State(row[5]),
        amount_minor=row[6],
        currency=row[7],
        identity=MessageIdentity(
            transmitted_at=row[8], stan=row[9], rrn=row[10], terminal_id=row[11]
        ),
        trace_id=row[12],
        opened_at_ms=row[13],
        parent_id=row[14],
        closed_at_ms=row[15],
        outcome=None if row[16] is None else Outcome(*row[16:23]),
        final_capture=bool(row[23]),
    )


def order_row(order: Order, *, card_id: int, in_flight_id: int | None) -> tuple[object, ...]:
    """A row of `orders`, with the vault's card and the transaction in flight."""
    balance, card, details = order.balance, order.card, order.details
    customer = details.customer
    return (
        order.order_id,
        order.client_id,
        order.mid_id,
        order.type,
        order.state,
        order.currency,
        order.amount_minor,
        balance.authorised_minor,
        balance.captured_minor,
        balance.refunded_minor,
        balance.reserved_minor,
        card_id,
        card.first_six,
        card.last_four,
        card.brand,
        card.expiry_month,
        card.expiry_year,
        card.holder_name,
        order.trace_id,
        order.created_at_ms,
        order.updated_at_ms,
        order.opening_id,
        order.charge_id,
        in_flight_id,
        order.client_order_id,
        order.site_id,
        folded(customer.email),
        folded(customer.first_name),
        folded(customer.last_name),
        customer.country,
        details.descriptor,
        details.payment_type,
        details.wallet_type,
        details.three_ds is not None,
        details.source,
        _details_text(details),
        order.expires_at_ms,
    )


def order_of(row: Row) -> Order:
    """An order from the columns of `orders`."""
    return Order(
        order_id=row[0],
        client_id=row[1],
        mid_id=row[2],
        type=TransactionType(row[3]),
        state=State(row[4]),
        currency=row[5],
        amount_minor=row[6],
        balance=Balance(
            authorised_minor=row[7],
            captured_minor=row[8],
            refunded_minor=row[9],
            reserved_minor=row[10],
        ),
        card=CardOnOrder(
            card_id=row[11],
            first_six=row[12],
            last_four=row[13],
            brand=row[14],
            expiry_month=row[15],
            expiry_year=row[16],
            holder_name=row[17],
        ),
        trace_id=row[18],
        created_at_ms=row[19],
        updated_at_ms=row[20],
        opening_id=row[21],
        charge_id=row[22],
        in_flight_id=row[23],
        client_order_id=row[24],
        site_id=row[25],
        expires_at_ms=row[36],
        details=_details_of(row),
    )


def transaction_on_order_of(row: Row) -> tuple[Transaction, Order]:
    """Both from a row of both."""
    return transaction_of(row), order_of(row[TRANSACTION_WIDTH:])


def key_row(keyed: KeyedRequest, transaction_id: int) -> tuple[object, ...]:
    """A row of `idempotency_keys`."""
    return (
        keyed.client_id,
        keyed.key,
        transaction_id,
        keyed.operation,
        orjson.dumps(keyed.digests).decode(),
        keyed.created_at_ms,
    )


def keyed_transaction_of(row: Row) -> KeyedTransaction:
    """A transaction, its order and the key that opened it, from a row of all three."""
    client_id, key, _, operation, digests, created_at_ms = row[_BOTH_WIDTH:]
    keyed = KeyedRequest(client_id, key, operation, orjson.loads(digests), created_at_ms)
    return KeyedTransaction(keyed, *transaction_on_order_of(row))


def sealed_card_row(card: SealedCard) -> tuple[object, ...]:
    """A row of `cards`."""
    return (
        card.card_id,
        card.client_id,
        card.digest,
        card.key_version,
        card.key_day,
        card.nonce,
        card.ciphertext,
        card.first_six,
        card.last_four,
    )


def sealed_card_of(row: Row) -> SealedCard:
    """A card from the columns of `cards`."""
    return SealedCard(*row)


def history_entry_of(row: Row) -> HistoryEntry:
    """An entry from the columns of `events`."""
    return HistoryEntry(
        transaction_id=row[0],
        sequence=row[1],
        event=Event(row[2]),
        state=State(row[3]),
        at_ms=row[4],
        node=row[5],
        mti=row[6],
        identity=None if row[8] is None else MessageIdentity(*row[7:11]),
        response_code_39=row[11],
        detail=row[12],
    )


def stored_message_of(row: Row) -> StoredMessage:
    """A stored message with all that it is about, from a row of the three."""
    forward, about = row[:_FORWARD_WIDTH], row[_FORWARD_WIDTH:]
    transaction, order = transaction_on_order_of(about)
    return StoredMessage(
        forward=Forward(
            kind=ForwardKind(forward[1]),
            transaction_id=forward[0],
            next_attempt_at_ms=forward[2],
            bank_id=forward[5],
            identity=MessageIdentity(*forward[6:10]),
            original_rrn=forward[10],
        ),
        attempts=forward[3],
        transaction=transaction,
        order=order,
        refused_39=forward[12],
        resolution=resolution_of(forward[13], forward[14]),
    )


def resolution_of(as_: str | None, reason: str | None) -> Resolution | None:
    """An operator's word about a stored message, where there is one."""
    return None if as_ is None or reason is None else Resolution(ResolvedAs(as_), reason)


def folded(text: str | None) -> str | None:
    """A text as it compares in any case of letters."""
    return None if text is None else text.casefold()


def _details_text(details: Details) -> str:
    """What has no column of its own, and the customer as it was spelled."""
    customer = details.customer
    rest: dict[str, object] = {
        "customer": {
            name: value for name in _CUSTOMER if (value := getattr(customer, name)) is not None
        }
    }
    if details.three_ds is not None:
        rest["three_ds"] = asdict(details.three_ds)
    if details.description is not None:
        rest["description"] = details.description
    if details.additional_data:
        rest["additional_data"] = dict(details.additional_data)
    if details.additional_parameters:
        rest["additional_parameters"] = dict(details.additional_parameters)
    return orjson.dumps(rest).decode()


def _details_of(row: Row) -> Details:
    rest = orjson.loads(row[35])
    three_ds = rest.get("three_ds")
    return Details(
        customer=Customer(**rest["customer"]),
        three_ds=None if three_ds is None else ThreeDS(**three_ds),
        description=rest.get("description"),
        descriptor=row[30],
        payment_type=row[31],
        wallet_type=row[32],
        source=row[34],
        additional_data=rest.get("additional_data", {}),
        additional_parameters=rest.get("additional_parameters", {}),
    )
