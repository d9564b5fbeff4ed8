"""What a bank may say of itself, how long an account may hold money, and a client's limit."""

from dataclasses import replace

import pytest

from making import ACCOUNT, BANK
from netvalve.catalogue.response_codes import RESPONSE_CODES, CodeType
from netvalve.domain.client import Client
from netvalve.storage.account_rules import (
    UNREACHABLE_CODES,
    AdministrationError,
    check_account,
    check_bank,
    check_client,
)


@pytest.mark.parametrize("code", sorted(RESPONSE_CODES))
def test_only_a_bank_s_own_failure_names_a_message_that_was_not_sent(code: str) -> None:
    bank = replace(BANK, unreachable_code=code)
    if code in UNREACHABLE_CODES:
        check_bank(bank)
        assert RESPONSE_CODES[code].type is CodeType.SOFT_DECLINE
    else:
        with pytest.raises(AdministrationError, match=code):
            check_bank(bank)


@pytest.mark.parametrize("days", [None, 1, 30, 365])
def test_an_account_holds_an_authorization_for_a_day_to_a_year(days: int | None) -> None:
    check_account(replace(ACCOUNT, hold_days=days))


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_another_hold_is_refused(days: int) -> None:
    with pytest.raises(AdministrationError, match=f"a hold of {days} days cannot be"):
        check_account(replace(ACCOUNT, hold_days=days))


@pytest.mark.parametrize("limit", [None, 1, 1_000_000])
def test_a_client_may_make_any_number_of_requests_but_none(limit: int | None) -> None:
    check_client(Client(7, "", "Shop", requests_per_s=limit))


@pytest.mark.parametrize("limit", [-1, 0, 1_000_001])
def test_another_limit_is_refused(limit: int) -> None:
    with pytest.raises(AdministrationError, match="requests a second"):
        check_client(Client(7, "", "Shop", requests_per_s=limit))
