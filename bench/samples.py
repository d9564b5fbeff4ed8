"""The payment of the benchmark as records: what a sale's request becomes within the gateway."""

from dataclasses import dataclass, replace
from typing import Final

from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import BankOperation, BankRequest, Merchant
from netvalve.domain.card import Card, CardNumber, SealedCard, SecurityCode
from netvalve.domain.journal import BalanceChange, Closing, NewOrder, Opening
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.order import Balance, CardOnOrder, Customer, Details, Order
from netvalve.domain.transaction import MessageIdentity, Outcome, Transaction, TransactionType
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.vault import Vault

CLIENT_ID: Final = 1
AMOUNT_MINOR: Final = 1250
NOW_MS: Final = 1_795_000_000_000
_MTI: Final = "0200"
_ANSWER_MTI: Final = "0210"
_TRANSMITTED_AT: Final = "1122130000"
_TERMINAL: Final = "NV000001"
_STANS: Final = 1_000_000
_TRACE_ID: Final = "8baeb75c-044f-43bb-a874-ce71049533a6"
_APPROVED: Final = Outcome("GTW_1000", "00", "B00001", "112213000000001", "Y", "M")
_NUMBER: Final = CardNumber("4012000098765439")
_ON_ORDER: Final = CardOnOrder(1, "401200", "5439", "VISA", "12", "2030", "Ada Lovelace")
_CUSTOMER: Final = Customer(
    first_name="Ada",
    last_name="Lovelace",
    address="12 Main Street",
    zip_code="10001",
    city="New York",
    country="US",
    email="ada@example.com",
    ip="192.0.2.7",
)
_IDENTITY: Final = MessageIdentity(_TRANSMITTED_AT, "000001", "632613000001", _TERMINAL)
_TRANSACTION: Final = Transaction(
    transaction_id=1,
    order_id=1,
    client_id=CLIENT_ID,
    mid_id=1,
    type=TransactionType.SALE,
    state=State.PENDING,
    amount_minor=AMOUNT_MINOR,
    currency="USD",
    identity=_IDENTITY,
    trace_id=_TRACE_ID,
    opened_at_ms=NOW_MS,
)
_ORDER: Final = Order(
    order_id=1,
    client_id=CLIENT_ID,
    mid_id=1,
    type=TransactionType.SALE,
    state=State.PENDING,
    currency="USD",
    amount_minor=AMOUNT_MINOR,
    balance=Balance(),
    card=_ON_ORDER,
    trace_id=_TRACE_ID,
    created_at_ms=NOW_MS,
    updated_at_ms=NOW_MS,
    opening_id=1,
    details=Details(customer=_CUSTOMER),
)
_REQUEST: Final = BankRequest(
    operation=BankOperation.SALE,
    identity=_IDENTITY,
    amount_minor=AMOUNT_MINOR,
    currency=currency("USD"),
    merchant=Merchant("000000000000001", "SANDBOX MERCHANT", "5999", "US"),
    card=Card(_NUMBER, "12", "2030", SecurityCode("999")),
    customer=_CUSTOMER,
)


@dataclass(frozen=True, slots=True)
class Sale:
    """What the journal is asked for one: an opening before the wire, a closing after it."""

    opening: Opening
    closing: Closing


def sealed_card() -> SealedCard:
    """The card in the vault, sealed once: sealing is no work of the journal's."""
    vault = Vault(KeyRing.generate(), today=lambda: NOW_MS // 86_400_000)
    return vault.seal(CLIENT_ID, _ON_ORDER.card_id, _NUMBER)


def sale(order_id: int, transaction_id: int, at_ms: int, card: SealedCard) -> Sale:
    """One sale under numbers of its own; `card` too has a number that no other sale has."""
    identity, name = _identity(transaction_id), str(order_id)
    transaction = replace(
        _TRANSACTION,
        transaction_id=transaction_id,
        order_id=order_id,
        identity=identity,
        trace_id=name,
        opened_at_ms=at_ms,
    )
    order = replace(
        _ORDER,
        order_id=order_id,
        card=replace(_ON_ORDER, card_id=card.card_id),
        opening_id=transaction_id,
        in_flight_id=transaction_id,
        trace_id=name,
        client_order_id=name,
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )
    closing = Closing(
        transaction_id=transaction_id,
        order_id=order_id,
        event=Event.APPROVED,
        at_ms=at_ms,
        outcome=_APPROVED,
        answer_mti=_ANSWER_MTI,
        response_code_39="00",
        identity=identity,
        order_event=Event.APPROVED,
        balance=BalanceChange(authorised_minor=AMOUNT_MINOR, captured_minor=AMOUNT_MINOR),
        charge_id=transaction_id,
    )
    return Sale(Opening(transaction, new_order=NewOrder(order, card), mti=_MTI), closing)


def bank_request(number: int) -> BankRequest:
    """The message of a sale; no two of a million are alike."""
    return replace(_REQUEST, identity=_identity(number))


def _identity(number: int) -> MessageIdentity:
    stan = f"{number % _STANS:06d}"
    return MessageIdentity(_TRANSMITTED_AT, stan, f"632613{stan}", _TERMINAL)
