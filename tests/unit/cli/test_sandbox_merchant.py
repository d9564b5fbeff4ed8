"""Rules of the sandbox's data: everything it names exists, and each refusal can be reached."""

import json
import shlex
from uuid import UUID

import pytest

from netvalve.catalogue.countries import COUNTRIES
from netvalve.catalogue.currencies import currency
from netvalve.catalogue.response_codes import response_code
from netvalve.cli.sandbox.announcement import sale_command
from netvalve.cli.sandbox.merchant import SandboxMerchant, sandbox_merchant
from netvalve.domain.card import passes_luhn
from netvalve.domain.client import BankCapability, Channel, Permission


@pytest.fixture
def merchant() -> SandboxMerchant:
    return sandbox_merchant("127.0.0.9", 4711)


def test_every_account_has_a_bank_a_currency_and_a_purpose(merchant: SandboxMerchant) -> None:
    for account in merchant.accounts:
        assert merchant.bank_of(account).bank_id == account.bank_id
        assert currency(account.currency).code == account.currency
        assert account.country in COUNTRIES
        assert merchant.purposes[account.mid_id]
        assert len(account.bank_merchant_id) == 15
        assert UUID(account.netvalve_mid_id).version == 4


def test_accounts_are_numbered_from_one_without_gaps(merchant: SandboxMerchant) -> None:
    assert [account.mid_id for account in merchant.accounts] == list(range(1, 17))


def test_every_bank_names_its_failures_by_a_listed_code(merchant: SandboxMerchant) -> None:
    for bank in merchant.banks:
        assert bank.name.upper().split()[0] in response_code(bank.unreachable_code).message.upper()


def test_banks_are_the_running_test_bank_but_for_the_one_out_of_reach(
    merchant: SandboxMerchant,
) -> None:
    reached = {bank.name for bank in merchant.banks if bank.port == 4711}
    assert {bank.name for bank in merchant.banks} - reached == {"TSYS"}
    assert {bank.host for bank in merchant.banks} == {"127.0.0.9"}


def test_each_restriction_has_an_account_that_shows_it(merchant: SandboxMerchant) -> None:
    accounts = {account.mid_id: account for account in merchant.accounts}
    assert Permission.PARTIAL_REFUND not in accounts[8].permissions
    assert Permission.REBILL not in accounts[10].permissions
    assert BankCapability.CANCEL not in merchant.bank_of(accounts[12]).capabilities
    assert Channel.ENABLE_DYNAMIC_DESCRIPTOR in accounts[14].channels
    assert Channel.API not in accounts[15].channels
    assert not accounts[13].enabled
    assert (accounts[7].amount_min_minor, accounts[7].amount_max_minor) == (1000, 10000)


def test_credentials_say_themselves_that_they_are_for_the_sandbox(
    merchant: SandboxMerchant,
) -> None:
    for secret in (merchant.credentials.api_key, merchant.credentials.basic_password):
        assert secret.startswith("sandbox-only-")
        assert len(secret) >= 28


def test_the_printed_sale_is_one_command_with_a_body_of_json(merchant: SandboxMerchant) -> None:
    words = shlex.split(sale_command("http://127.0.0.1:8080", merchant))
    body = json.loads(words[words.index("-d") + 1])
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8080/sale"]
    assert body["clientOrderId"] == "try-$(date +%s)-$RANDOM"
    assert passes_luhn(body["cardNumber"])
