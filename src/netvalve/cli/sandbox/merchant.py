"""The sandbox's merchant as records: what `sandbox.toml` says, with the defaults filled in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from netvalve.domain.client import (
    BankCapability,
    BankProfile,
    Channel,
    Client,
    MerchantAccount,
    Permission,
    RequiredField,
    Site,
)

_NETVALVE_MID_ID: Final = "5a4db0c0-0003-4000-8000-{:012d}"
_BANK_MERCHANT_ID: Final = "{:015d}"
_MCC: Final = "5999"
"""Miscellaneous and specialty retail shops. Source: ISO 18245."""
_COUNTRY: Final = "US"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Fixed and public: they open a sandbox and nothing else."""

    api_key: str
    basic_user: str
    basic_password: str


@dataclass(frozen=True, slots=True)
class SandboxMerchant:
    """One client with everything it needs to reach each answer of the gateway."""

    client: Client
    credentials: Credentials
    site: Site
    banks: tuple[BankProfile, ...]
    accounts: tuple[MerchantAccount, ...]
    purposes: Mapping[int, str]
    """What each account is there to show, by its midId."""

    def bank_of(self, account: MerchantAccount) -> BankProfile:
        """The account's bank."""
        return next(bank for bank in self.banks if bank.bank_id == account.bank_id)


def sandbox_merchant(bank_host: str, bank_port: int) -> SandboxMerchant:
    """The merchant with the running test bank's address on each bank that has none of its own."""
    data = _data()
    client, site = Client(**data["client"]), data["site"]
    return SandboxMerchant(
        client=client,
        credentials=Credentials(**data["credentials"]),
        site=Site(site_id=site["site_id"], client_id=client.client_id, name=site["name"]),
        banks=tuple(_bank(row, bank_host, bank_port) for row in data["banks"]),
        accounts=tuple(_account(row, client, site["site_id"]) for row in data["accounts"]),
        purposes={row["mid_id"]: row["purpose"] for row in data["accounts"]},
    )


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("sandbox.toml").read_text("utf-8"))


def _bank(row: Mapping[str, Any], host: str, port: int) -> BankProfile:
    return BankProfile(
        bank_id=row["bank_id"],
        name=row["name"],
        capabilities=frozenset(map(BankCapability, row["capabilities"])),
        unreachable_code=row["unreachable_code"],
        host=host,
        port=row.get("port", port),
    )


def _account(row: Mapping[str, Any], client: Client, site_id: str) -> MerchantAccount:
    return MerchantAccount(
        mid_id=row["mid_id"],
        netvalve_mid_id=_NETVALVE_MID_ID.format(row["mid_id"]),
        client_id=client.client_id,
        bank_id=row["bank_id"],
        name=row["name"],
        currency=row["currency"],
        bank_merchant_id=_BANK_MERCHANT_ID.format(row["mid_id"]),
        descriptor=client.name.upper(),
        mcc=_MCC,
        country=_COUNTRY,
        site_id=site_id if row.get("in_site") else None,
        enabled=row.get("enabled", True),
        amount_min_minor=row.get("amount_min_minor"),
        amount_max_minor=row.get("amount_max_minor"),
        required_fields=frozenset(map(RequiredField, row.get("required_fields", ()))),
        permissions=frozenset(map(Permission, row.get("permissions", Permission))),
        channels=frozenset(map(Channel, row.get("channels", (Channel.API, Channel.API_3DS)))),
        rebill_needs_marker=row.get("rebill_needs_marker", False),
    )
