"""What is approved here is booked there, with the same money, and the other way round."""

from dataclasses import replace
from typing import Any

import pytest

from netvalve.domain.bank_book import BookError, BookLine, BookState, book_lines
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.lifecycle import State
from netvalve.domain.position import Position
from netvalve.domain.reconciliation import Period, Reconciliation, Sums, Verdict, compare
from netvalve.domain.transaction import TransactionType

SALE = Position(
    transaction_id=1001,
    rrn="632613000042",
    terminal_id="NV000000",
    type=TransactionType.SALE,
    state=State.APPROVED,
    currency="USD",
    amount_minor=1200,
    opened_at_ms=1_795_000_000_000,
    order_captured_minor=1200,
    order_refunded_minor=0,
    order_updated_at_ms=1_795_000_000_500,
    order_in_flight=False,
)
BOOKED = BookLine(
    rrn=SALE.rrn,
    terminal_id=SALE.terminal_id,
    operation=BankOperation.SALE,
    currency="USD",
    amount_minor=1200,
    state=BookState.CAPTURED,
    captured_minor=1200,
    refunded_minor=0,
)
HOLD = replace(SALE, type=TransactionType.AUTHORIZATION, order_captured_minor=0)
HELD = replace(BOOKED, operation=BankOperation.AUTHORIZE, state=BookState.HELD, captured_minor=0)


def verdicts(found: Reconciliation) -> list[Verdict]:
    return [each.verdict for each in found.differences]


def verdict_of(position: Position, *lines: BookLine) -> list[Verdict]:
    return verdicts(compare([position], lines))


def test_a_sale_that_both_have_alike_agrees_and_is_summed_on_both_sides() -> None:
    found = compare([SALE], [BOOKED])
    assert (found.agreed, found.waiting, found.differences) == (1, [], [])
    assert found.here == found.there == {"USD": Sums(captured_minor=1200)}


@pytest.mark.parametrize(
    ("position", "line"),
    [
        (HOLD, HELD),
        (
            replace(HOLD, state=State.CAPTURED, order_captured_minor=1200),
            replace(HELD, state=BookState.CAPTURED, captured_minor=1200),
        ),
        (
            replace(HOLD, state=State.PARTIALLY_SETTLED, order_captured_minor=500),
            replace(HELD, state=BookState.CAPTURED, captured_minor=500),
        ),
        (replace(HOLD, state=State.CANCELLED), replace(HELD, state=BookState.CANCELLED)),
        (
            replace(SALE, state=State.PARTIALLY_REFUNDED, order_refunded_minor=200),
            replace(BOOKED, refunded_minor=200),
        ),
        (
            replace(SALE, type=TransactionType.REFUND),
            replace(BOOKED, operation=BankOperation.REFUND, state=BookState.REFUNDED),
        ),
        (
            replace(SALE, type=TransactionType.CANCEL),
            replace(BOOKED, operation=BankOperation.CANCEL, state=BookState.CANCELLED),
        ),
        (
            replace(SALE, type=TransactionType.CAPTURE, order_captured_minor=500),
            replace(BOOKED, operation=BankOperation.CAPTURE, captured_minor=0),
        ),
        (replace(SALE, state=State.REVERSED), replace(BOOKED, state=BookState.REVERSED)),
        (replace(SALE, state=State.DECLINED), replace(BOOKED, state=BookState.DECLINED)),
        (SALE, replace(BOOKED, captured_minor=None, refunded_minor=None)),
    ],
)
def test_every_way_a_transaction_can_stand_has_a_line_that_agrees(
    position: Position, line: BookLine
) -> None:
    assert verdict_of(position, line) == []


@pytest.mark.parametrize("state", [State.FAILED, State.DECLINED, State.REVERSED])
def test_what_came_to_nothing_here_may_be_missing_there_but_not_booked(state: State) -> None:
    position = replace(SALE, state=state)
    assert verdict_of(position) == []
    assert verdict_of(position, BOOKED) == [Verdict.BOOKED]


@pytest.mark.parametrize("state", [BookState.DECLINED, BookState.REVERSED])
def test_what_is_approved_here_must_be_booked_there(state: BookState) -> None:
    assert verdict_of(SALE) == [Verdict.NOT_BOOKED]
    assert verdict_of(SALE, replace(BOOKED, state=state)) == [Verdict.NOT_BOOKED]


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 1201}, {"currency": "EUR"}, {"captured_minor": 0}, {"refunded_minor": 1}],
)
def test_other_money_there_is_a_difference(changes: dict[str, Any]) -> None:
    assert verdict_of(SALE, replace(BOOKED, **changes)) == [Verdict.MONEY]


def test_another_operation_or_state_there_is_a_difference() -> None:
    other = replace(BOOKED, operation=BankOperation.REBILL)
    assert verdict_of(SALE, other) == [Verdict.OPERATION]
    assert verdict_of(HOLD, replace(HELD, state=BookState.CAPTURED)) == [Verdict.STATE]


def test_a_line_that_moved_money_and_is_unknown_here_is_a_difference() -> None:
    found = compare([], [BOOKED])
    assert verdicts(found) == [Verdict.UNKNOWN]
    assert found.differences[0].transaction_id is None


@pytest.mark.parametrize("state", [BookState.DECLINED, BookState.REVERSED])
def test_a_line_that_moved_nothing_may_be_unknown_here(state: BookState) -> None:
    assert verdicts(compare([], [replace(BOOKED, state=state)])) == []


def test_a_reversal_is_no_line_of_its_own() -> None:
    line = replace(BOOKED, operation=BankOperation.REVERSAL, rrn="632613000043")
    assert verdicts(compare([], [line])) == []


def test_the_same_rrn_on_another_terminal_is_another_message() -> None:
    line = replace(BOOKED, terminal_id="NV000001")
    assert set(verdict_of(SALE, line)) == {Verdict.NOT_BOOKED, Verdict.UNKNOWN}


def test_one_message_booked_twice_is_a_difference() -> None:
    assert verdict_of(SALE, BOOKED, BOOKED) == [Verdict.TWICE]


def test_an_attempt_refused_before_it_was_booked_is_not_twice() -> None:
    refused = replace(BOOKED, state=BookState.DECLINED)
    assert verdict_of(SALE, refused, BOOKED) == []
    assert verdict_of(SALE, BOOKED, refused) == []


@pytest.mark.parametrize("state", [State.PENDING, State.REVERSING])
def test_what_is_still_being_ended_is_listed_apart(state: State) -> None:
    found = compare([replace(SALE, state=state)], [BOOKED])
    assert found.differences == []
    (waiting,) = found.waiting
    assert waiting.transaction_id == SALE.transaction_id
    assert waiting.there == "SALE CAPTURED 12.00 USD, order captured 12.00, refunded 0.00"


def test_an_order_in_flight_may_be_further_at_the_bank() -> None:
    line = replace(HELD, state=BookState.CAPTURED, captured_minor=1200)
    assert verdict_of(replace(HOLD, order_in_flight=True), line) == []
    assert verdict_of(HOLD, line) == [Verdict.STATE]


def test_only_the_period_of_the_book_has_to_be_complete() -> None:
    at_ms = SALE.opened_at_ms
    for period, expected in (
        (Period(), 1),
        (Period(since_ms=at_ms), 1),
        (Period(since_ms=at_ms + 1), 0),
        (Period(until_ms=at_ms + 501), 1),
        (Period(until_ms=at_ms), 0),
    ):
        assert len(compare([SALE], [], period).differences) == expected


def test_a_line_of_another_period_must_agree_all_the_same() -> None:
    line = replace(BOOKED, amount_minor=1)
    period = Period(since_ms=SALE.opened_at_ms + 1)
    assert verdicts(compare([SALE], [line], period)) == [Verdict.MONEY]


def test_what_has_moved_since_the_book_was_made_is_listed_apart() -> None:
    refunded = replace(SALE, state=State.PARTIALLY_REFUNDED, order_refunded_minor=200)
    at_ms = refunded.order_updated_at_ms
    moved = compare([refunded], [BOOKED], Period(until_ms=at_ms))
    assert (len(moved.waiting), moved.differences) == (1, [])
    assert verdicts(compare([refunded], [BOOKED], Period(until_ms=at_ms + 1))) == [Verdict.MONEY]
    assert compare([SALE], [BOOKED], Period(until_ms=at_ms)).agreed == 1


def test_each_sum_is_of_its_own_currency() -> None:
    positions = [
        replace(HOLD, rrn="1"),
        replace(SALE, rrn="2", currency="JPY"),
        replace(SALE, rrn="3", type=TransactionType.REFUND, amount_minor=200),
        replace(SALE, rrn="4", state=State.REVERSED, amount_minor=700),
    ]
    lines = [
        replace(HELD, rrn="1"),
        replace(BOOKED, rrn="2", currency="JPY"),
        replace(
            BOOKED,
            rrn="3",
            operation=BankOperation.REFUND,
            state=BookState.REFUNDED,
            amount_minor=200,
        ),
        replace(BOOKED, rrn="4", state=BookState.REVERSED, amount_minor=700),
    ]
    found = compare(positions, lines)
    assert found.here == found.there
    assert found.here["USD"] == Sums(held_minor=1200, refunded_minor=200, reversed_minor=700)
    assert found.here["JPY"] == Sums(captured_minor=1200)


def test_a_difference_says_both_sides_and_what_to_do() -> None:
    (difference,) = compare([SALE], [replace(BOOKED, amount_minor=1100)]).differences
    assert difference.here == "SALE APPROVED 12.00 USD, order captured 12.00, refunded 0.00"
    assert difference.there == "SALE CAPTURED 11.00 USD, order captured 12.00, refunded 0.00"
    assert difference.verdict.value.startswith("Settle the amount")


HEADING = "rrn,terminal,operation,currency,amount_minor,state,captured_minor,refunded_minor"
LINE = "632613000042,NV000000,SALE,USD,1200,CAPTURED,1200,0"


def test_a_book_is_read_by_the_names_of_its_columns() -> None:
    assert list(book_lines([HEADING, LINE])) == [BOOKED]
    turned = ["extra,state,amount_minor,currency,operation,terminal,rrn"]
    turned.append("x,CAPTURED,1200,USD,SALE,NV000000,632613000042")
    (line,) = book_lines(turned)
    assert line == replace(BOOKED, captured_minor=None, refunded_minor=None)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no column rrn"),
        (["rrn,state"], "no column terminal"),
        ([HEADING, LINE.replace("1200", "12.00")], "line 2"),
        ([HEADING, LINE, LINE.replace("SALE", "SELL")], "line 3"),
        ([HEADING, LINE.replace("USD", "XXX")], "'XXX' is not a currency"),
        ([HEADING, LINE.replace("CAPTURED", "TAKEN")], "line 2"),
        ([HEADING, "632613000042,NV000000"], "line 2"),
    ],
)
def test_a_book_that_makes_no_sense_names_the_line(lines: list[str], says: str) -> None:
    with pytest.raises(BookError, match=says):
        list(book_lines(lines))
