"""The configuration's rows, to and from records: clients, banks, accounts and credentials."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import Select

from netvalve.domain.client import (
    ApiKey,
    BankCapability,
    BankProfile,
    BasicUser,
    Channel,
    Client,
    MerchantAccount,
    Permission,
    RequiredField,
    Site,
)
from netvalve.domain.directory import Directory
from netvalve.storage import queries

Row = Sequence[Any]
Word = TypeVar("Word", bound=StrEnum)

QUERIES: Final[tuple[Select[Any], ...]] = (
    queries.CONFIGURATION_VERSION,
    queries.CLIENTS,
    queries.SITES,
    queries.BANKS,
    queries.ACCOUNTS,
    queries.API_KEYS,
    queries.BASIC_USERS,
)
"""What a snapshot of the directory is made from, read in one transaction."""


def directory_of(answers: Sequence[Iterable[Row]]) -> Directory:
    """The directory from the answers to `QUERIES`, in their order."""
    versions, clients, sites, banks, accounts, api_keys, basic_users = answers
    ((version,),) = versions
    return Directory.of(
        version=version,
        clients=map(client_of, clients),
        sites=(Site(*row) for row in sites),
        banks=map(bank_of, banks),
        accounts=map(account_of, accounts),
        api_keys=(ApiKey(*row) for row in api_keys),
        basic_users=(BasicUser(*row) for row in basic_users),
    )


def client_of(row: Row) -> Client:
    """A client from the columns of `clients`."""
    return Client(row[0], row[1], row[2], enabled=bool(row[3]), requests_per_s=row[4])


def client_values(client: Client) -> dict[str, object]:
    """The columns of `clients`."""
    return {
        "client_id": client.client_id,
        "netvalve_client_id": client.netvalve_client_id,
        "name": client.name,
        "enabled": client.enabled,
        "requests_per_s": client.requests_per_s,
    }


def bank_of(row: Row) -> BankProfile:
    """A bank from the columns of `banks`."""
    return BankProfile(
        bank_id=row[0],
        name=row[1],
        capabilities=_words(BankCapability, row[2]),
        unreachable_code=row[3],
        host=row[4],
        port=row[5],
    )


def bank_values(bank: BankProfile) -> dict[str, object]:
    """The columns of `banks`."""
    return {
        "bank_id": bank.bank_id,
        "name": bank.name,
        "capabilities": _text(bank.capabilities),
        "unreachable_code": bank.unreachable_code,
        "host": bank.host,
        "port": bank.port,
    }


def account_of(row: Row) -> MerchantAccount:
    """A merchant account from the columns of `accounts`."""
    return MerchantAccount(
        mid_id=row[0],
        netvalve_mid_id=row[1],
        client_id=row[2],
        bank_id=row[3],
        name=row[4],
        currency=row[5],
        bank_merchant_id=row[6],
        descriptor=row[7],
        mcc=row[8],
        country=row[9],
        site_id=row[10],
        enabled=bool(row[11]),
        amount_min_minor=row[12],
        amount_max_minor=row[13],
        required_fields=_words(RequiredField, row[14]),
        permissions=_words(Permission, row[15]),
        channels=_words(Channel, row[16]),
        rebill_needs_marker=bool(row[17]),
        hold_days=row[18],
    )


def account_values(account: MerchantAccount) -> dict[str, object]:
    """The columns of `accounts`."""
    return {
        "mid_id": account.mid_id,
        "netvalve_mid_id": account.netvalve_mid_id,
        "client_id": account.client_id,
        "bank_id": account.bank_id,
        "name": account.name,
        "currency": account.currency,
        "bank_merchant_id": account.bank_merchant_id,
        "descriptor": account.descriptor,
        "mcc": account.mcc,
        "country": account.country,
        "site_id": account.site_id,
        "enabled": account.enabled,
        "amount_min_minor": account.amount_min_minor,
        "amount_max_minor": account.amount_max_minor,
        "required_fields": _text(account.required_fields),
        "permissions": _text(account.permissions),
        "channels": _text(account.channels),
        "rebill_needs_marker": account.rebill_needs_marker,
        "hold_days": account.hold_days,
    }


def _words(kind: type[Word], text: str) -> frozenset[Word]:
    return frozenset(map(kind, text.split()))


def _text(words: Iterable[StrEnum]) -> str:
    """Words side by side, in a stable order; none of them has a space."""
    return " ".join(sorted(words))
