"""The message layout: which fields travel, how each is encoded, and what the private ones hold.

Both ends read this: the link and the test bank. `docs/bank-link.md` says it in words.
Source: ISO 8583:1987.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

LENGTH_HEADER_BYTES: Final = 2
"""Each message is preceded by its length, big endian, itself not counted."""

MESSAGE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, name, length and kind of length."""

    number: str
    name: str
    length: int
    length_digits: int = 0
    """0 for a fixed length, 2 for LLVAR, 3 for LLLVAR."""


FIELDS: Final = (
    Field("2", "Primary account number", 19, 2),
    Field("3", "Processing code", 6),
    Field("4", "Amount, in minor units", 12),
    Field("7", "Transmission date and time, MMDDhhmmss UTC", 10),
    Field("11", "System trace audit number (STAN)", 6),
    Field("12", "Local time, hhmmss", 6),
    Field("13", "Local date, MMDD", 4),
    Field("14", "Expiration date, YYMM", 4),
    Field("18", "Merchant category code", 4),
    Field("19", "Country of the merchant, ISO 3166 numeric", 3),
    Field("22", "Point of service entry mode", 3),
    Field("25", "Point of service condition code", 2),
    Field("32", "Acquiring institution identification", 11, 2),
    Field("37", "Retrieval reference number (RRN)", 12),
    Field("38", "Authorization identification response", 6),
    Field("39", "Response code", 2),
    Field("41", "Terminal identification", 8),
    Field("42", "Merchant identification", 15),
    Field("43", "Card acceptor name and location", 40),
    Field("44", "Additional response data: AVS result, CVV2 result", 25, 2),
    Field("48", "Additional data, private: tagged values", 999, 3),
    Field("49", "Currency, ISO 4217 numeric", 3),
    Field("70", "Network management information code", 3),
    Field("90", "Original data elements", 42),
)


def _encoding(field: Field) -> dict[str, Any]:
    return {
        "data_enc": "ascii",
        "len_enc": "ascii",
        "len_type": field.length_digits,
        "max_len": field.length,
        "desc": field.name,
    }


def _binary(length: int, name: str) -> dict[str, Any]:
    return {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": length, "desc": name}


SPECIFICATION: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "h": {**_encoding(Field("h", "Header", 0))},
        "t": {**_encoding(Field("t", "Message type", 4))},
        "p": _binary(8, "Primary bitmap"),
        "1": _binary(8, "Secondary bitmap"),
        **{field.number: _encoding(field) for field in FIELDS},
    }
)
"""The layout as pyiso8583 reads it: text in ASCII, bitmaps binary."""


class MessageType:
    """Message type indicators. A request ends in 0, its repeat in 1; an answer adds 10."""

    AUTHORIZE = "0100"
    FINANCIAL = "0200"
    """Sale, rebill and refund, told apart by the processing code."""
    ADVICE = "0220"
    """Capture."""
    CANCEL = "0400"
    REVERSAL = "0420"
    NETWORK = "0800"


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


POS_ENTRY_MODE: Final = "010"
"""Key entered, no terminal capability for PIN. Field 22."""
POS_CONDITION_ECOMMERCE: Final = "59"
"""Field 25."""
POS_CONDITION_RECURRING: Final = "08"
"""Field 25 of a merchant-initiated payment: mail order, telephone order or recurring."""
