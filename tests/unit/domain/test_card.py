"""What must never be seen cannot be shown by accident."""

import copy
import pickle

import pytest

from netvalve.domain.card import Card, CardNumber, SecurityCode, is_card_number, masked, passes_luhn

NUMBER = "4012000098765439"


@pytest.mark.parametrize("secret", [CardNumber(NUMBER), SecurityCode("999")])
def test_no_way_of_printing_shows_a_secret(secret):
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {secret:>40}"
    assert NUMBER not in shown
    assert "999" not in shown


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy, hash])
def test_a_secret_cannot_be_pickled_copied_or_used_as_a_key(act):
    with pytest.raises(TypeError):
        act(CardNumber(NUMBER))


def test_a_card_shows_neither_number_nor_code():
    shown = repr(Card(CardNumber(NUMBER), "12", "2030", SecurityCode("731")))
    assert NUMBER not in shown
    assert "731" not in shown


def test_a_card_is_masked_to_first_six_and_last_four():
    number = CardNumber(NUMBER)
    assert masked(number.first_six, number.last_four) == "401200******5439"


def test_luhn_finds_every_single_wrong_digit():
    assert passes_luhn(NUMBER)
    for place in range(len(NUMBER)):
        wrong = (int(NUMBER[place]) + 1) % 10
        assert not passes_luhn(f"{NUMBER[:place]}{wrong}{NUMBER[place + 1 :]}")


def test_the_published_test_card_without_a_check_digit_is_taken():
    assert not passes_luhn("4532802195368940")
    assert is_card_number("4532802195368940")
    assert not is_card_number("4532802195368941")
