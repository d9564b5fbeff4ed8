"""Administration: who may ask for payments, changed while a gateway runs on the same store.

Each change is one short transaction and raises the configuration's version, by which a running
gateway notices it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Select

from netvalve.domain.client import (
    ApiKey,
    BankCapability,
    BankProfile,
    BasicUser,
    Client,
    MerchantAccount,
    Site,
)
from netvalve.domain.journal import HistoryEntry, Resolution
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.storage import queries
from netvalve.storage.account_rules import (
    AdministrationError,
    check_account,
    check_bank,
    check_client,
)
from netvalve.storage.change import Change
from netvalve.storage.credentials import CredentialHasher, new_api_key, new_password
from netvalve.storage.directory_rows import (
    account_of,
    account_values,
    bank_of,
    bank_values,
    client_of,
    client_values,
)
from netvalve.storage.engine import engine_of
from netvalve.storage.mapping import (
    history_entry_of,
    order_of,
    transaction_of,
    transaction_on_order_of,
)
from netvalve.storage.schema import accounts, api_keys, banks, basic_users, clients, orders, sites
from netvalve.storage.snapshot import snapshot_of
from netvalve.storage.stored_messages import (
    MessageReport,
    Unended,
    messages_of,
    resolve,
    unended,
)

TransactionReport = tuple[Transaction, Order, tuple[HistoryEntry, ...]]
OrderReport = tuple[Order, tuple[Transaction, ...], tuple[HistoryEntry, ...]]

_EVERY_CAPABILITY: Final = frozenset(BankCapability)


class Administration:
    """Adds, lists and changes clients, sites, banks, accounts and credentials.

    Raises AdministrationError for what does not exist, exists already or cannot be.
    """

    def __init__(self, database_url: str, hasher: CredentialHasher) -> None:
        self._database_url = database_url
        self._hasher = hasher

    def add_client(self, name: str, *, netvalve_client_id: str | None = None) -> Client:
        """A new client, under a UUID of its own unless one is given."""
        uuid = _uuid(netvalve_client_id)
        with self._change() as change:
            change.refuse_taken(clients, "netvalve_client_id", uuid)
            client = Client(change.number("client"), uuid, name)
            change.insert(clients, client_values(client))
        return client

    def clients(self) -> tuple[Client, ...]:
        """All clients, in the order of their numbers."""
        return tuple(map(client_of, self._rows(queries.CLIENTS)))

    def set_client(self, client_id: int, changes: Mapping[str, Any]) -> Client:
        """These fields of a client, from now on; the others stay. Returns it as it is then."""
        with self._change() as change:
            present = client_of(change.require(clients, "client_id", client_id))
            client = replace(present, **changes)
            _refuse_renumbered(present, client, "client_id", "netvalve_client_id")
            check_client(client)
            change.update(clients, "client_id", client_id, _only(changes, client_values(client)))
        return client

    def set_client_enabled(self, client_id: int, *, enabled: bool) -> None:
        """Whether a client's requests are taken."""
        with self._change() as change:
            change.require(clients, "client_id", client_id)
            change.update(clients, "client_id", client_id, {"enabled": enabled})

    def add_site(self, client_id: int, name: str, *, site_id: str | None = None) -> Site:
        """A new site of a client, under a UUID of its own unless one is given."""
        site = Site(_uuid(site_id), client_id, name)
        with self._change() as change:
            change.require(clients, "client_id", client_id)
            change.refuse_taken(sites, "site_id", site.site_id)
            values = {"site_id": site.site_id, "client_id": client_id, "name": name}
            change.insert(sites, values)
        return site

    def sites(self) -> tuple[Site, ...]:
        """All sites."""
        return tuple(Site(*row) for row in self._rows(queries.SITES))

    def add_bank(
        self,
        name: str,
        *,
        host: str,
        port: int,
        unreachable_code: str,
        capabilities: frozenset[BankCapability] = _EVERY_CAPABILITY,
    ) -> BankProfile:
        """A new bank."""
        with self._change() as change:
            change.refuse_taken(banks, "name", name)
            number = change.number("bank")
            bank = BankProfile(number, name, capabilities, unreachable_code, host, port)
            check_bank(bank)
            change.insert(banks, bank_values(bank))
        return bank

    def banks(self) -> tuple[BankProfile, ...]:
        """All banks, in the order of their numbers."""
        return tuple(map(bank_of, self._rows(queries.BANKS)))

    def set_bank(self, bank_id: int, changes: Mapping[str, Any]) -> BankProfile:
        """These fields of a bank, from now on; the others stay. Returns the bank as it is then."""
        with self._change() as change:
            present = bank_of(change.require(banks, "bank_id", bank_id))
            bank = replace(present, **changes)
            _refuse_renumbered(present, bank, "bank_id")
            if bank.name != present.name:
                change.refuse_taken(banks, "name", bank.name)
            check_bank(bank)
            change.update(banks, "bank_id", bank_id, _only(changes, bank_values(bank)))
        return bank

    def add_account(self, account: MerchantAccount) -> MerchantAccount:
        """A new merchant account; a `mid_id` of 0 takes the next number."""
        with self._change() as change:
            if account.mid_id:
                change.refuse_taken(accounts, "mid_id", account.mid_id)
            added = replace(
                account,
                mid_id=change.number("account", account.mid_id),
                netvalve_mid_id=_uuid(account.netvalve_mid_id),
            )
            change.refuse_taken(accounts, "netvalve_mid_id", added.netvalve_mid_id)
            _check_references(change, added)
            change.insert(accounts, account_values(added))
        return added

    def account(self, mid_id: int) -> MerchantAccount:
        """A merchant account by its number."""
        for each in self.accounts():
            if each.mid_id == mid_id:
                return each
        raise AdministrationError(f"accounts has no mid_id {mid_id}")

    def accounts(self) -> tuple[MerchantAccount, ...]:
        """All merchant accounts, in the order of their numbers."""
        return tuple(map(account_of, self._rows(queries.ACCOUNTS)))

    def set_account(self, mid_id: int, changes: Mapping[str, Any]) -> MerchantAccount:
        """These fields of an account, from now on; the others stay. Returns it as it is then.

        An account with orders keeps its bank and its currency: what follows on an order goes
        where the account is, and would go where nobody knows the order.
        """
        with self._change() as change:
            present = account_of(change.require(accounts, "mid_id", mid_id))
            account = replace(present, **changes)
            _refuse_renumbered(present, account, "mid_id", "netvalve_mid_id", "client_id")
            _refuse_moved(change, present, account)
            _check_references(change, account)
            change.update(accounts, "mid_id", mid_id, _only(changes, account_values(account)))
        return account

    def add_api_key(self, client_id: int, api_key: str | None = None) -> tuple[int, str]:
        """A new key's number and the key, this once. A given one is for the sandbox alone."""
        key = api_key or new_api_key()
        digest = self._hasher.digest(key)
        with self._change() as change:
            change.require(clients, "client_id", client_id)
            change.refuse_taken(api_keys, "digest", digest)
            number = change.number("api_key")
            values = {"key_id": number, "client_id": client_id, "digest": digest}
            change.insert(api_keys, values)
        return number, key

    def api_keys(self) -> tuple[ApiKey, ...]:
        """All API keys by their numbers; the keys themselves are not known."""
        return tuple(ApiKey(*row) for row in self._rows(queries.API_KEYS))

    def revoke_api_key(self, key_id: int) -> None:
        """Refuse a key from now on."""
        with self._change() as change:
            change.delete(api_keys, "key_id", key_id)

    def add_basic_user(self, client_id: int, user_name: str, password: str | None = None) -> str:
        """A new user's password, this once. A given one is for the sandbox alone."""
        if not user_name or ":" in user_name:
            raise AdministrationError("a user name has at least one character and no colon")
        secret = password or new_password()
        with self._change() as change:
            change.require(clients, "client_id", client_id)
            change.refuse_taken(basic_users, "user_name", user_name)
            digest = self._hasher.digest(secret)
            values = {"user_name": user_name, "client_id": client_id, "digest": digest}
            change.insert(basic_users, values)
        return secret

    def basic_users(self) -> tuple[BasicUser, ...]:
        """All users; their passwords are not known."""
        return tuple(BasicUser(*row) for row in self._rows(queries.BASIC_USERS))

    def revoke_basic_user(self, user_name: str) -> None:
        """Refuse a user from now on."""
        with self._change() as change:
            change.delete(basic_users, "user_name", user_name)

    def transaction(self, transaction_id: int) -> TransactionReport:
        """A transaction with its order and its history, whoever's it is."""
        values = {"transaction_id": transaction_id}
        rows = self._rows(queries.ANY_TRANSACTION_ON_ORDER, values)
        if not rows:
            raise AdministrationError(f"there is no transaction {transaction_id}")
        history = tuple(map(history_entry_of, self._rows(queries.HISTORY, values)))
        return (*transaction_on_order_of(rows[0]), history)

    def stored_messages(self, transaction_id: int) -> tuple[MessageReport, ...]:
        """What is, or was, stored to end a transaction."""
        with snapshot_of(self._database_url) as connection:
            return messages_of(connection, transaction_id)

    def unended(self, *, first: int, refused: bool = False) -> tuple[Unended, ...]:
        """What has no end yet, the oldest first; or of that only what its bank has refused."""
        with snapshot_of(self._database_url) as connection:
            return unended(connection, first=first, refused=refused)

    def resolve(self, transaction_id: int, resolution: Resolution) -> None:
        """Keep an operator's word, by which a running gateway ends a transaction."""
        with engine_of(self._database_url) as engine, engine.begin() as connection:
            resolve(connection, transaction_id, resolution)

    def order(self, order_id: int) -> OrderReport:
        """An order with its transactions and all their history, whoever's it is."""
        values = {"order_id": order_id}
        rows = self._rows(queries.ANY_ORDER, values)
        if not rows:
            raise AdministrationError(f"there is no order {order_id}")
        transactions = self._rows(queries.ANY_TRANSACTIONS_OF_ORDER, values)
        history = self._rows(queries.HISTORY_OF_ORDER, values)
        return (
            order_of(rows[0]),
            tuple(map(transaction_of, transactions)),
            tuple(map(history_entry_of, history)),
        )

    @contextmanager
    def _change(self) -> Iterator[Change]:
        with engine_of(self._database_url) as engine, engine.begin() as connection:
            change = Change(connection)
            yield change
            change.bump()

    def _rows(
        self, statement: Select[Any], values: Mapping[str, object] | None = None
    ) -> list[Any]:
        with snapshot_of(self._database_url) as connection:
            return list(connection.execute(statement, values or {}))


def _check_references(change: Change, account: MerchantAccount) -> None:
    """The account makes sense, and so does what it points at."""
    check_account(account)
    change.require(clients, "client_id", account.client_id)
    change.require(banks, "bank_id", account.bank_id)
    if account.site_id is not None:
        site = change.require(sites, "site_id", account.site_id)
        if site.client_id != account.client_id:
            raise AdministrationError(f"site {account.site_id} is another client's")


def _refuse_renumbered(present: object, changed: object, *fields: str) -> None:
    """By these fields others know it: they stay for ever."""
    for field in fields:
        if getattr(changed, field) != getattr(present, field):
            raise AdministrationError(f"it keeps its {field} {getattr(present, field)}")


def _refuse_moved(change: Change, present: MerchantAccount, changed: MerchantAccount) -> None:
    if (changed.bank_id, changed.currency) == (present.bank_id, present.currency):
        return
    if change.exists(orders, client_id=present.client_id, mid_id=present.mid_id):
        raise AdministrationError(
            f"account {present.mid_id} has orders and keeps its bank and currency; add another one"
        )


def _only(changes: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """The columns of the fields that change."""
    return {field: values[field] for field in changes}


def _uuid(given: str | None) -> str:
    """The UUID as it is kept: in small letters, with hyphens."""
    try:
        return str(UUID(given) if given else uuid4())
    except ValueError:
        raise AdministrationError(f"{given} is not a UUID") from None


__all__ = ["Administration", "AdministrationError"]
