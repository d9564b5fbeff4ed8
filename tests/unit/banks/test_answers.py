"""An answer is read whole, and belongs to one message alone."""

import pytest

from netvalve.banks.iso8583.answers import ANSWER_TYPES, decode_answer, match_key
from netvalve.banks.iso8583.fields import MalformedMessage
from netvalve.banks.iso8583.messages import Message
from netvalve.domain.bank_message import Answered, BankOperation
from unit.banks.bank_requests import identity

FIELDS = {
    "t": "0210",
    "4": "000000001200",
    "7": "1109123858",
    "11": "000007",
    "37": "631312000007",
    "38": "TAS390",
    "39": "00",
    "41": "NV000001",
    "44": "YM",
    "49": "840",
}


def test_an_approval_is_read_whole() -> None:
    answer = decode_answer(Message(FIELDS, {"24": "301234567890123"}))
    assert answer.identity == identity()
    assert answer.key == match_key(BankOperation.SALE, identity())
    assert answer.answered == Answered(
        response_code="00",
        amount_minor=1200,
        currency_number="840",
        auth_code="TAS390",
        rrn="631312000007",
        scheme_transaction_id="301234567890123",
        avs_result="Y",
        cvv2_result="M",
    )


def test_what_the_bank_leaves_out_is_absent() -> None:
    bare = {number: FIELDS[number] for number in ("t", "11", "37", "39", "41")}
    answer = decode_answer(Message(bare | {"38": " " * 6, "44": " N"}, {}))
    assert answer.identity.transmitted_at == ""
    assert answer.answered == Answered("00", rrn="631312000007", cvv2_result="N")


@pytest.mark.parametrize("number", ["11", "37", "39", "41"])
def test_an_answer_without_identity_or_response_code_is_malformed(number: str) -> None:
    fields = {each: value for each, value in FIELDS.items() if each != number}
    with pytest.raises(MalformedMessage, match=f"field {number}"):
        decode_answer(Message(fields, {}))


@pytest.mark.parametrize("number", ["t", "11", "37", "41"])
def test_an_answer_that_differs_in_its_identity_belongs_to_another(number: str) -> None:
    other = {"t": "0430", "11": "000008", "37": "631312000008", "41": "NV000002"}
    answer = decode_answer(Message(FIELDS | {number: other[number]}, {}))
    assert answer.key != match_key(BankOperation.SALE, identity())


def test_a_short_terminal_matches_its_padded_echo() -> None:
    answer = decode_answer(Message(FIELDS | {"41": "NV1     "}, {}))
    assert answer.key == match_key(BankOperation.SALE, identity(terminal_id="NV1"))


def test_the_answers_are_of_five_types() -> None:
    assert {"0110", "0210", "0230", "0410", "0430"} == ANSWER_TYPES
