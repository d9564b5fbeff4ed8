"""Which account takes a payment, and what it asks for. Source: wire contract, sections 1 and 3."""

from dataclasses import replace

import pytest

from making import ACCOUNT
from netvalve.catalogue.currencies import currency
from netvalve.domain.card import Card, CardNumber, SecurityCode
from netvalve.domain.client import Channel, RequiredField, Site
from netvalve.domain.directory import Directory
from netvalve.domain.order import Customer, Details, ThreeDS
from netvalve.domain.refusal import ChannelRefused, InvalidFields
from netvalve.domain.transaction import TransactionType
from netvalve.payments.charge import refusal_of, select_account
from netvalve.payments.commands import AccountSelector, ChargeCommand

SITE = "7a6f0a2e-8f0d-4d0c-9b58-0d8f6c7f1a11"
EUROS = replace(
    ACCOUNT, mid_id=2, netvalve_mid_id="5d0e0c0a-1111-4222-8333-444455556666", currency="EUR"
)
DISABLED = replace(ACCOUNT, mid_id=3, netvalve_mid_id="x", enabled=False)
FOREIGN = replace(ACCOUNT, mid_id=4, netvalve_mid_id="y", client_id=8)
ON_SITE = [replace(each, site_id=SITE) for each in (ACCOUNT, EUROS, DISABLED)]
DIRECTORY = Directory.of(
    1,
    sites=[Site(SITE, 7, "Shop"), Site("empty", 7, "Empty")],
    accounts=[*ON_SITE, FOREIGN],
)


def select(mid_id=None, uuid=None, site=None, money="USD"):
    return select_account(DIRECTORY, 7, AccountSelector(mid_id, uuid, site), currency(money))


def test_an_account_is_named_by_its_number_its_uuid_or_its_site():
    assert select(1).mid_id == 1
    assert select(uuid=EUROS.netvalve_mid_id.upper()).mid_id == 2
    assert select(site=SITE, money="EUR").mid_id == 2


def test_with_a_mid_the_site_is_not_looked_at():
    assert select(1, site="no such site").mid_id == 1
    assert select(uuid=EUROS.netvalve_mid_id, site="no such site").mid_id == 2


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"mid_id": 99},
        {"mid_id": 3},
        {"mid_id": 4},
        {"uuid": "y"},
        {"site": "?"},
        {"site": "empty"},
    ],
)
def test_an_account_that_cannot_be_used_is_an_invalid_merchant(names):
    assert select(**names).code == "GTW_2000"


def test_a_site_without_the_currency_says_so():
    assert select(site=SITE, money="GBP").code == "GTW_2019"


def command(amount_minor=10_000, money="USD", code="999", token=False, **details):
    return ChargeCommand(
        type=TransactionType.SALE,
        account=AccountSelector(1),
        amount_minor=amount_minor,
        currency=currency(money),
        card=Card(
            CardNumber("4012000098765439"), "12", "2030", SecurityCode(code) if code else None
        ),
        details=Details(**details),
        has_payment_token=token,
    )


def test_a_plain_payment_is_not_refused():
    assert refusal_of(command(), ACCOUNT) is None


def test_the_accounts_currency_holds():
    assert refusal_of(command(money="EUR"), ACCOUNT).code == "GTW_2019"


@pytest.mark.parametrize(
    ("amount_minor", "code"),
    [(999, "GTW_2008"), (1_000, None), (2_000, None), (2_001, "GTW_2009")],
)
def test_the_accounts_limits_are_inclusive(amount_minor, code):
    limited = replace(ACCOUNT, amount_min_minor=1_000, amount_max_minor=2_000)
    refused = refusal_of(command(amount_minor), limited)
    assert (refused and refused.code) == code


def test_all_missing_fields_come_back_in_the_models_order():
    strict = replace(ACCOUNT, required_fields=frozenset(RequiredField))
    refused = refusal_of(command(code=None), strict)
    assert isinstance(refused, InvalidFields)
    assert [(error.field, error.code) for error in refused.errors] == [
        ("cardSecurityCode", "GTW_2001"),
        ("cardHolderName", "GTW_2021"),
        ("customerName", "GTW_2025"),
        ("customerLastName", "GTW_2036"),
        ("customerAddress", "GTW_2010"),
        ("customerZipCode", "GTW_2011"),
        ("customerCountryCode", "GTW_2012"),
    ]


def test_blanks_alone_are_missing():
    strict = replace(ACCOUNT, required_fields=frozenset({RequiredField.ADDRESS}))
    refused = refusal_of(command(customer=Customer(address="  ")), strict)
    assert [error.code for error in refused.errors] == ["GTW_2010"]


def test_what_is_there_is_not_missing():
    strict = replace(ACCOUNT, required_fields=frozenset({RequiredField.ADDRESS}))
    assert refusal_of(command(customer=Customer(address="1 Main St")), strict) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"payment_type": "WALLET", "wallet_type": "GOOGLE_PAY"},
        {"payment_type": "TOKEN"},
        {"token": True},
        {"descriptor": "SHOP*ORDER 1"},
    ],
)
def test_what_no_channel_of_the_account_allows_is_refused(asked):
    assert isinstance(refusal_of(command(**asked), ACCOUNT), ChannelRefused)


def test_the_dynamic_descriptor_has_a_channel_of_its_own():
    channels = ACCOUNT.channels | {Channel.ENABLE_DYNAMIC_DESCRIPTOR}
    asked = command(descriptor="SHOP*ORDER 1")
    assert refusal_of(asked, replace(ACCOUNT, channels=channels)) is None


def test_without_its_channel_the_api_and_3ds_are_closed():
    closed = replace(ACCOUNT, channels=frozenset({Channel.HPP}))
    assert isinstance(refusal_of(command(), closed), ChannelRefused)
    plain = replace(ACCOUNT, channels=frozenset({Channel.API}))
    assert isinstance(refusal_of(command(three_ds=ThreeDS(eci="05")), plain), ChannelRefused)
    assert refusal_of(command(), plain) is None
