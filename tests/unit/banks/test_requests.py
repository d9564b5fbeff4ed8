"""Each operation becomes its message: type, fields, tagged values, original."""

from typing import Any

import pytest

from netvalve.banks.iso8583.fields import ImpossibleField
from netvalve.banks.iso8583.messages import Message, decode_message
from netvalve.banks.iso8583.requests import encode_request
from netvalve.banks.iso8583.specification import Tag
from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import BankOperation, Merchant, OriginalMessage, StoredCredential
from netvalve.domain.order import Customer, ThreeDS
from unit.banks.bank_requests import (
    ACQUIRER_ID,
    CHARGES,
    FOLLOW_UPS,
    NUMBER,
    ORIGINAL,
    bank_request,
    identity,
)


def said(operation: BankOperation = BankOperation.SALE, **changes: Any) -> Message:
    return decode_message(encode_request(bank_request(operation, **changes), ACQUIRER_ID))


def merchant(**changes: Any) -> Merchant:
    values = {"merchant_id": "M", "descriptor": "SHOP", "mcc": "5999", "country": "US"}
    return Merchant(**values | changes)


@pytest.mark.parametrize(
    ("operation", "message_type", "repeated", "processing_code"),
    [
        (BankOperation.AUTHORIZE, "0100", "0101", "000000"),
        (BankOperation.SALE, "0200", "0201", "000000"),
        (BankOperation.REBILL, "0200", "0201", "000000"),
        (BankOperation.REFUND, "0200", "0201", "200000"),
        (BankOperation.CAPTURE, "0220", "0221", "000000"),
        (BankOperation.CANCEL, "0400", "0401", "000000"),
        (BankOperation.REVERSAL, "0420", "0421", "000000"),
    ],
)
def test_an_operation_has_its_type_and_processing_code(
    operation: BankOperation, message_type: str, repeated: str, processing_code: str
) -> None:
    message, repeat = said(operation), said(operation, repeat=True)
    assert (message.type, message.fields["3"]) == (message_type, processing_code)
    assert repeat.fields == {**message.fields, "t": repeated}
    assert repeat.tags == message.tags


def test_a_sale_carries_its_fields() -> None:
    assert said().fields == {
        "t": "0200",
        "2": NUMBER,
        "3": "000000",
        "4": "000000001200",
        "7": "1109123858",
        "11": "000007",
        "12": "123858",
        "13": "1109",
        "14": "2904",
        "18": "5999",
        "19": "840",
        "22": "010",
        "25": "59",
        "32": "400001",
        "37": "631312000007",
        "41": "NV000001",
        "42": "M-0001         ",
        "43": "NETVALVE SHOP                         US",
        "49": "840",
    }


def test_a_charge_carries_what_is_known_of_the_card_holder() -> None:
    assert said(partial_approval_allowed=True).tags == {
        Tag.RECURRENCE: "Initial",
        Tag.INITIATOR: "CIT",
        Tag.SCHEDULE: "COF",
        Tag.TRANSACTION_TYPE: "RECURRING",
        Tag.SCHEME_TRANSACTION_ID: "30123",
        Tag.PARTIAL_APPROVAL: "1",
        Tag.ECI: "05",
        Tag.CAVV: "Y2F2dg==",
        Tag.THREE_DS_VERSION: "2.2",
        Tag.DS_TRANSACTION_ID: "d5",
        Tag.XID: "x",
        Tag.AVS_ADDRESS: "1 Main Street",
        Tag.AVS_ZIP: "10001",
        Tag.CVV2: "987",
    }


@pytest.mark.parametrize("operation", FOLLOW_UPS)
def test_a_follow_up_names_its_original_and_no_secret(operation: BankOperation) -> None:
    message = said(operation)
    assert message.fields["90"] == "0100" + "000003" + "1109123858" + "00000400001" + "0" * 11
    assert message.fields["38"] == "TAS390"
    assert set(message.tags) <= {Tag.FINAL_CAPTURE}


@pytest.mark.parametrize("operation", CHARGES)
def test_a_charge_names_no_original(operation: BankOperation) -> None:
    assert not {"38", "90"} & set(said(operation, original=ORIGINAL).fields)


def test_an_original_without_an_auth_code_is_named_by_field_90_alone() -> None:
    original = OriginalMessage(BankOperation.SALE, identity(stan=9))
    fields = said(BankOperation.REVERSAL, original=original).fields
    assert fields["90"].startswith("0200000009")
    assert "38" not in fields


@pytest.mark.parametrize("operation", FOLLOW_UPS)
def test_a_follow_up_without_an_original_is_refused(operation: BankOperation) -> None:
    with pytest.raises(ImpossibleField, match="90"):
        said(operation, original=None)


def test_a_final_capture_is_marked() -> None:
    assert said(BankOperation.CAPTURE).tags == {Tag.FINAL_CAPTURE: "1"}
    assert said(BankOperation.CAPTURE, final_capture=False).tags == {}


def test_a_rebill_is_marked_and_initiated_by_the_merchant() -> None:
    message = said(BankOperation.REBILL)
    assert (message.tags[Tag.REBILL], message.fields["25"]) == ("1", "08")
    assert Tag.REBILL not in said().tags


def test_a_sale_initiated_by_the_merchant_says_so() -> None:
    assert said(stored_credential=StoredCredential("MIT")).fields["25"] == "08"


def test_a_bare_sale_has_no_tagged_values() -> None:
    message = said(customer=Customer(), three_ds=None, stored_credential=None, card=None)
    assert message.tags == {}
    assert not {"2", "14", "48"} & set(message.fields)


def test_a_long_descriptor_is_cut_in_field_43_and_whole_in_its_tag() -> None:
    text = "Café of the Seven Hills and Rivers"
    message = said(merchant=merchant(descriptor=text))
    assert message.fields["43"] == "Cafe of the Seven Hill" + " " * 16 + "US"
    assert message.tags[Tag.DESCRIPTOR] == "Cafe of the Seven Hills and Rivers"
    assert Tag.DESCRIPTOR not in said(merchant=merchant(descriptor="x" * 22)).tags


def test_a_long_address_is_cut_to_what_fits() -> None:
    tags = said(customer=Customer(address="é" * 300, zip_code="1" * 30)).tags
    assert (tags[Tag.AVS_ADDRESS], tags[Tag.AVS_ZIP]) == ("e" * 128, "1" * 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 10**12},
        {"amount_minor": -1},
        {"merchant": merchant(country="XX")},
        {"merchant": merchant(mcc="59")},
        {"merchant": merchant(merchant_id="M" * 16)},
        {"three_ds": ThreeDS(cavv="x" * 65)},
    ],
)
def test_a_request_with_no_room_in_the_layout_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleField):
        said(**changes)


def test_the_currency_goes_by_its_number() -> None:
    assert said(currency=currency("JPY")).fields["49"] == "392"
