"""Which amounts and cards ask for a fault, and that all others do not."""

import pytest

from netvalve.banks.testbank import cards, verification
from netvalve.banks.testbank.misbehaviour import (
    FAULTS,
    Fault,
    Misbehaviour,
    of_charge,
    of_follow_up,
    read_faults,
)
from netvalve.catalogue.currencies import currency
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Source
from netvalve.domain.card import CardNumber, SecurityCode, passes_luhn

USD = currency("USD")
WRONG_CHECK_DIGIT = "4532802195368940"
"""A published card whose check digit is wrong."""


@pytest.mark.parametrize(
    ("code", "amount_minor"), [("JPY", 5005), ("USD", 500_500), ("KWD", 5_005_000)]
)
def test_amount_counts_in_whole_major_units_of_any_currency(code: str, amount_minor: int) -> None:
    assert of_charge(amount_minor, currency(code)) == Misbehaviour(Fault.CODE, "05")


@pytest.mark.parametrize("major", [1, 7, 12, 43.10, 80, 150, 999.99, 4999, 5005.01, 6200, 50_050])
def test_ordinary_amount_asks_for_nothing(major: float) -> None:
    amount_minor = round(major * 100)
    assert of_charge(amount_minor, USD) is None
    assert of_follow_up(amount_minor, amount_minor, USD) is None


@pytest.mark.parametrize("digits", FAULTS)
def test_every_fault_of_the_table_is_reached_by_its_amounts(digits: str) -> None:
    row = FAULTS[digits]
    follow_up = row.misbehaviour if row.follow_up_answer else None
    own, follow_ups = (100 * int(base + digits) for base in ("60", "61"))
    assert of_charge(own, USD) == row.misbehaviour
    assert of_charge(follow_ups, USD) is None
    assert of_follow_up(own, 0, USD) == follow_up
    assert of_follow_up(None, follow_ups, USD) == follow_up


def test_cancel_has_no_amount_of_its_own() -> None:
    assert of_follow_up(None, 500_500, USD) is None
    assert of_follow_up(None, 510_500, USD) == Misbehaviour(Fault.CODE, "05")


def test_every_fault_can_be_asked_for_by_an_amount() -> None:
    assert {row.misbehaviour.fault for row in FAULTS.values()} == set(Fault)


def test_fault_without_its_code_is_refused() -> None:
    header = (
        "last_digits,fault,response_code,delay_s,at_the_bank,charge_answer,charge_end,"
        "follow_up_answer,follow_up_end"
    )
    with pytest.raises(CatalogueFileError, match="line 2: response_code"):
        read_faults(Source("faults.csv", f"{header}\n01,code,,,x,x,x,,\n"))


def test_listed_cards_carry_a_right_check_digit() -> None:
    assert {number for number in cards.CARDS if not passes_luhn(number)} == {WRONG_CHECK_DIGIT}
    assert cards.valid_number(CardNumber(WRONG_CHECK_DIGIT))


def test_unlisted_card_is_an_ordinary_one() -> None:
    assert cards.of_card(CardNumber("4111111111111111")) is None
    assert cards.valid_number(CardNumber("4111111111111111"))
    assert not cards.valid_number(CardNumber("4111111111111112"))


@pytest.mark.parametrize(
    ("address", "zip_code", "result"),
    [
        ("1 Main St", "10001", "Y"),
        ("1 Main St", None, "A"),
        (None, "10001", "Z"),
        (None, None, "U"),
        ("1 Main St", "99993", "N"),
        (None, "99991", "A"),
    ],
)
def test_address_is_verified(address: str | None, zip_code: str | None, result: str) -> None:
    assert verification.avs_result(address, zip_code) == result


@pytest.mark.parametrize(
    ("code", "result"), [("999", "M"), ("010", "M"), ("000", "N"), ("0000", "N"), (None, "P")]
)
def test_security_code_is_verified(code: str | None, result: str) -> None:
    assert verification.cvv2_result(SecurityCode(code) if code else None) == result
