"""What a message asks of the bank, read from its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from netvalve.banks.iso8583.messages import Message
from netvalve.banks.iso8583.specification import MessageType, ProcessingCode, Tag
from netvalve.catalogue.currencies import Currency, currency_by_number
from netvalve.catalogue.errors import UnknownEntryError
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.card import CardNumber, SecurityCode

CHARGES: Final = frozenset({BankOperation.AUTHORIZE, BankOperation.SALE, BankOperation.REBILL})
"""What opens an order and needs a card."""

FOLLOW_UPS: Final = frozenset({BankOperation.CAPTURE, BankOperation.REFUND, BankOperation.CANCEL})
"""What the merchant asks about an earlier message."""

_BY_TYPE: Final = {
    MessageType.AUTHORIZE: BankOperation.AUTHORIZE,
    MessageType.ADVICE: BankOperation.CAPTURE,
    MessageType.CANCEL: BankOperation.CANCEL,
    MessageType.REVERSAL: BankOperation.REVERSAL,
}
_ALWAYS: Final = ("4", "7", "11", "32", "37", "41", "49")
_OF_CHARGES: Final = ("2", "14")
_OF_THE_REST: Final = ("90",)
_SET: Final = "1"


class FormatError(ValueError):
    """A message that can be read and makes no sense; names the field, not what it holds."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What makes a message itself: two messages with one key are one message.

    The acquirer and the terminal, the time of the transmission (MMDDhhmmss, UTC), the STAN.
    """

    acquirer_id: str
    terminal_id: str
    transmitted_at: str
    stan: str


@dataclass(frozen=True, slots=True)
class OriginalElements:
    """Field 90: the message that this one is about. It does not name the terminal."""

    message_type: str
    stan: str
    transmitted_at: str
    acquirer_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """One message to the bank; what is secret in it cannot be shown."""

    operation: BankOperation
    key: MessageKey
    message_type: str
    """Of the first sending: a repeat's too ends in 0."""
    repeat: bool
    rrn: str
    amount_minor: int
    currency: Currency
    card: CardNumber | None = None
    expiry: str | None = field(default=None, repr=False)
    """YYMM."""
    security_code: SecurityCode | None = None
    address: str | None = field(default=None, repr=False)
    zip_code: str | None = field(default=None, repr=False)
    original: OriginalElements | None = None
    final_capture: bool = False


def read_request(message: Message) -> Request:
    """The payment, follow-up or reversal that a message asks for.

    Raises:
        FormatError: a field is missing or the message is of no type that a bank serves.
    """
    fields, tags = message.fields, message.tags
    first_type = f"{message.type[:3]}0"
    operation = _operation(first_type, fields, tags)
    _require(fields, _ALWAYS)
    _require(fields, _OF_CHARGES if operation in CHARGES else _OF_THE_REST)
    return Request(
        operation=operation,
        key=MessageKey(_number(fields["32"]), fields["41"].rstrip(), fields["7"], fields["11"]),
        message_type=first_type,
        repeat=message.type[3] == "1",
        rrn=fields["37"],
        amount_minor=int(fields["4"]),
        currency=_currency(fields["49"]),
        card=CardNumber(fields["2"]) if "2" in fields else None,
        expiry=fields.get("14"),
        security_code=SecurityCode(tags[Tag.CVV2]) if Tag.CVV2 in tags else None,
        address=tags.get(Tag.AVS_ADDRESS),
        zip_code=tags.get(Tag.AVS_ZIP),
        original=_original(fields["90"]) if "90" in fields else None,
        final_capture=tags.get(Tag.FINAL_CAPTURE) == _SET,
    )


def _operation(
    first_type: str, fields: Mapping[str, str], tags: Mapping[str, str]
) -> BankOperation:
    if first_type in _BY_TYPE:
        return _BY_TYPE[first_type]
    if first_type != MessageType.FINANCIAL:
        raise FormatError("the message type is not served")
    match fields.get("3"):
        case ProcessingCode.REFUND:
            return BankOperation.REFUND
        case ProcessingCode.PURCHASE:
            return BankOperation.REBILL if tags.get(Tag.REBILL) == _SET else BankOperation.SALE
    raise FormatError("field 3 is missing or not served")


def _require(fields: Mapping[str, str], numbers: tuple[str, ...]) -> None:
    for number in numbers:
        if number not in fields:
            raise FormatError(f"field {number} is missing")


def _currency(number: str) -> Currency:
    try:
        return currency_by_number(number)
    except UnknownEntryError:
        raise FormatError("field 49 is no currency") from None


def _original(elements: str) -> OriginalElements:
    return OriginalElements(
        message_type=f"{elements[:3]}0",
        stan=elements[4:10],
        transmitted_at=elements[10:20],
        acquirer_id=_number(elements[20:31]),
    )


def _number(padded: str) -> str:
    """An acquirer's number as field 32 and field 90 both have it: without leading zeros."""
    return padded.lstrip("0") or "0"
