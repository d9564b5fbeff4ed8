"""Administration: changes show in a running store, and what cannot be is refused."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.store.conftest import HASHER, Pay
from conformance.store.samples import payment
from conformance.store.seated import SeatedStore
from netvalve.domain.client import (
    BankCapability,
    Channel,
    MerchantAccount,
    Permission,
    RequiredField,
)
from netvalve.domain.directory import Directory
from netvalve.storage.account_rules import AdministrationError
from netvalve.storage.administration import Administration

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ACCOUNT = MerchantAccount(
    mid_id=0,
    netvalve_mid_id="",
    client_id=1,
    bank_id=1,
    name="Shop USD",
    currency="USD",
    bank_merchant_id="000000000000001",
    descriptor="SHOP",
    mcc="5999",
    country="US",
)


@pytest.fixture
def shop(administration: Administration) -> Administration:
    """With one client and one bank, both of number 1."""
    administration.add_client("Shop")
    administration.add_bank("TSYS", host="127.0.0.1", port=8583, unreachable_code="GTW_2052")
    return administration


async def _shows(store: SeatedStore, sight: Callable[[Directory], bool]) -> bool:
    """Whether a change shows within a second."""
    for _ in range(100):
        if sight(store.configuration.directory):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_change_shows_in_a_running_store_within_a_second(
    store: SeatedStore, shop: Administration
) -> None:
    key_id, api_key = shop.add_api_key(1)
    digest = HASHER.digest(api_key)
    assert await _shows(store, lambda directory: digest in directory.api_keys)
    shop.revoke_api_key(key_id)
    assert await _shows(store, lambda directory: digest not in directory.api_keys)
    shop.set_client_enabled(1, enabled=False)
    assert await _shows(store, lambda directory: not directory.clients[1].enabled)


async def test_a_client_s_limit_shows_and_goes_again(
    store: SeatedStore, shop: Administration
) -> None:
    for limit in (50, None):
        changed = shop.set_client(1, {"requests_per_s": limit})
        assert (changed.requests_per_s, shop.clients()) == (limit, (changed,))
        assert await _shows(
            store, lambda directory, changed=changed: directory.client(1) == changed
        )


@pytest.mark.parametrize(
    "changes", [{"requests_per_s": 0}, {"client_id": 2}, {"netvalve_client_id": UNKNOWN}]
)
def test_a_client_that_cannot_be_is_refused(
    shop: Administration, changes: dict[str, object]
) -> None:
    before = shop.clients()
    with pytest.raises(AdministrationError):
        shop.set_client(1, changes)
    assert shop.clients() == before


async def test_the_snapshot_is_rebuilt_only_when_something_changed(
    store: SeatedStore, administration: Administration
) -> None:
    administration.add_client("Shop")
    assert await _shows(store, lambda directory: 1 in directory.clients)
    before = store.configuration.directory
    await asyncio.sleep(0.12)
    assert store.configuration.directory is before


async def test_every_field_of_an_account_comes_back(
    store: SeatedStore, shop: Administration
) -> None:
    site = shop.add_site(1, "example.com")
    account = replace(
        ACCOUNT,
        mid_id=7,
        netvalve_mid_id="5A4DB0C0-0000-4000-8000-00000000000A",
        site_id=site.site_id,
        enabled=False,
        amount_min_minor=100,
        amount_max_minor=5000,
        required_fields=frozenset({RequiredField.SECURITY_CODE}),
        permissions=frozenset({Permission.REBILL}),
        channels=frozenset({Channel.API, Channel.ENABLE_DYNAMIC_DESCRIPTOR}),
        rebill_needs_marker=True,
    )
    added = shop.add_account(account)
    assert added == replace(account, netvalve_mid_id=account.netvalve_mid_id.lower())
    assert shop.account(7) == added
    assert await _shows(store, lambda directory: directory.account(1, 7) == added)
    assert store.configuration.directory.site_accounts(1, site.site_id) == (added,)
    changes = {"enabled": True, "permissions": frozenset(), "amount_max_minor": None}
    changed = shop.set_account(7, changes)
    assert shop.accounts() == (changed,) == (replace(added, **changes),)
    assert shop.add_account(ACCOUNT).mid_id == 8, "numbers go on after a given one"


def test_a_bank_can_be_moved(shop: Administration) -> None:
    changes = {"port": 9000, "capabilities": frozenset({BankCapability.REFUND})}
    bank = shop.banks()[0]
    moved = shop.set_bank(1, changes)
    assert shop.banks() == (moved,) == (replace(bank, **changes),)


def test_two_changes_of_one_account_at_the_same_time_both_hold(
    shop: Administration, database_url: str
) -> None:
    shop.add_account(ACCOUNT)
    others = Administration(database_url, HASHER)
    seen = others.account(1)
    shop.set_account(1, {"enabled": False})
    others.set_account(1, {"name": "Renamed"})
    assert shop.account(1) == replace(seen, enabled=False, name="Renamed")


def test_no_change_at_all_is_no_mistake(shop: Administration) -> None:
    before = shop.add_account(ACCOUNT)
    assert shop.set_account(1, {}) == before == shop.account(1)
    assert shop.set_bank(1, {}) == shop.banks()[0]


@pytest.mark.parametrize("change", [{"bank_id": 2}, {"currency": "EUR"}])
async def test_an_account_with_orders_keeps_its_bank_and_its_currency(
    shop: Administration, pay: Pay, change: dict[str, object]
) -> None:
    """Its transactions name neither bank: a refund would go to the wrong one."""
    shop.add_bank("EPX", host="127.0.0.1", port=8583, unreachable_code="GTW_2053")
    before, free = shop.add_account(ACCOUNT), shop.add_account(ACCOUNT)
    await pay(payment(mid_id=1))
    with pytest.raises(AdministrationError, match="has orders"):
        shop.set_account(1, change)
    assert shop.account(1) == before
    assert shop.set_account(2, change) == replace(free, **change)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("not a country", {"country": "XX"}),
        ("bank_id 9", {"bank_id": 9}),
        ("keeps its mid_id", {"mid_id": 2}),
        ("keeps its client_id", {"client_id": 2}),
        ("keeps its netvalve_mid_id", {"netvalve_mid_id": UNKNOWN}),
    ],
)
def test_a_change_that_cannot_be_leaves_the_account_as_it_was(
    shop: Administration, message: str, change: dict[str, object]
) -> None:
    before = shop.add_account(ACCOUNT)
    with pytest.raises(AdministrationError, match=message):
        shop.set_account(1, {"name": "Renamed", **change})
    assert shop.account(1) == before


def test_two_banks_cannot_have_one_name(shop: Administration) -> None:
    shop.add_bank("EPX", host="127.0.0.1", port=8583, unreachable_code="GTW_2053")
    with pytest.raises(AdministrationError, match="name EPX already"):
        shop.set_bank(1, {"name": "EPX"})
    assert shop.set_bank(1, {"name": "TSYS"}).name == "TSYS", "its own name is not taken"


def test_credentials_are_shown_once_and_kept_as_digests(shop: Administration) -> None:
    key_id, api_key = shop.add_api_key(1, "sandbox-key")
    assert api_key == "sandbox-key"
    assert shop.api_keys()[0].digest == HASHER.digest(api_key)
    password = shop.add_basic_user(1, "shop")
    (user,) = shop.basic_users()
    assert HASHER.matches(password, user.digest)
    shop.revoke_basic_user("shop")
    shop.revoke_api_key(key_id)
    assert (shop.api_keys(), shop.basic_users()) == ((), ())


REFUSED: list[tuple[str, Callable[[Administration], object]]] = [
    ("client_id 9", lambda shop: shop.add_api_key(9)),
    ("client_id 9", lambda shop: shop.add_site(9, "x")),
    ("client_id 9", lambda shop: shop.set_client_enabled(9, enabled=True)),
    ("client_id 9", lambda shop: shop.add_account(replace(ACCOUNT, client_id=9))),
    ("bank_id 9", lambda shop: shop.add_account(replace(ACCOUNT, bank_id=9))),
    ("site_id", lambda shop: shop.add_account(replace(ACCOUNT, site_id=UNKNOWN))),
    ("not a currency", lambda shop: shop.add_account(replace(ACCOUNT, currency="XXX"))),
    ("not a country", lambda shop: shop.add_account(replace(ACCOUNT, country="XX"))),
    ("category code", lambda shop: shop.add_account(replace(ACCOUNT, mcc="59"))),
    ("merchant number", lambda shop: shop.add_account(replace(ACCOUNT, bank_merchant_id="1" * 16))),
    ("limit", lambda shop: shop.add_account(replace(ACCOUNT, amount_min_minor=0))),
    (
        "least amount",
        lambda shop: shop.add_account(replace(ACCOUNT, amount_min_minor=2, amount_max_minor=1)),
    ),
    ("mid_id 9", lambda shop: shop.set_account(9, {"enabled": False})),
    ("bank_id 9", lambda shop: shop.set_bank(9, {"port": 1})),
    ("keeps its bank_id", lambda shop: shop.set_bank(1, {"bank_id": 9})),
    ("not a port", lambda shop: shop.set_bank(1, {"port": -1})),
    ("response code", lambda shop: shop.set_bank(1, {"unreachable_code": "GTW_1000"})),
    ("mid_id 9", lambda shop: shop.account(9)),
    ("key_id 9", lambda shop: shop.revoke_api_key(9)),
    ("user_name", lambda shop: shop.revoke_basic_user("nobody")),
    ("colon", lambda shop: shop.add_basic_user(1, "a:b")),
    ("not a UUID", lambda shop: shop.add_client("x", netvalve_client_id="x")),
    (
        "name TSYS already",
        lambda shop: shop.add_bank("TSYS", host="h", port=1, unreachable_code="GTW_2052"),
    ),
    (
        "response code",
        lambda shop: shop.add_bank("B", host="h", port=1, unreachable_code="GTW_1"),
    ),
    (
        "response code",
        lambda shop: shop.add_bank("B", host="h", port=1, unreachable_code="GTW_1000"),
    ),
    ("port", lambda shop: shop.add_bank("B", host="h", port=70_000, unreachable_code="GTW_2052")),
    ("transaction 9", lambda shop: shop.transaction(9)),
    ("order 9", lambda shop: shop.order(9)),
]


@pytest.mark.parametrize(("message", "change"), REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(
    shop: Administration, message: str, change: Callable[[Administration], object]
) -> None:
    before = (shop.clients(), shop.sites(), shop.banks(), shop.accounts(), shop.api_keys())
    with pytest.raises(AdministrationError, match=message):
        change(shop)
    after = (shop.clients(), shop.sites(), shop.banks(), shop.accounts(), shop.api_keys())
    assert after == before


def test_a_key_cannot_be_two_clients(shop: Administration) -> None:
    shop.add_client("Other")
    shop.add_api_key(1, "same")
    with pytest.raises(AdministrationError, match="digest already") as refused:
        shop.add_api_key(2, "same")
    assert "same" not in str(refused.value).replace("same digest", "")


def test_another_client_s_site_is_refused(shop: Administration) -> None:
    shop.add_client("Other")
    site = shop.add_site(2, "other.example")
    with pytest.raises(AdministrationError, match="another client"):
        shop.add_account(replace(ACCOUNT, site_id=site.site_id))
