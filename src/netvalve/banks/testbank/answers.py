"""The answer to a message, as its fields and then as what goes over the wire, faults included."""

from dataclasses import dataclass
from typing import Final

from netvalve.banks.iso8583.fields import TYPE
from netvalve.banks.iso8583.messages import Message, encode_message, frame
from netvalve.banks.iso8583.specification import (
    ECHOED,
    LENGTH_HEADER_BYTES,
    NetworkCode,
    Tag,
    answer_type,
)
from netvalve.banks.testbank import rules
from netvalve.banks.testbank.entry import Entry
from netvalve.banks.testbank.misbehaviour import Fault, Misbehaviour
from netvalve.banks.testbank.pace import Pace
from netvalve.banks.testbank.request import CHARGES
from netvalve.banks.testbank.teller import Reply
from netvalve.catalogue.currencies import currency

_UNREADABLE: Final = 0x80
"""No byte of a message has this bit but those of the bitmaps, so with it nothing can be read."""
_CUT: Final = frozenset({Fault.HALF, Fault.CUT_BEFORE_BOOKING, Fault.CUT_AFTER_BOOKING})
_WITHOUT_ANSWER: Final = frozenset(
    {
        Fault.SILENT,
        Fault.SILENT_ONCE,
        Fault.LOST,
        Fault.CUT_BEFORE_BOOKING,
        Fault.CUT_AFTER_BOOKING,
    }
)
_NETWORK_CODES: Final = frozenset({NetworkCode.SIGN_ON, NetworkCode.SIGN_OFF, NetworkCode.ECHO})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes over the wire, when, and whether the link is cut after it."""

    pieces: tuple[bytes, ...]
    delay_s: float = 0
    cut: bool = False


def network_answer(message: Message) -> bytes:
    """The frame that answers a sign-on, an echo test or a sign-off."""
    known = message.fields.get("70") in _NETWORK_CODES
    signs_on = message.fields.get("70") == NetworkCode.SIGN_ON
    tags = {Tag.TEST_BANK: "1"} if signs_on else {}
    return _framed(message, rules.APPROVED if known else rules.FORMAT_ERROR, {}, tags)


def refusal(message: Message, response_code: str) -> bytes:
    """The frame that refuses a message of which nothing is booked."""
    return _framed(message, response_code, {}, {})


def delivery(message: Message, reply: Reply, pace: Pace) -> Delivery:
    """How a reply is delivered, if at all."""
    fault = reply.misbehaviour.fault if reply.misbehaviour else None
    return Delivery(
        _pieces(_answer(message, reply), fault),
        pace.latency_s + _own_delay_s(reply.misbehaviour, pace),
        cut=fault in _CUT,
    )


def _pieces(answer: bytes, fault: Fault | None) -> tuple[bytes, ...]:
    if fault in _WITHOUT_ANSWER:
        return ()
    match fault:
        case Fault.HALF:
            return (answer[: len(answer) // 2],)
        case Fault.GARBLED:
            return (_garbled(answer),)
        case Fault.TWICE:
            return (answer, answer)
    return (answer,)


def _own_delay_s(misbehaviour: Misbehaviour | None, pace: Pace) -> float:
    match misbehaviour:
        case Misbehaviour(Fault.LATE, delay_s=None):
            return pace.late_s
        case Misbehaviour(delay_s=float(own_s)):
            return own_s
    return 0


def _answer(message: Message, reply: Reply) -> bytes:
    entry = reply.entry
    if entry is None:
        return refusal(message, reply.response_code)
    fields, tags = dict[str, str](), dict[str, str]()
    if entry.auth_code:
        fields["38"] = entry.auth_code
    if entry.verification:
        fields["44"] = entry.verification
    if entry.scheme_transaction_id:
        tags[Tag.SCHEME_TRANSACTION_ID] = entry.scheme_transaction_id
    if entry.operation in CHARGES and rules.approves(entry.response_code):
        fields |= _money(entry, reply.misbehaviour)
    return _framed(message, entry.response_code, fields, tags)


def _money(entry: Entry, misbehaviour: Misbehaviour | None) -> dict[str, str]:
    """Fields 4 and 49 of an approval: what is booked, unless the fault is to say otherwise."""
    amount_minor, code = entry.amount_minor, entry.currency
    match misbehaviour:
        case Misbehaviour(Fault.WRONG_AMOUNT):
            amount_minor += 1
        case Misbehaviour(Fault.WRONG_CURRENCY):
            code = "USD" if code == "EUR" else "EUR"
    return {"4": f"{amount_minor:012d}", "49": currency(code).number}


def _framed(
    message: Message, response_code: str, fields: dict[str, str], tags: dict[str, str]
) -> bytes:
    echoed = {number: message.fields[number] for number in ECHOED if number in message.fields}
    head = {TYPE: answer_type(message.type), "39": response_code}
    return frame(encode_message(head | echoed | fields, tags))


def _garbled(answer: bytes) -> bytes:
    header, body = answer[:LENGTH_HEADER_BYTES], answer[LENGTH_HEADER_BYTES:]
    return header + bytes(byte | _UNREADABLE for byte in body)
