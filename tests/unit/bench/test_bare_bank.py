"""The bare bank answers as a bank does, and its book is one that `reconcile` reads."""

from dataclasses import replace
from itertools import count

import pytest
from bench.bare_bank import Bank
from bench.bare_book import COLUMNS, Line, lines_of

from netvalve.banks.iso8583.answers import decode_answer, match_key
from netvalve.banks.iso8583.messages import FrameReader, decode_message
from netvalve.banks.iso8583.network import network_request
from netvalve.banks.iso8583.requests import encode_request
from netvalve.domain.bank_book import REQUIRED, BookState
from netvalve.domain.bank_message import BankOperation, BankRequest, OriginalMessage
from unit.banks.bank_requests import ACQUIRER_ID, CHARGES, FOLLOW_UPS, bank_request, identity

_stans = count(100)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def asked(bank: Bank, request: BankRequest) -> bytes:
    """What it answers, without the length header; nothing where it says nothing."""
    framed = bank.answer(encode_request(request, ACQUIRER_ID))
    return next(FrameReader().feed(framed)) if framed else b""


def a_request(operation: BankOperation, about: BankRequest | None = None) -> BankRequest:
    request = bank_request(operation, identity=identity(next(_stans)))
    if about is None:
        return request
    original = OriginalMessage(about.operation, about.identity, "B00001")
    return replace(request, original=original)


def booked(bank: Bank) -> list[Line]:
    return list(lines_of(bank.booked))


@pytest.mark.parametrize("operation", BankOperation)
def test_the_answer_is_the_one_the_message_waits_for(bank: Bank, operation: BankOperation) -> None:
    request = a_request(operation)
    answer = decode_answer(decode_message(asked(bank, request)))
    assert answer.key == match_key(operation, request.identity)
    assert answer.answered.response_code == "00"
    assert answer.answered.amount_minor == request.amount_minor


@pytest.mark.parametrize("operation", CHARGES)
def test_an_approval_names_the_scheme_and_what_was_verified(
    bank: Bank, operation: BankOperation
) -> None:
    answered = decode_answer(decode_message(asked(bank, a_request(operation)))).answered
    assert answered.scheme_transaction_id
    assert (answered.avs_result, answered.cvv2_result) == ("Y", "M")


def test_a_sign_on_is_answered_and_not_booked(bank: Bank) -> None:
    framed = bank.answer(network_request("001", ACQUIRER_ID, 0, "000001"))
    (answer,) = FrameReader().feed(framed)
    assert decode_message(answer).fields["39"] == "00"
    assert not bank.booked


def test_an_unanswered_message_is_booked(bank: Bank) -> None:
    bank.unanswered_percent = 100
    assert asked(bank, a_request(BankOperation.SALE)) == b""
    assert [line.state for line in booked(bank)] == [BookState.CAPTURED]


def test_a_repeat_is_booked_once(bank: Bank) -> None:
    refund = a_request(BankOperation.REFUND)
    assert asked(bank, refund) == asked(bank, replace(refund, repeat=True))
    assert len(booked(bank)) == 1


@pytest.mark.parametrize("operation", [*CHARGES, *FOLLOW_UPS])
def test_the_book_says_which_operation_it_was(bank: Bank, operation: BankOperation) -> None:
    asked(bank, a_request(operation))
    assert [line.operation for line in booked(bank)] == [operation]


def test_a_capture_and_its_refund_change_the_line_of_the_authorization(bank: Bank) -> None:
    authorize = a_request(BankOperation.AUTHORIZE)
    capture = a_request(BankOperation.CAPTURE, authorize)
    for each in (authorize, capture, a_request(BankOperation.REFUND, capture)):
        asked(bank, each)
    opening, *_ = booked(bank)
    assert opening.state is BookState.CAPTURED
    assert (opening.captured_minor, opening.refunded_minor) == (1200, 1200)


def test_a_part_that_is_not_final_leaves_the_rest_held(bank: Bank) -> None:
    authorize = a_request(BankOperation.AUTHORIZE)
    part = replace(a_request(BankOperation.CAPTURE, authorize), amount_minor=1, final_capture=False)
    asked(bank, authorize)
    asked(bank, part)
    assert booked(bank)[0].state is BookState.HELD


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        (BankOperation.CANCEL, BookState.CANCELLED),
        (BankOperation.REVERSAL, BookState.REVERSED),
    ],
)
def test_what_is_undone_holds_no_money(
    bank: Bank, operation: BankOperation, state: BookState
) -> None:
    authorize = a_request(BankOperation.AUTHORIZE)
    asked(bank, authorize)
    asked(bank, a_request(operation, authorize))
    opening = booked(bank)[0]
    assert (opening.state, opening.captured_minor) == (state, 0)


def test_the_book_has_the_columns_that_every_book_has() -> None:
    assert {*REQUIRED} <= {*COLUMNS}
