"""Verification finds nothing in a store that the journal wrote, and each thing done by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest
from sqlalchemy import text

from conformance.store.conftest import Pay
from conformance.store.samples import (
    APPROVED,
    NOW_MS,
    Payment,
    follow_up,
    keyed,
    payment,
    refund_closing,
)
from conformance.store.seated import SeatedStore, unguard_history
from netvalve.domain.journal import BalanceChange, Forward, ForwardKind, Move
from netvalve.domain.lifecycle import Event, State, sources_of
from netvalve.domain.transaction import MessageIdentity, Outcome, TransactionType
from netvalve.storage.administration import Administration
from netvalve.storage.engine import engine_of
from netvalve.storage.verification import verification
from netvalve.storage.verification.breach import Breach, Subject
from netvalve.storage.verification.follow_up_rules import FOLLOW_UP_RULES
from netvalve.storage.verification.forward_rules import FORWARD_RULES
from netvalve.storage.verification.order_rules import ORDER_RULES
from netvalve.storage.verification.reference_rules import REFERENCE_RULES
from netvalve.storage.verification.tally_rules import TALLY_RULES
from netvalve.storage.verification.verification import verify

REVERSAL = MessageIdentity("0615120000", "000077", "516612000077", "NV000000")


@dataclass(frozen=True)
class Full:
    """A store with a bit of everything, and the numbers of what is in it."""

    url: str
    numbers: Mapping[str, int]

    def breaches(self, first: int = 10) -> tuple[Breach, ...]:
        return verify(self.url, first=first).breaches

    def change(self, statement: str) -> None:
        """What no gateway does."""
        with engine_of(self.url) as engine, engine.begin() as connection:
            named = {name: each for name, each in self.numbers.items() if f":{name}" in statement}
            assert connection.execute(text(statement), named).rowcount


@pytest.fixture
async def full(
    store: SeatedStore, pay: Pay, administration: Administration, database_url: str
) -> Full:
    administration.add_client("Shop")
    sold, sale_refund, waiting_refund = await a_refunded_sale(store, pay)
    held, capture = await a_partial_capture(store, pay)
    voided = await a_cancel(store, pay)
    lost = await a_lost_sale(store)
    undone = await a_lost_sale(store)
    (message,) = [
        each
        for each in await store.forwards.due(1, NOW_MS + 9000, 10)
        if each.forward.transaction_id == undone.transaction.transaction_id
    ]
    assert await store.forwards.acknowledge(message, NOW_MS + 9100, "00")
    repeated = await a_repeated_capture(store, pay)
    rebill = await pay(payment(TransactionType.REBILL, parent_id=sold.transaction.transaction_id))
    payments = {
        "sale": sold,
        "refund": sale_refund,
        "waiting": waiting_refund,
        "hold": held,
        "capture": capture,
        "void": voided,
        "lost": lost,
        "undone": undone,
        "repeated": repeated,
        "rebill": rebill,
    }
    orders = {f"{name}_order": each.transaction.order_id for name, each in payments.items()}
    numbers = {name: each.transaction.transaction_id for name, each in payments.items()}
    with engine_of(database_url) as engine, engine.begin() as connection:
        unguard_history(connection)
    return Full(database_url, numbers | orders)


async def a_refunded_sale(store: SeatedStore, pay: Pay) -> tuple[Payment, Payment, Payment]:
    """A sale with a client's number, a refund of it and a refund in flight."""
    sold = await pay(keyed(payment(client_order_id="order 1"), "key 1"))
    states = sources_of(Event.REFUNDED)
    refund = follow_up(sold, TransactionType.REFUND, states, amount_minor=200)
    assert await store.journal.open(refund.opening) is None
    moved = (Move(sold.transaction.transaction_id, Event.PARTIALLY_REFUNDED),)
    closing = replace(refund_closing(refund, Event.PARTIALLY_REFUNDED), moves=moved)
    assert await store.journal.close(closing)
    waiting = follow_up(sold, TransactionType.REFUND, states, amount_minor=300)
    assert await store.journal.open(waiting.opening) is None
    return sold, refund, waiting


async def a_partial_capture(store: SeatedStore, pay: Pay) -> tuple[Payment, Payment]:
    """An authorization of which a part is captured and the rest released."""
    held = await pay(payment(TransactionType.AUTHORIZATION))
    capture = a_capture(held, amount_minor=1000)
    assert await store.journal.open(capture.opening) is None
    released = replace(
        capture.transaction,
        transaction_id=held.transaction.transaction_id + 50_000,
        type=TransactionType.CANCEL,
        state=State.APPROVED,
        amount_minor=200,
        closed_at_ms=capture.transaction.opened_at_ms + 50,
        outcome=APPROVED,
    )
    assert await store.journal.close(
        capture.closing(
            order_event=Event.PARTIALLY_CAPTURED,
            balance=BalanceChange(captured_minor=1000),
            moves=(Move(held.transaction.transaction_id, Event.PARTIALLY_CAPTURED),),
            recorded=released,
        )
    )
    return held, capture


def a_capture(held: Payment, *, amount_minor: int) -> Payment:
    states = sources_of(Event.CAPTURED)
    return follow_up(held, TransactionType.CAPTURE, states, amount_minor=amount_minor)


async def a_cancel(store: SeatedStore, pay: Pay) -> Payment:
    held = await pay(payment(TransactionType.AUTHORIZATION))
    states = sources_of(Event.CANCELLED)
    cancel = follow_up(held, TransactionType.CANCEL, states, amount_minor=1200)
    assert await store.journal.open(cancel.opening) is None
    assert await store.journal.close(
        cancel.closing(
            order_event=Event.CANCELLED,
            balance=BalanceChange(),
            charge_id=None,
            moves=(Move(held.transaction.transaction_id, Event.CANCELLED),),
        )
    )
    return cancel


async def a_lost_sale(store: SeatedStore) -> Payment:
    """A sale without an answer, its reversal stored."""
    lost = payment()
    assert await store.journal.open(lost.opening) is None
    assert await store.journal.close(
        lost.closing(
            Event.UNANSWERED,
            outcome=Outcome("GTW_2054"),
            balance=BalanceChange(),
            charge_id=None,
            forward=a_forward(ForwardKind.REVERSAL, lost, REVERSAL),
        )
    )
    return lost


async def a_repeated_capture(store: SeatedStore, pay: Pay) -> Payment:
    """A capture without an answer, its repeat stored."""
    held = await pay(payment(TransactionType.AUTHORIZATION))
    capture = a_capture(held, amount_minor=1200)
    assert await store.journal.open(capture.opening) is None
    assert await store.journal.close(
        capture.closing(
            Event.REPEATED,
            outcome=None,
            order_event=None,
            ends_turn=False,
            balance=BalanceChange(),
            charge_id=None,
            forward=a_forward(ForwardKind.REPEAT, capture, capture.transaction.identity),
        )
    )
    return capture


def a_forward(kind: ForwardKind, about: Payment, identity: MessageIdentity) -> Forward:
    transaction = about.transaction
    return Forward(
        kind, transaction.transaction_id, 1, NOW_MS + 2000, identity, transaction.identity.rrn
    )


def test_a_store_that_the_journal_wrote_has_nothing_broken(full: Full) -> None:
    found = verify(full.url, first=10)
    assert found.breaches == ()
    assert found.broken == 0
    assert found.counts["orders"] == 7
    assert found.counts["transactions"] == 13
    assert found.counts["forwards"] == 3


ORDER: Final = "an order is opened by its one authorization, sale or rebill"
OPENING: Final = "an order has the type and amount of its opening"
AUTHORISED: Final = "authorised is what the approved openings add up to"
CAPTURED: Final = "captured is what the approved charges add up to"
REFUNDED: Final = "refunded is what the approved refunds add up to"
RESERVED: Final = "reserved is what the pending refunds add up to"
LEVELS: Final = "no more is refunded than captured, nor captured than authorised"
RELEASED: Final = "what is not captured of a captured or cancelled order is released by a cancel"
CHARGE: Final = "charge_id names the order's one approved charge"
IN_FLIGHT: Final = "in_flight_id names the order's one pending transaction"
STANDS: Final = "an order stands where its opening and its charge stand"
MONEY: Final = "an order stands where its money stands"
KEY: Final = "an order has its key exactly where it has a clientOrderId"
KEY_ORDER: Final = "a key is that of its order"
OWNER: Final = "a transaction has its order's client, account and currency"
PARENT: Final = "what follows names a transaction of its order, a rebill one of its client"
KEY_CLIENT: Final = "an idempotency key names a transaction of its client"
ALONE: Final = "a history is that of a transaction"
CARD: Final = "an order's card is its client's and has the digits it shows"
CARD_CLIENT: Final = "a card is a client's"
REVERSING: Final = (
    "a reversal waits while its transaction is REVERSING, and is done when it is REVERSED"
)
REPEATING: Final = "a repeat waits while its transaction is PENDING, and is done when it has ended"
STORED: Final = "a message is stored for what is reversed or repeated alone"
ONE_OWNER: Final = "a pending transaction and its waiting message are one gateway's"
RESOLVED: Final = (
    "a message is resolved with a reason, a reversal as reversed and a repeat otherwise"
)
CONTRADICTS: Final = "an answer contradicts what an operator has resolved"
MESSAGE: Final = "a stored message is about its transaction's own, a repeat is that message"
BEGINS: Final = "a transaction's history begins with OPENED"
KEEPS: Final = "a transaction keeps the time and message it was opened with"
GAPS: Final = "a transaction's history has no gaps"
FOLLOWS: Final = "a transaction's history follows the lifecycle"
LEADS: Final = "each event leads where the lifecycle says"
REPLAYS: Final = "a transaction stands where its history leads"
ENDED: Final = "a transaction has closing time and response code when it has ended"
CLOSED: Final = "a transaction keeps the time and response code it was closed with"

TALLIED: Final = "the tallies count every order and transaction"
BY_DAY: Final = "the tallies of 24 hours add up those of 1"
BY_32_DAYS: Final = "the tallies of 768 hours add up those of 24"

FOLLOW_UP: Final = "a transaction that did not open its order is among the follow-ups, as it is"
STRAY: Final = "a follow-up is a transaction that did not open its order"
CREATED: Final = "an order was created in the moment of its opening"
FOLLOWED: Final = "an order with follow-ups is among the followed orders, as it is"
COURSE: Final = "the course of a followed order says as many things as there are to say"
TOLD: Final = "the course of a followed order has all of its transactions in it"

_MISCOUNT: Final = "INSERT INTO tallies VALUES (1, 'O', {}, 7, 1, 'SALE', 'APPROVED', 'USD', 1)"
_RESOLVE: Final = "UPDATE forwards SET (resolution, resolution_reason)"
_OF_SALE: Final = "WHERE order_id = :sale_order"
BROKEN: Final = (
    (
        ONE_OWNER,
        "UPDATE forwards SET owner_epoch = owner_epoch + 1 WHERE transaction_id = :repeated",
    ),
    (ORDER, f"UPDATE orders SET opening_id = :refund {_OF_SALE}"),
    (ORDER, "DELETE FROM transactions WHERE transaction_id = :sale"),
    (ORDER, "UPDATE transactions SET type = 'SALE' WHERE transaction_id = :refund"),
    (OPENING, f"UPDATE orders SET amount_minor = 1 {_OF_SALE}"),
    (OPENING, f"UPDATE orders SET type = 'REBILL' {_OF_SALE}"),
    (AUTHORISED, f"UPDATE orders SET authorised_minor = authorised_minor + 1 {_OF_SALE}"),
    (CAPTURED, "UPDATE transactions SET amount_minor = 999 WHERE transaction_id = :capture"),
    (CAPTURED, f"UPDATE orders SET captured_minor = captured_minor - 1 {_OF_SALE}"),
    (REFUNDED, f"UPDATE orders SET refunded_minor = refunded_minor + 1 {_OF_SALE}"),
    (REFUNDED, "DELETE FROM transactions WHERE transaction_id = :refund"),
    (REFUNDED, "UPDATE transactions SET approved_minor = 1 WHERE transaction_id = :refund"),
    (RESERVED, f"UPDATE orders SET reserved_minor = 0 {_OF_SALE}"),
    (LEVELS, f"UPDATE orders SET authorised_minor = captured_minor - 1 {_OF_SALE}"),
    (RELEASED, "DELETE FROM transactions WHERE order_id = :hold_order AND type = 'CANCEL'"),
    (CHARGE, f"UPDATE orders SET charge_id = NULL {_OF_SALE}"),
    (CHARGE, "UPDATE orders SET charge_id = :hold WHERE order_id = :hold_order"),
    (IN_FLIGHT, f"UPDATE orders SET in_flight_id = NULL {_OF_SALE}"),
    (IN_FLIGHT, f"UPDATE orders SET in_flight_id = :refund {_OF_SALE}"),
    (IN_FLIGHT, "UPDATE orders SET in_flight_id = :hold WHERE order_id = :hold_order"),
    (STANDS, f"UPDATE orders SET state = 'APPROVED' {_OF_SALE}"),
    (STANDS, "UPDATE orders SET state = 'REVERSED' WHERE order_id = :lost_order"),
    (MONEY, f"UPDATE orders SET state = 'REFUNDED' {_OF_SALE}"),
    (MONEY, "UPDATE orders SET state = 'CAPTURED' WHERE order_id = :hold_order"),
    (KEY, "DELETE FROM order_keys WHERE order_id = :sale_order"),
    (KEY_ORDER, f"UPDATE orders SET client_order_id = NULL {_OF_SALE}"),
    (KEY_ORDER, "DELETE FROM orders WHERE order_id = :sale_order"),
    (OWNER, "DELETE FROM orders WHERE order_id = :sale_order"),
    (OWNER, "UPDATE transactions SET currency = 'EUR' WHERE transaction_id = :refund"),
    (OWNER, "UPDATE transactions SET client_id = 2 WHERE transaction_id = :refund"),
    (PARENT, "UPDATE transactions SET parent_id = :hold WHERE transaction_id = :refund"),
    (PARENT, "UPDATE transactions SET parent_id = NULL WHERE transaction_id = :capture"),
    (PARENT, "UPDATE transactions SET parent_id = 1 WHERE transaction_id = :rebill"),
    (KEY_CLIENT, "DELETE FROM transactions WHERE transaction_id = :sale"),
    (KEY_CLIENT, "UPDATE idempotency_keys SET client_id = 2"),
    (ALONE, "DELETE FROM transactions WHERE transaction_id = :refund"),
    (CARD, f"UPDATE orders SET last_four = '0000' {_OF_SALE}"),
    (CARD, "UPDATE cards SET client_id = 2"),
    (CARD_CLIENT, "DELETE FROM clients"),
    (REVERSING, "DELETE FROM forwards WHERE transaction_id = :lost"),
    (REVERSING, "UPDATE forwards SET done_at_ms = 1 WHERE transaction_id = :lost"),
    (REVERSING, "UPDATE forwards SET done_at_ms = NULL WHERE transaction_id = :undone"),
    (REPEATING, "DELETE FROM forwards WHERE transaction_id = :repeated"),
    (REPEATING, "UPDATE forwards SET done_at_ms = 1 WHERE transaction_id = :repeated"),
    (STORED, "UPDATE forwards SET transaction_id = :hold WHERE transaction_id = :lost"),
    (STORED, "UPDATE forwards SET transaction_id = :waiting WHERE transaction_id = :repeated"),
    (STORED, "DELETE FROM transactions WHERE transaction_id = :lost"),
    (RESOLVED, "UPDATE forwards SET resolution = 'reversed' WHERE transaction_id = :lost"),
    (RESOLVED, f"{_RESOLVE} = ('approved', 'x') WHERE kind = 'REVERSAL'"),
    (RESOLVED, f"{_RESOLVE} = ('reversed', 'x') WHERE kind = 'REPEAT'"),
    (CONTRADICTS, "UPDATE events SET event = 'CONTRADICTED' WHERE transaction_id = :undone"),
    (MESSAGE, "UPDATE forwards SET original_rrn = '0' WHERE transaction_id = :lost"),
    (MESSAGE, "UPDATE forwards SET stan = '000001' WHERE transaction_id = :repeated"),
    (BEGINS, "DELETE FROM events WHERE transaction_id = :sale"),
    (BEGINS, "DELETE FROM events WHERE transaction_id = :sale AND sequence = 1"),
    (KEEPS, "UPDATE transactions SET rrn = '000000000000' WHERE transaction_id = :sale"),
    (KEEPS, "UPDATE transactions SET opened_at_ms = 1 WHERE transaction_id = :sale"),
    (GAPS, "UPDATE events SET sequence = 9 WHERE transaction_id = :sale AND sequence = 3"),
    (FOLLOWS, "DELETE FROM events WHERE transaction_id = :sale AND sequence = 2"),
    (FOLLOWS, "UPDATE events SET event = 'NONE' WHERE transaction_id = :refund AND sequence = 2"),
    (LEADS, "UPDATE events SET state = 'FAILED' WHERE transaction_id = :sale AND sequence = 2"),
    (REPLAYS, "UPDATE transactions SET state = 'APPROVED' WHERE transaction_id = :sale"),
    (ENDED, "UPDATE transactions SET closed_at_ms = NULL WHERE transaction_id = :sale"),
    (ENDED, "UPDATE transactions SET response_code = NULL WHERE transaction_id = :sale"),
    (ENDED, "UPDATE transactions SET closed_at_ms = 1 WHERE transaction_id = :waiting"),
    (CLOSED, "UPDATE transactions SET response_code = 'BNK_2005' WHERE transaction_id = :sale"),
    (CLOSED, "UPDATE transactions SET closed_at_ms = 1 WHERE transaction_id = :sale"),
    (TALLIED, _MISCOUNT.format(1)),
    (BY_DAY, _MISCOUNT.format(24)),
    (BY_32_DAYS, _MISCOUNT.format(768)),
    (FOLLOW_UP, "DELETE FROM follow_ups WHERE transaction_id = :refund"),
    (FOLLOW_UP, "UPDATE follow_ups SET last_four = '0000' WHERE transaction_id = :refund"),
    (FOLLOW_UP, "UPDATE follow_ups SET opened_at_ms = 1 WHERE transaction_id = :refund"),
    (STRAY, "UPDATE follow_ups SET transaction_id = :hold WHERE transaction_id = :refund"),
    (CREATED, f"UPDATE orders SET created_at_ms = 1 {_OF_SALE}"),
    (FOLLOWED, f"DELETE FROM followed_orders {_OF_SALE}"),
    (FOLLOWED, f"UPDATE followed_orders SET state = 'REVERSED' {_OF_SALE}"),
    (COURSE, f"UPDATE followed_orders SET course = course || 'CANCEL:FAILED ' {_OF_SALE}"),
    (TOLD, f"UPDATE followed_orders SET course = ' SALE:APPROVED ' {_OF_SALE}"),
)


@pytest.mark.parametrize(("rule", "statement"), BROKEN)
def test_what_is_changed_by_hand_breaks_its_rule(full: Full, rule: str, statement: str) -> None:
    full.change(statement)
    assert rule in {breach.rule for breach in full.breaches()}


def test_every_rule_is_broken_by_a_test() -> None:
    rules = {each.says for each in ORDER_RULES}
    questions = (*REFERENCE_RULES, *FORWARD_RULES, *TALLY_RULES, *FOLLOW_UP_RULES)
    rules |= {each.rule for each in questions}
    assert rules <= {rule for rule, _ in BROKEN}


def test_a_breach_says_whose_what_is_and_what_should_be(full: Full) -> None:
    full.change("UPDATE orders SET reserved_minor = 299 WHERE order_id = :sale_order")
    (breach,) = full.breaches()
    number = full.numbers["sale_order"]
    assert breach == Breach(Subject.ORDER, number, RESERVED, "299", "300")


def test_the_first_of_each_rule_are_kept_and_all_are_counted(full: Full) -> None:
    full.change("UPDATE orders SET reserved_minor = reserved_minor + 1 WHERE captured_minor > 1")
    found = verify(full.url, first=1)
    assert [each.rule for each in found.breaches] == [RESERVED]
    assert found.broken == 3


def test_an_erased_card_breaks_nothing(full: Full) -> None:
    full.change("DELETE FROM cards")
    assert full.breaches() == ()


def test_a_store_is_read_at_one_moment_and_keeps_no_writer_waiting(
    full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    look: Callable[..., object] = verification.histories

    def histories_after_a_write(connection):  # type: ignore[no-untyped-def]
        full.change("UPDATE transactions SET state = 'FAILED' WHERE transaction_id = :sale")
        return look(connection)

    monkeypatch.setattr(verification, "histories", histories_after_a_write)
    assert full.breaches() == ()
    monkeypatch.undo()
    assert full.breaches() != ()


def test_a_store_no_gateway_runs_on_is_read_too(database_url: str) -> None:
    assert verify(database_url, first=1).counts["orders"] == 0
