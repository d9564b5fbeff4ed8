"""Whatever a field holds, its rule gives a good value or a response code, and nothing else."""

import ipaddress
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from netvalve.api import filter_rules, moments
from netvalve.api.filters import FILTERS
from netvalve.api.models import card_rules, customer_rules, fields, rules
from netvalve.api.models.additional_data import AdditionalDataDTO
from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.models.follow_up import CaptureInputFieldsDTO, RebillInputFieldsDTO
from netvalve.api.models.model import Request, wire_names
from netvalve.api.models.three_ds import ThreeDomainsSecureDTO
from netvalve.api.requests import capture_command, charge_command, rebill_command
from netvalve.api.validation import read_body, read_fields
from netvalve.banks.iso8583.specification import TAGGED_VALUES, Tag
from netvalve.catalogue.response_codes import RESPONSE_CODES
from netvalve.domain.refusal import FieldError, InvalidFields
from netvalve.domain.transaction import TransactionType

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=60)
    | st.from_regex(r"[0-9 .:+T@a-z-]{0,40}", fullmatch=True)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
RULES = [
    rules.optional_text,
    rules.bank_text(4),
    rules.payload,
    rules.payloads,
    rules.account_name,
    rules.mid_id,
    rules.amount,
    rules.number_text,
    rules.currency_code,
    card_rules.card_number,
    card_rules.expiry_month,
    card_rules.expiry_year,
    card_rules.security_code,
    customer_rules.country,
    customer_rules.phone,
    customer_rules.email,
    customer_rules.ip_address,
    rules.flag,
    rules.text_map,
    rules.identifier("GTW_2048"),
    rules.spelled_as(fields.INDICATORS, "GTW_2060"),
    rules.one_of(fields.PAYMENT_TYPES, "GTW_2093"),
    filter_rules.types,
    *(each.rule for each in FILTERS if each.rule),
]


@given(st.sampled_from(RULES), JSON)
@settings(max_examples=300)
def test_rule_never_raises_anything_but_a_response_code(rule: Any, value: object) -> None:
    try:
        rule(value)
    except PydanticCustomError as refused:
        code = refused.type
    else:
        return
    assert code in RESPONSE_CODES


@pytest.mark.parametrize("model", [BasicInputFieldsDTO, CaptureInputFieldsDTO])
def test_every_field_of_any_json_is_good_or_refused_by_name(model: type[Request]) -> None:
    names = wire_names(model)

    @given(st.dictionaries(st.sampled_from(names), JSON))
    @settings(max_examples=60)
    def check(raw: dict[str, Any]) -> None:
        read = read_fields(model, raw)
        if isinstance(read, InvalidFields):
            wrong = [error.field.split(".")[0] for error in read.errors]
            assert wrong == sorted(wrong, key=names.index)
            assert all(error.code in RESPONSE_CODES for error in read.errors)

    check()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_invalid_fields(body: bytes) -> None:
    assert isinstance(read_body(BasicInputFieldsDTO, body), InvalidFields)


@given(st.from_regex(customer_rules._PLAIN_EMAIL, fullmatch=True))
def test_plain_address_is_one_that_the_full_check_accepts(address: str) -> None:
    from email_validator import validate_email

    validate_email(address, check_deliverability=False)


@given(st.from_regex(customer_rules._IPV4, fullmatch=True))
def test_plain_ipv4_is_one_that_the_full_check_accepts(address: str) -> None:
    assert str(ipaddress.ip_address(address)) == address


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (None, "GTW_2002"),
        ("", "GTW_2002"),
        ("eighty", "GTW_2002"),
        ("1e3", "GTW_2002"),
        (True, "GTW_2002"),
        ([1], "GTW_2002"),
        (0, "GTW_2004"),
        ("-0.01", "GTW_2004"),
        ("0.00001", "GTW_2003"),
        (1e-320, "GTW_2003"),
        (1e300, "GTW_2059"),
        ("1" * 40, "GTW_2059"),
        ("1." + "0" * 30 + "1", "GTW_2003"),
    ],
)
def test_amount_is_refused_with_its_own_code(amount: object, code: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        rules.amount(amount)
    assert refused.value.type == code


@pytest.mark.parametrize("amount", [12.1, "12.10", " 12.1 ", "012.1"])
def test_amount_is_exact_however_it_is_written(amount: object) -> None:
    assert rules.amount(amount) == Decimal("12.1")


@pytest.mark.parametrize("clock", ["2024-02-30", "2024-13-01", "12:00", "yesterday", "9" * 30])
def test_moment_that_never_was_is_none(clock: str) -> None:
    assert moments.first_ms(clock) is None
    assert moments.last_ms(clock) is None


def test_moment_without_a_zone_is_utc_and_a_date_ends_with_its_day() -> None:
    noon_ms = moments.first_ms("2024-11-08T12:00:00Z")
    assert noon_ms == 1_731_067_200_000
    assert moments.first_ms("2024-11-08T12:00:00") == noon_ms
    assert moments.first_ms("2024-11-08 12:00:00.000") == noon_ms
    assert moments.first_ms("2024-11-08T14:00:00+02:00") == noon_ms
    assert moments.first_ms("2024-11-08T14:00:00 02:00") == noon_ms
    assert moments.first_ms("2024-11-08") == noon_ms - 43_200_000
    assert moments.last_ms("2024-11-08") == noon_ms + 43_200_000 - 1
    assert moments.last_ms("2024-11-08T12:00:00") == noon_ms


TRAVELLING = {
    "3DS.eci": Tag.ECI,
    "3DS.cavv": Tag.CAVV,
    "3DS.version": Tag.THREE_DS_VERSION,
    "3DS.dsTransactionId": Tag.DS_TRANSACTION_ID,
    "3DS.xid": Tag.XID,
}
CHARGE = {
    "amount": 1,
    "currency": "USD",
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
}


@pytest.mark.parametrize("name", TRAVELLING)
def test_value_that_travels_is_as_long_as_the_bank_takes_it_and_no_longer(name: str) -> None:
    (length,) = (each.length_max for each in TAGGED_VALUES if each.tag == TRAVELLING[name])
    field = name.removeprefix("3DS.")
    assert not isinstance(
        read_fields(BasicInputFieldsDTO, {**CHARGE, "3DS": {field: "x" * length}}), InvalidFields
    )
    for wrong in ("x" * (length + 1), "\u00bd"):
        read = read_fields(BasicInputFieldsDTO, {**CHARGE, "3DS": {field: wrong}})
        assert read == InvalidFields((FieldError(name, rules.INVALID),))


def test_longest_values_of_the_enumerations_fit_the_banks_message() -> None:
    lengths = {each.tag: each.length_max for each in TAGGED_VALUES}
    assert max(map(len, fields.SCHEDULE_TYPES)) <= lengths[Tag.SCHEDULE]
    assert max(map(len, fields.REQUEST_TYPES)) <= lengths[Tag.TRANSACTION_TYPE]
    assert len("Repeated") <= lengths[Tag.RECURRENCE]
    assert len("CIT") <= lengths[Tag.INITIATOR]


def test_secrets_of_a_request_are_in_no_repr() -> None:
    raw = {
        "amount": 1,
        "currency": "USD",
        "cardNumber": "4012000098765439",
        "cardExpireMonth": 6,
        "cardExpireYear": 2030,
        "cardSecurityCode": 987,
        "paymentToken": "tok-secret",
        "tokenizedDTO": {"cardNumber": "4012000098765439", "cryptogram": "AAAA"},
    }
    request = read_body(BasicInputFieldsDTO, orjson.dumps(raw))
    assert isinstance(request, BasicInputFieldsDTO)
    shown = repr(request) + str(request) + repr(charge_command(TransactionType.SALE, request))
    for secret in ("4012000098765439", "987", "tok-secret", "AAAA"):
        assert secret not in shown


def test_request_becomes_the_command_it_stands_for() -> None:
    body = orjson.dumps(
        {
            "midId": "1",
            "siteId": "",
            "amount": "12.00",
            "currency": "JPY",
            "clientOrderId": 482913,
            "cardNumber": 4012000098765439,
            "cardExpireMonth": 6,
            "cardExpireYear": 2030,
            "cardSecurityCode": 999,
            "customerFirstName": "Jane",
            "customerLastName": None,
            "3DS": {"eci": "05", "dsTransactionId": "x", "isFrictionLess": "true"},
            "additionalData": {"partialAuthorizationIndicator": "Y", "taxAmount": 1.5},
            "additionalParameters": {"cart": 9, "price": 1.5, "none": None},
            "unknown": {"deep": [1]},
        }
    )
    request = read_body(BasicInputFieldsDTO, body)
    assert isinstance(request, BasicInputFieldsDTO)
    command = charge_command(TransactionType.SALE, request)
    assert (command.account.mid_id, command.account.site_id) == (1, None)
    assert (command.amount_minor, command.currency.code) == (12, "JPY")
    assert command.client_order_id == "482913"
    assert (command.card.expiry_month, command.card.expiry_year) == ("06", "2030")
    assert command.card.security_code is not None
    assert command.card.security_code.reveal() == "999"
    details = command.details
    assert (details.customer.first_name, details.customer.last_name) == ("Jane", None)
    assert details.three_ds is not None
    assert (details.three_ds.ds_transaction_id, details.three_ds.frictionless) == ("x", True)
    assert details.additional_data == {"partialAuthorizationIndicator": "true", "taxAmount": "1.5"}
    assert details.additional_parameters == {"cart": "9", "price": "1.5"}
    assert details.payment_type == "CARD"
    assert command.has_payment_token is False


SELECTORS = {"midId": 1, "netvalveMidId": "m", "siteId": "s"}


@pytest.mark.parametrize("wrong", [[], {}, "x" * 300, "a\x00b", True])
def test_selector_that_is_not_used_is_not_looked_at(wrong: object) -> None:
    for used, unused in (
        ("midId", ("netvalveMidId", "siteId")),
        ("netvalveMidId", ("siteId",)),
    ):
        raw = {**CHARGE, used: SELECTORS[used], **dict.fromkeys(unused, wrong)}
        assert isinstance(read_fields(BasicInputFieldsDTO, raw), BasicInputFieldsDTO)


@pytest.mark.parametrize("used", SELECTORS)
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_selector_that_is_used_is_refused_for_a_wrong_shape(used: str, blank: object) -> None:
    names = list(SELECTORS)
    before = dict.fromkeys(names[: names.index(used)], blank)
    read = read_fields(BasicInputFieldsDTO, {**CHARGE, **before, used: []})
    assert read == InvalidFields((FieldError(used, "GTW_2000"),))


REQUIRED = {
    "amount": "GTW_2002",
    "currency": "GTW_2018",
    "cardNumber": "GTW_2032",
    "cardExpireMonth": "GTW_2023",
    "cardExpireYear": "GTW_2035",
}


@pytest.mark.parametrize("name", sorted({*wire_names(BasicInputFieldsDTO)} - REQUIRED.keys()))
def test_empty_text_in_a_field_that_may_be_left_out_is_an_absent_one(name: str) -> None:
    assert read_fields(BasicInputFieldsDTO, {**CHARGE, name: ""}) == read_fields(
        BasicInputFieldsDTO, CHARGE
    )


@pytest.mark.parametrize("outer", ["additionalData", "3DS"])
def test_empty_text_within_a_part_is_an_absent_one(outer: str) -> None:
    (model,) = (
        each
        for each in (AdditionalDataDTO, ThreeDomainsSecureDTO)
        if (each is ThreeDomainsSecureDTO) == (outer == "3DS")
    )
    empty = dict.fromkeys(wire_names(model), "")
    assert read_fields(BasicInputFieldsDTO, {**CHARGE, outer: empty}) == read_fields(
        BasicInputFieldsDTO, {**CHARGE, outer: {}}
    )


@pytest.mark.parametrize(("name", "code"), REQUIRED.items())
def test_empty_text_in_a_required_field_is_a_missing_one(name: str, code: str) -> None:
    read = read_fields(BasicInputFieldsDTO, {**CHARGE, name: ""})
    assert read == InvalidFields((FieldError(name, code),))


@pytest.mark.parametrize(
    ("written", "kept"),
    [("1 Main St\nFloor 2", "1 Main St Floor 2"), ("a\r\nb\tc\rd", "a b c d"), ("a\n\nb", "a  b")],
)
def test_line_breaks_and_tabs_of_free_text_are_one_blank_each(written: str, kept: str) -> None:
    parts = {"orderDesc": written, "customerAddress": written, "customerCity": written}
    request = read_fields(
        BasicInputFieldsDTO, {**CHARGE, **parts, "additionalParameters": {"note": written}}
    )
    assert isinstance(request, BasicInputFieldsDTO)
    assert (request.order_desc, request.customer_address, request.customer_city) == (kept,) * 3
    assert request.additional_parameters == {"note": kept}


@pytest.mark.parametrize("name", ["orderDesc", "customerAddress", "customerName"])
def test_other_control_characters_stay_refused(name: str) -> None:
    for control in "\x00\x0b\x1b\x7f\x85":
        read = read_fields(BasicInputFieldsDTO, {**CHARGE, name: f"a{control}b"})
        assert read == InvalidFields((FieldError(name, rules.INVALID),))


@pytest.mark.parametrize("name", ["clientOrderId", "descriptor"])
def test_text_that_names_something_takes_no_line_break(name: str) -> None:
    read = read_fields(BasicInputFieldsDTO, {**CHARGE, name: "a\nb"})
    assert read == InvalidFields((FieldError(name, rules.INVALID),))


def test_additional_parameters_keep_numbers_and_booleans_as_text() -> None:
    assert rules.text_map({"n": 9, "price": 1.5, "gift": True, "new": False, "no": None}) == {
        "n": "9",
        "price": "1.5",
        "gift": "true",
        "new": "false",
    }


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (b"12.0000000000000001", "GTW_2003"),
        (b"0.99999999999999999", "GTW_2003"),
        (b"9999999999.9900000001", "GTW_2003"),
        (b"12.00000000000000000", None),
        (b"12.5", None),
    ],
)
def test_amount_with_more_digits_than_a_double_holds_is_not_rounded(
    amount: bytes, code: str | None
) -> None:
    rest = orjson.dumps({name: each for name, each in CHARGE.items() if name != "amount"})
    read = read_body(BasicInputFieldsDTO, rest[:-1] + b',"amount" : ' + amount + b"}")
    if code:
        assert read == InvalidFields((FieldError("amount", code),))
    else:
        assert isinstance(read, BasicInputFieldsDTO)
        assert read.amount == Decimal(amount.decode())


def test_capture_is_final_only_where_it_says_so() -> None:
    for options, final in (
        ({}, False),
        ({"finalCapture": True}, True),
        ({"finalCapture": False}, False),
    ):
        raw = {"transactionID": "47", "amount": 7, "captureOptions": options}
        request = read_fields(CaptureInputFieldsDTO, raw)
        assert isinstance(request, CaptureInputFieldsDTO)
        command = capture_command(request)
        assert (command.transaction_id, command.final_capture) == (47, final)


def test_rebill_carries_its_own_indicators() -> None:
    raw = {"transactionID": 1, "amount": 7, "additionalData": {"recurrenceMode": "REPEATED"}}
    request = read_fields(RebillInputFieldsDTO, raw)
    assert isinstance(request, RebillInputFieldsDTO)
    assert rebill_command(request).additional_data == {"recurrenceMode": "Repeated"}
