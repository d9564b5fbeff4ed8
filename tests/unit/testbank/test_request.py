"""How a message is read, and that what is secret in it is not shown."""

from typing import Any

import pytest

from netvalve.banks.iso8583.messages import Message
from netvalve.banks.testbank.request import FormatError, OriginalElements, read_request
from netvalve.domain.bank_message import BankOperation

PLAIN = {
    "t": "0200", "2": "4012000098765439", "3": "000000", "4": "000000001234", "7": "1122130000",
    "11": "000042", "14": "3012", "32": "00400001", "37": "632613000042", "41": "NV01    ",
    "49": "840", "90": "0100" + "000041" + "1122125959" + "00000400001" + "0" * 11,
}  # fmt: skip


def read(tags: dict[str, str] | None = None, **changes: str | None) -> Any:
    fields = PLAIN | {name[1:]: value for name, value in changes.items()}
    given = {number: value for number, value in fields.items() if value is not None}
    return read_request(Message(given, tags or {}))


@pytest.mark.parametrize(
    ("message_type", "processing_code", "tags", "operation"),
    [
        ("0100", "000000", {}, BankOperation.AUTHORIZE),
        ("0200", "000000", {}, BankOperation.SALE),
        ("0200", "000000", {"33": "1"}, BankOperation.REBILL),
        ("0200", "200000", {}, BankOperation.REFUND),
        ("0220", "000000", {}, BankOperation.CAPTURE),
        ("0400", "000000", {}, BankOperation.CANCEL),
        ("0420", "000000", {}, BankOperation.REVERSAL),
    ],
)
@pytest.mark.parametrize("repeat", ["0", "1"])
def test_type_and_processing_code_say_the_operation(
    message_type: str,
    processing_code: str,
    tags: dict[str, str],
    operation: BankOperation,
    repeat: str,
) -> None:
    request = read(tags, ft=message_type[:3] + repeat, f3=processing_code)
    assert (request.operation, request.message_type) == (operation, message_type)
    assert request.repeat == (repeat == "1")


def test_acquirer_is_the_same_in_field_32_and_field_90() -> None:
    request = read(ft="0220")
    assert request.key.acquirer_id == "400001"
    assert request.original == OriginalElements("0100", "000041", "1122125959", "400001")


@pytest.mark.parametrize("number", ["2", "3", "4", "7", "11", "14", "32", "37", "41", "49"])
def test_sale_without_a_needed_field_is_refused(number: str) -> None:
    with pytest.raises(FormatError, match=f"field {number} "):
        read(**{f"f{number}": None})


@pytest.mark.parametrize("message_type", ["0220", "0400", "0420"])
def test_follow_up_names_its_original(message_type: str) -> None:
    with pytest.raises(FormatError, match="field 90"):
        read(ft=message_type, f90=None)


@pytest.mark.parametrize("changes", [{"ft": "0300"}, {"f3": "010000"}, {"f49": "998"}])
def test_message_that_is_not_served_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        read(**changes)


def test_nothing_secret_is_shown() -> None:
    shown = repr(read({"92": "987", "81": "1 Main St", "82": "10001"}))
    for secret in ("4012000098765439", "987", "3012", "Main", "10001"):
        assert secret not in shown
