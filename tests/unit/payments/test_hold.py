"""When the hold of an authorization ends: its account's days, else its brand's."""

from dataclasses import replace

import pytest

from making import ACCOUNT, BANK, IDENTITY
from netvalve.catalogue.currencies import currency
from netvalve.catalogue.hold_times import hold_days_of
from netvalve.domain.card import Card, CardNumber, SealedCard
from netvalve.domain.client import BankCapability
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import AccountSelector, ChargeCommand
from netvalve.payments.planning import Planner

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


class Clock:
    def now_ms(self):
        return NOW_MS


class Identifiers:
    async def order_id(self):
        return 1

    transaction_id = card_id = order_id

    async def message_identity(self, _now_ms):
        return IDENTITY


class Vault:
    def seal(self, client_id, card_id, number):
        return SealedCard(card_id, client_id, b"", 1, 1, b"", b"", number.first_six, "5439")


async def end_of_hold(kind=TransactionType.AUTHORIZATION, account=ACCOUNT, bank=BANK, **planning):
    command = ChargeCommand(
        kind,
        AccountSelector(1),
        1_000,
        currency("USD"),
        Card(CardNumber("4012000098765439"), "12", "2030"),
    )
    planner = Planner(Identifiers(), Vault(), Clock(), **planning)
    payment = await planner.charge(command, account, bank, "trace")
    assert payment.opening.new_order.order == payment.order
    return payment.order.expires_at_ms


async def test_an_authorization_is_held_as_long_as_its_brand_says():
    assert await end_of_hold() == NOW_MS + hold_days_of("VISA") * DAY_MS


@pytest.mark.parametrize("days", [1, 30, 365])
async def test_the_account_s_own_hold_goes_before_its_brand_s(days):
    account = replace(ACCOUNT, hold_days=days)
    assert await end_of_hold(account=account) == NOW_MS + days * DAY_MS


async def test_what_its_bank_cannot_cancel_never_ends_by_itself():
    bank = replace(BANK, capabilities=frozenset(BankCapability) - {BankCapability.CANCEL})
    assert await end_of_hold(bank=bank) is None


async def test_a_sale_has_no_hold():
    assert await end_of_hold(TransactionType.SALE) is None


async def test_a_day_may_be_shorter_where_it_is_said_so():
    assert await end_of_hold(hold_day_ms=250) == NOW_MS + hold_days_of("VISA") * 250
