"""A reason is kept for ever: it names no card, however the digits are parted."""

import pytest

from netvalve.storage.account_rules import AdministrationError
from netvalve.storage.resolution_reason import checked_reason


@pytest.mark.parametrize(
    "number",
    [
        "4012000098765439",
        "4012 0000 9876 5439",
        "4012.0000.9876.5439",
        "4012/0000/9876/5439",
        "4012_0000_9876_5439",
        "4012, 0000, 9876, 5439",
        "4012 - 0000 - 9876 - 5439",
        "4012x0000x9876x5439",
        "40 1200009 87 6543 9",
        "4-0-1-2-0-0-0-0-9-8-7-6-5-4-3-9",
        "3 4012.0000.9876.5439 05/27",
        "\uff14\uff10\uff11\uff12.0000.9876.5439",
        "40120000987654391234567",
        "378282246310005",
    ],
)
def test_a_card_number_is_known_in_every_disguise(number: str) -> None:
    with pytest.raises(AdministrationError, match="card number"):
        checked_reason(f"Card {number}, says the bank")


@pytest.mark.parametrize(
    "reason",
    [
        "Bank's letter of 3 May 2026, RRN 632613000077, STAN 000123",
        "booked on 12.05.2026 at 13:45:07",
        "case 4012000098765438",
        "first 4012 then 0000 then 9876 then 5439",
    ],
)
def test_dates_and_the_banks_numbers_may_be_named(reason: str) -> None:
    assert checked_reason(reason) == reason


def test_a_reason_is_one_line() -> None:
    assert checked_reason(" two\n lines ") == "two lines"
