"""What each thing a bank can do comes to. Source: wire contract, section 2."""

from dataclasses import replace

import pytest

from making import BANK, IDENTITY, a_transaction, an_order
from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import Answered, BankRequest, Merchant, NoAnswer, NotSent
from netvalve.domain.journal import BalanceChange, ForwardKind, Opening
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import OPENERS, Outcome, TransactionType
from netvalve.payments.payment import Payment
from netvalve.payments.planning import OPERATIONS
from netvalve.payments.resolve import as_closed, closing_of

NOW_MS = 1_795_000_001_000
FOLLOW_UPS = (TransactionType.CAPTURE, TransactionType.REFUND, TransactionType.CANCEL)


def payment(kind, amount_minor=10_000, *, partial_allowed=False, order=None):
    operation = OPERATIONS[kind]
    transaction = a_transaction(
        kind, State.PENDING, transaction_id=1002, amount_minor=amount_minor, parent_id=1001
    )
    return Payment(
        operation=operation,
        bank=BANK,
        transaction=transaction,
        order=order or an_order(captured=10_000 if kind is TransactionType.REFUND else 0),
        opening=Opening(transaction),
        request=BankRequest(
            operation=operation.asks,
            identity=IDENTITY,
            amount_minor=amount_minor,
            currency=currency("USD"),
            merchant=Merchant("1", "SHOP", "5999", "US"),
            partial_approval_allowed=partial_allowed,
        ),
        forward_identity=IDENTITY,
        released_id=1003,
    )


def answered(code="00", amount_minor=10_000, **changes):
    return replace(Answered(code, amount_minor, "840", "TAS390", IDENTITY.rrn), **changes)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_approval_ends_approved_with_its_auth_code(kind):
    closing = closing_of(payment(kind), answered(), NOW_MS)
    assert closing.event is Event.APPROVED
    assert closing.outcome.response_code == "GTW_1000"
    assert closing.outcome.auth_code == "TAS390"
    assert closing.ends_turn
    assert closing.forward is None


@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize(
    ("value", "code"), [("05", "BNK_2005"), ("51", "BNK_2011"), ("N7", "BNK_3501")]
)
def test_a_refusal_ends_declined_with_the_banks_own_value(kind, value, code):
    closing = closing_of(payment(kind), answered(value), NOW_MS)
    assert closing.event is Event.DECLINED
    assert (closing.outcome.response_code, closing.outcome.bank_response_code) == (code, value)


def test_a_value_nobody_listed_is_a_decline_that_keeps_its_value():
    closing = closing_of(payment(TransactionType.SALE), answered("ZZ"), NOW_MS)
    assert (closing.outcome.response_code, closing.outcome.bank_response_code) == ("BNK_2003", "ZZ")


@pytest.mark.parametrize("kind", OPERATIONS)
def test_not_sent_ends_failed_with_the_banks_code_and_nothing_waits(kind):
    closing = closing_of(payment(kind), NotSent("no link"), NOW_MS)
    assert closing.event is Event.NOT_SENT
    assert closing.outcome.response_code == "GTW_2090"
    assert closing.forward is None
    assert closing.ends_turn


@pytest.mark.parametrize("kind", sorted(OPENERS))
def test_no_answer_to_an_opener_is_failed_and_its_reversal_stored(kind):
    closing = closing_of(payment(kind), NoAnswer("deadline"), NOW_MS)
    assert closing.event is Event.UNANSWERED
    assert closing.outcome.response_code == "GTW_2054"
    assert closing.forward.kind is ForwardKind.REVERSAL
    assert closing.balance == BalanceChange()
    assert as_closed(payment(kind).transaction, closing).state is State.REVERSING


@pytest.mark.parametrize("kind", FOLLOW_UPS)
def test_no_answer_to_a_follow_up_stays_pending_keeps_its_turn_and_is_repeated(kind):
    closing = closing_of(payment(kind), NoAnswer("deadline"), NOW_MS)
    assert closing.event is Event.REPEATED
    assert closing.outcome is None
    assert not closing.ends_turn
    assert closing.forward.kind is ForwardKind.REPEAT
    assert closing.balance == BalanceChange()
    assert as_closed(payment(kind).transaction, closing).state is State.PENDING


@pytest.mark.parametrize("value", ["91", "96"])
def test_issuer_unavailable_declines_a_sale_and_repeats_a_capture(value):
    sale = closing_of(payment(TransactionType.SALE), answered(value), NOW_MS)
    capture = closing_of(payment(TransactionType.CAPTURE), answered(value), NOW_MS)
    assert (sale.event, capture.event) == (Event.DECLINED, Event.REPEATED)


SOMETHING_ELSE = [
    answered(amount_minor=10_001),
    answered(amount_minor=9_999),
    answered(currency_number="978"),
    answered("10", 5_000),
]


@pytest.mark.parametrize("kind", sorted(OPENERS))
@pytest.mark.parametrize("answer", SOMETHING_ELSE)
def test_an_approved_charge_of_something_else_is_reversed_and_declined(kind, answer):
    closing = closing_of(payment(kind), answer, NOW_MS)
    assert closing.event is Event.MISMATCHED
    assert closing.outcome == Outcome("BNK_2003")
    assert closing.response_code_39 == answer.response_code
    assert closing.forward.kind is ForwardKind.REVERSAL


@pytest.mark.parametrize("kind", [TransactionType.CAPTURE, TransactionType.REFUND])
@pytest.mark.parametrize("answer", SOMETHING_ELSE)
def test_an_approved_follow_up_of_something_else_stays_pending_and_keeps_its_reserve(kind, answer):
    closing = closing_of(payment(kind), answer, NOW_MS)
    assert closing.event is Event.REPEATED
    assert closing.balance == BalanceChange()
    assert not closing.ends_turn
    assert closing.response_code_39 == answer.response_code


def test_a_cancel_has_no_amount_to_compare():
    closing = closing_of(payment(TransactionType.CANCEL), answered(amount_minor=0), NOW_MS)
    assert closing.event is Event.APPROVED
    assert closing.outcome.approved_minor is None


def test_a_partial_approval_stands_where_it_was_asked_for():
    asked = payment(TransactionType.AUTHORIZATION, partial_allowed=True)
    closing = closing_of(asked, answered("10", 5_000), NOW_MS)
    assert closing.event is Event.APPROVED
    assert closing.outcome.approved_minor == 5_000
    assert closing.balance == BalanceChange(authorised_minor=5_000)


@pytest.mark.parametrize("amount_minor", [0, 10_000, 10_001])
def test_a_partial_approval_that_is_no_part_is_reversed(amount_minor):
    asked = payment(TransactionType.AUTHORIZATION, partial_allowed=True)
    closing = closing_of(asked, answered("10", amount_minor), NOW_MS)
    assert closing.event is Event.MISMATCHED


def test_a_partial_capture_records_the_release_with_a_cancel_that_is_never_sent():
    closing = closing_of(
        payment(TransactionType.CAPTURE, 4_000), answered(amount_minor=4_000), NOW_MS
    )
    released = closing.recorded
    assert (released.type, released.amount_minor) == (TransactionType.CANCEL, 6_000)
    assert (released.transaction_id, released.parent_id) == (1003, 1001)
    assert released.state is State.APPROVED
    assert closing.order_event is Event.PARTIALLY_CAPTURED


@pytest.mark.parametrize("outcome", [answered("05"), NotSent("no link")])
def test_a_refund_that_did_not_happen_frees_what_it_had_reserved(outcome):
    closing = closing_of(payment(TransactionType.REFUND, 3_000), outcome, NOW_MS)
    assert closing.balance == BalanceChange(reserved_minor=-3_000)


def test_the_answers_message_type_follows_from_the_requests():
    closing = closing_of(payment(TransactionType.CAPTURE), answered(), NOW_MS)
    assert closing.answer_mti == "0230"
