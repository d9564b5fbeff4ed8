"""The bank's rules, each alone and then under any order of events."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.banks.testbank import rules
from netvalve.banks.testbank.entry import Balance, State
from netvalve.banks.testbank.rules import Charge, Decision, Opening
from netvalve.domain.bank_message import BankOperation

AUTHORIZE = Charge(BankOperation.AUTHORIZE, 10_000)
SALE = Charge(BankOperation.SALE, 10_000)
HELD = Opening(BankOperation.AUTHORIZE, State.HELD, "USD", Balance(held_minor=10_000))
SOLD = Opening(BankOperation.SALE, State.CAPTURED, "USD", Balance(captured_minor=10_000))
CAPTURED = replace(HELD, state=State.CAPTURED, balance=Balance(captured_minor=10_000))
PARTLY = replace(HELD, balance=Balance(held_minor=6_000, captured_minor=4_000))
REFUNDED = replace(SOLD, balance=Balance(captured_minor=10_000, refunded_minor=1))
CANCELLED = replace(HELD, state=State.CANCELLED, balance=Balance())
REVERSED = replace(HELD, state=State.REVERSED, balance=Balance())
DECLINED = replace(HELD, state=State.DECLINED, balance=Balance())


def test_authorization_holds_and_captures_nothing() -> None:
    decision = rules.charge(AUTHORIZE)
    assert (decision.response_code, decision.balance) == ("00", Balance(held_minor=10_000))


@pytest.mark.parametrize("operation", [BankOperation.SALE, BankOperation.REBILL])
def test_sale_and_rebill_capture_at_once(operation: BankOperation) -> None:
    decision = rules.charge(replace(SALE, operation=operation))
    assert (decision.state, decision.balance) == (State.CAPTURED, Balance(captured_minor=10_000))


@pytest.mark.parametrize(
    ("charge", "code"),
    [
        (replace(SALE, reversed_before=True), "12"),
        (replace(SALE, card_valid=False), "14"),
        (replace(SALE, card_expired=True), "54"),
        (replace(SALE, security_code_wrong=True), "N7"),
        (replace(SALE, amount_minor=0), "13"),
    ],
)
def test_charge_is_refused_and_moves_no_money(charge: Charge, code: str) -> None:
    decision = rules.charge(charge)
    assert (decision.response_code, decision.state, decision.opening) == (
        code,
        State.DECLINED,
        None,
    )


def test_card_is_verified_by_authorizing_nothing() -> None:
    assert rules.charge(replace(AUTHORIZE, amount_minor=0)).response_code == "00"


def test_refusal_is_given_when_ordered() -> None:
    assert rules.charge(SALE, "51") == Decision("51", State.DECLINED, 10_000)


def test_approval_ordered_does_not_overrule_a_refusal() -> None:
    assert rules.charge(replace(SALE, card_expired=True), "08").response_code == "54"


@pytest.mark.parametrize(("asked", "booked"), [(10_000, 5_000), (7, 3), (1, 1)])
def test_partial_approval_books_half(asked: int, booked: int) -> None:
    decision = rules.charge(replace(AUTHORIZE, amount_minor=asked), "10")
    assert (decision.amount_minor, decision.balance.held_minor) == (booked, booked)


def test_final_capture_releases_the_rest() -> None:
    decision = rules.capture(HELD, 4_000, "USD", final=True)
    assert (decision.opening, decision.balance) == (State.CAPTURED, Balance(0, 4_000))


def test_capture_that_is_not_final_leaves_the_rest_held() -> None:
    decision = rules.capture(HELD, 4_000, "USD", final=False)
    assert (decision.opening, decision.balance) == (State.HELD, Balance(6_000, 4_000))


@pytest.mark.parametrize(
    ("opening", "amount_minor", "currency", "code"),
    [
        (None, 1, "USD", "25"),
        (HELD, 10_001, "USD", "13"),
        (HELD, 0, "USD", "13"),
        (HELD, 1, "EUR", "12"),
        (PARTLY, 6_001, "USD", "13"),
        (CAPTURED, 1, "USD", "12"),
        (SOLD, 1, "USD", "12"),
        (CANCELLED, 1, "USD", "12"),
        (REVERSED, 1, "USD", "12"),
        (DECLINED, 1, "USD", "12"),
    ],
)
def test_capture_is_refused(
    opening: Opening | None, amount_minor: int, currency: str, code: str
) -> None:
    decision = rules.capture(opening, amount_minor, currency, final=True)
    assert (decision.response_code, decision.opening) == (code, None)


def test_cancel_releases_the_hold() -> None:
    decision = rules.cancel(HELD, 10_000)
    assert (decision.opening, decision.balance) == (State.CANCELLED, Balance())


@pytest.mark.parametrize(
    ("opening", "code"),
    [
        (None, "25"),
        (PARTLY, "12"),
        (CAPTURED, "12"),
        (SOLD, "12"),
        (CANCELLED, "12"),
        (REVERSED, "12"),
        (DECLINED, "12"),
    ],
)
def test_cancel_is_refused(opening: Opening | None, code: str) -> None:
    decision = rules.cancel(opening, 10_000)
    assert (decision.response_code, decision.opening) == (code, None)


@pytest.mark.parametrize("opening", [SOLD, CAPTURED])
def test_refund_takes_from_what_was_captured(opening: Opening) -> None:
    decision = rules.refund(opening, 10_000, "USD")
    assert decision.balance == Balance(captured_minor=10_000, refunded_minor=10_000)


@pytest.mark.parametrize(
    ("opening", "amount_minor", "currency", "code"),
    [
        (None, 1, "USD", "25"),
        (SOLD, 10_001, "USD", "13"),
        (SOLD, 0, "USD", "13"),
        (SOLD, 1, "EUR", "12"),
        (REFUNDED, 10_000, "USD", "13"),
        (HELD, 1, "USD", "12"),
        (REVERSED, 1, "USD", "12"),
        (DECLINED, 1, "USD", "12"),
    ],
)
def test_refund_is_refused(
    opening: Opening | None, amount_minor: int, currency: str, code: str
) -> None:
    decision = rules.refund(opening, amount_minor, currency)
    assert (decision.response_code, decision.opening) == (code, None)


@pytest.mark.parametrize("opening", [HELD, SOLD])
def test_reversal_undoes_the_whole_charge(opening: Opening) -> None:
    decision = rules.reverse(opening, 10_000)
    assert (decision.response_code, decision.opening) == ("00", State.REVERSED)
    assert (decision.balance, decision.amount_minor) == (Balance(), 10_000)


@pytest.mark.parametrize("opening", [REVERSED, CANCELLED, DECLINED])
def test_reversal_of_what_moved_no_money_is_acknowledged(opening: Opening) -> None:
    decision = rules.reverse(opening, 10_000)
    assert (decision.response_code, decision.opening) == ("00", None)


def test_reversal_of_an_unknown_message_is_remembered() -> None:
    assert rules.reverse(None, 10_000) == Decision("25", State.REMEMBERED, 10_000)


@pytest.mark.parametrize("opening", [PARTLY, CAPTURED, REFUNDED])
def test_reversal_of_what_was_followed_is_refused(opening: Opening) -> None:
    assert rules.reverse(opening, 10_000).response_code == "12"


def test_reversal_of_a_capture_is_refused() -> None:
    assert rules.reverse(CAPTURED, 10_000, is_opening=False).response_code == "12"


def test_follow_up_ordered_to_be_refused_moves_nothing() -> None:
    decided = rules.capture(HELD, 10_000, "USD", final=True)
    assert rules.under_orders(decided, "05", 10_000) == Decision("05", State.DECLINED, 10_000)


def test_follow_up_ordered_to_be_approved_otherwise_keeps_its_money() -> None:
    decided = rules.refund(SOLD, 10_000, "USD")
    assert rules.under_orders(decided, "08", 10_000) == replace(decided, response_code="08")
    refused = rules.refund(None, 10_000, "USD")
    assert rules.under_orders(refused, "08", 10_000) == refused


def _event(kind: str, amount_minor: int, opening: Opening | None) -> Decision:
    match kind:
        case "capture" | "final capture":
            return rules.capture(opening, amount_minor, "USD", final=kind == "final capture")
        case "refund":
            return rules.refund(opening, amount_minor, "USD")
        case "cancel":
            return rules.cancel(opening, amount_minor)
    return rules.reverse(opening, amount_minor)


@given(
    operation=st.sampled_from([BankOperation.AUTHORIZE, BankOperation.SALE]),
    amount_minor=st.integers(1, 100),
    events=st.lists(
        st.tuples(
            st.sampled_from(["capture", "final capture", "refund", "cancel", "reversal"]),
            st.integers(0, 100),
        ),
        max_size=12,
    ),
)
def test_money_stays_sound_under_any_order_of_events(
    operation: BankOperation, amount_minor: int, events: list[tuple[str, int]]
) -> None:
    """Nothing goes below nought, no more is captured than was held, none refunded than captured."""
    charged = rules.charge(Charge(operation, amount_minor))
    opening = Opening(operation, charged.state, "USD", charged.balance)
    for kind, event_minor in events:
        decision = _event(kind, event_minor, opening)
        assert (decision.opening is not None) <= rules.approves(decision.response_code)
        if decision.opening is not None:
            opening = replace(opening, state=decision.opening, balance=decision.balance)
        balance = opening.balance
        assert balance.held_minor >= 0
        assert 0 <= balance.refunded_minor <= balance.captured_minor
        assert balance.held_minor + balance.captured_minor <= amount_minor
        assert not balance.held_minor or opening.state is State.HELD
