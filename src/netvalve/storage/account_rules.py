"""What a client, a bank and a merchant account must be, before any is written."""

import re
from typing import Final

from netvalve.catalogue.countries import COUNTRIES
from netvalve.catalogue.currencies import CURRENCIES
from netvalve.catalogue.hold_times import HOLD_DAYS_MAX, HOLD_DAYS_MIN
from netvalve.domain.client import BankProfile, Client, MerchantAccount
from netvalve.domain.money import AMOUNT_MINOR_MAX

_MCC: Final = re.compile(r"[0-9]{4}")
_BANK_MERCHANT_ID: Final = re.compile(r"[ -~]{1,15}")
_PORT_MAX: Final = 65_535
_REQUESTS_PER_S_MAX: Final = 1_000_000

UNREACHABLE_CODES: Final = (
    "GTW_2050",
    "GTW_2051",
    "GTW_2052",
    "GTW_2053",
    "GTW_2080",
    "GTW_2090",
    "GTW_2091",
    "GTW_2104",
)
"""The codes by which a client hears that its bank failed and no money moved: soft declines all.

Source: the API's list of response codes, `BANK_CREDENTIALS_ERROR` and `…_TRANSACTION_ERROR`.
"""


class AdministrationError(Exception):
    """A change that cannot be made: something is unknown, taken, or wrong. Nothing was changed."""


def check_client(client: Client) -> None:
    """Refuse a client whose limit lets nothing through, or could not be counted.

    Raises:
        AdministrationError: the first thing that is wrong.
    """
    limit = client.requests_per_s
    if limit is not None and not 0 < limit <= _REQUESTS_PER_S_MAX:
        raise AdministrationError(
            f"a limit is 1 to {_REQUESTS_PER_S_MAX} requests a second; to refuse all of them, "
            "disable the client"
        )


def check_bank(bank: BankProfile) -> None:
    """Refuse a bank that no message could reach or whose failures have no name.

    Raises:
        AdministrationError: the first thing that is wrong.
    """
    if not 0 <= bank.port <= _PORT_MAX:
        raise AdministrationError(f"{bank.port} is not a port")
    if bank.unreachable_code not in UNREACHABLE_CODES:
        raise AdministrationError(
            f"{bank.unreachable_code} is not a response code for a bank that was not reached; "
            f"use one of {', '.join(UNREACHABLE_CODES)}"
        )


def check_account(account: MerchantAccount) -> None:
    """Refuse an account that no payment could be made through as it says.

    Raises:
        AdministrationError: the first thing that is wrong.
    """
    if account.currency not in CURRENCIES:
        raise AdministrationError(f"{account.currency} is not a currency; use letters like USD")
    if account.country not in COUNTRIES:
        raise AdministrationError(f"{account.country} is not a country; use two letters like US")
    if not _MCC.fullmatch(account.mcc):
        raise AdministrationError(f"{account.mcc} is not a merchant category code of four digits")
    if not _BANK_MERCHANT_ID.fullmatch(account.bank_merchant_id):
        raise AdministrationError("the bank's merchant number has 1 to 15 printable characters")
    _check_limits(account.amount_min_minor, account.amount_max_minor)
    _check_hold(account.hold_days)


def _check_limits(low_minor: int | None, high_minor: int | None) -> None:
    for limit in (low_minor, high_minor):
        if limit is not None and not 0 < limit <= AMOUNT_MINOR_MAX:
            raise AdministrationError("a limit is above zero and has at most 12 digits")
    if low_minor is not None and high_minor is not None and low_minor > high_minor:
        raise AdministrationError("the least amount is above the greatest")


def _check_hold(days: int | None) -> None:
    if days is not None and not HOLD_DAYS_MIN <= days <= HOLD_DAYS_MAX:
        raise AdministrationError(
            f"a hold of {days} days cannot be; use {HOLD_DAYS_MIN} to {HOLD_DAYS_MAX}"
        )
