"""The message layout: which fields travel, how each is encoded, and what the private ones hold.

Both ends read this: the link and the test bank. `docs/bank-link.md` says it in words.
Source: ISO 8583:1987.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LENGTH_HEADER_BYTES: Final = 2
"""Each message is preceded by its length, big endian, itself not counted."""

MESSAGE_BYTES_MAX: Final = 4096


class Content(StrEnum):
    """What a field may hold, in the notation of ISO 8583."""

    DIGITS = "n"
    TEXT = "ans"
    """Letters, digits, signs and spaces: printable ASCII."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, name, length in characters, content and kind of length."""

    number: str
    name: str
    length: int
    content: Content
    length_digits: int = 0
    """0 for a fixed length, 2 for LLVAR, 3 for LLLVAR."""

    @property
    def notation(self) -> str:
        """`n 12`, `n ..19`, as ISO 8583 writes a field's format."""
        return f"{self.content} {'..' if self.length_digits else ''}{self.length}"


_N, _ANS = Content.DIGITS, Content.TEXT

FIELDS: Final = (
    Field("2", "Primary account number", 19, _N, 2),
    Field("3", "Processing code", 6, _N),
    Field("4", "Amount, in minor units", 12, _N),
    Field("7", "Transmission date and time, MMDDhhmmss UTC", 10, _N),
    Field("11", "System trace audit number (STAN)", 6, _N),
    Field("12", "Local time, hhmmss", 6, _N),
    Field("13", "Local date, MMDD", 4, _N),
    Field("14", "Expiration date, YYMM", 4, _N),
    Field("18", "Merchant category code", 4, _N),
    Field("19", "Country of the merchant, ISO 3166 numeric", 3, _N),
    Field("22", "Point of service entry mode", 3, _N),
    Field("25", "Point of service condition code", 2, _N),
    Field("32", "Acquiring institution identification", 11, _N, 2),
    Field("37", "Retrieval reference number (RRN)", 12, _ANS),
    Field("38", "Authorization identification response", 6, _ANS),
    Field("39", "Response code", 2, _ANS),
    Field("41", "Terminal identification", 8, _ANS),
    Field("42", "Merchant identification", 15, _ANS),
    Field("43", "Card acceptor name and location", 40, _ANS),
    Field("44", "Additional response data: AVS result, CVV2 result", 25, _ANS, 2),
    Field("48", "Additional data, private: tagged values", 999, _ANS, 3),
    Field("49", "Currency, ISO 4217 numeric", 3, _N),
    Field("70", "Network management information code", 3, _N),
    Field("90", "Original data elements", 42, _N),
)

ECHOED: Final = ("3", "4", "7", "11", "12", "13", "32", "37", "41", "42", "49", "70")
"""What an answer says again of its request, where the request has it. The card number is not."""


class MessageType:
    """Message type indicators of requests; the repeat of one ends in 1.

    `answer_type` gives the answer's: a repeat is answered like what it repeats.
    """

    AUTHORIZE = "0100"
    FINANCIAL = "0200"
    """Sale, rebill and refund, told apart by the processing code."""
    ADVICE = "0220"
    """Capture."""
    CANCEL = "0400"
    REVERSAL = "0420"
    NETWORK = "0800"


def repeat_type(message_type: str) -> str:
    """The type of the repeat: `0200` → `0201`."""
    return f"{message_type[:3]}1"


def answer_type(message_type: str) -> str:
    """The type of the answer: `0200` → `0210`, and `0201` → `0210` as well."""
    return f"{message_type[:2]}{int(message_type[2]) + 1}0"


class ProcessingCode:
    """Field 3."""

    PURCHASE = "000000"
    REFUND = "200000"


class NetworkCode:
    """Field 70."""

    SIGN_ON = "001"
    SIGN_OFF = "002"
    ECHO = "301"


class Tag:
    """The tagged values of field 48, each `tag (2) length (3 digits) value`."""

    RECURRENCE = "20"
    """`Initial` or `Repeated`."""
    INITIATOR = "21"
    """`CIT` or `MIT`: who uses the card on file."""
    SCHEDULE = "22"
    """The API's recurringScheduleType."""
    TRANSACTION_TYPE = "23"
    """The API's requestTransactionType."""
    SCHEME_TRANSACTION_ID = "24"
    """In an approval: the scheme's id. In a rebill: that of the first approval."""
    DESCRIPTOR = "30"
    """The descriptor whole, up to 50 characters; field 43 has room for 22."""
    FINAL_CAPTURE = "31"
    """`1`: the rest of the authorization is released."""
    PARTIAL_APPROVAL = "32"
    """`1`: an approval of less (39 = 10) may stand."""
    REBILL = "33"
    """`1`: a merchant-initiated charge of an earlier approval's card."""
    ECI = "42"
    CAVV = "43"
    THREE_DS_VERSION = "44"
    DS_TRANSACTION_ID = "45"
    XID = "46"
    AVS_ADDRESS = "81"
    AVS_ZIP = "82"
    CVV2 = "92"
    TEST_BANK = "99"
    """In the answer to a sign-on: `1` marks a test bank. A sandbox talks to no other."""


@dataclass(frozen=True, slots=True)
class TaggedValue:
    """One tagged value of field 48: its tag, name and greatest length in characters."""

    tag: str
    name: str
    length_max: int


TAGGED_VALUES: Final = (
    TaggedValue(Tag.RECURRENCE, "Recurrence, `Initial` or `Repeated`", 20),
    TaggedValue(Tag.INITIATOR, "Initiator, `CIT` or `MIT`", 3),
    TaggedValue(Tag.SCHEDULE, "Schedule of the card on file", 40),
    TaggedValue(Tag.TRANSACTION_TYPE, "Type of the payment, e.g. `RECURRING`", 20),
    TaggedValue(Tag.SCHEME_TRANSACTION_ID, "Transaction id of the card scheme", 36),
    TaggedValue(Tag.DESCRIPTOR, "Descriptor, whole", 50),
    TaggedValue(Tag.FINAL_CAPTURE, "Final capture: `1`", 1),
    TaggedValue(Tag.PARTIAL_APPROVAL, "Partial approval is welcome: `1`", 1),
    TaggedValue(Tag.REBILL, "Rebill: `1`", 1),
    TaggedValue(Tag.ECI, "3-D Secure: electronic commerce indicator", 4),
    TaggedValue(Tag.CAVV, "3-D Secure: cardholder authentication value", 64),
    TaggedValue(Tag.THREE_DS_VERSION, "3-D Secure: version", 8),
    TaggedValue(Tag.DS_TRANSACTION_ID, "3-D Secure: directory server transaction id", 36),
    TaggedValue(Tag.XID, "3-D Secure: transaction id of version 1", 64),
    TaggedValue(Tag.AVS_ADDRESS, "Card holder's address", 128),
    TaggedValue(Tag.AVS_ZIP, "Card holder's postal code", 10),
    TaggedValue(Tag.CVV2, "Card security code", 4),
    TaggedValue(Tag.TEST_BANK, "Test bank: `1`", 1),
)
"""All of them at their longest fit into field 48 together."""

POS_ENTRY_MODE: Final = "010"
"""Key entered, no terminal capability for PIN. Field 22."""
POS_CONDITION_ECOMMERCE: Final = "59"
"""Field 25."""
POS_CONDITION_RECURRING: Final = "08"
"""Field 25 of a merchant-initiated payment: mail order, telephone order or recurring."""
