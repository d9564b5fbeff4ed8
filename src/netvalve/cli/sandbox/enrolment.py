"""Brings the sandbox's store to where a payment can be taken; a second time changes nothing."""

from dataclasses import replace

from netvalve.cli.administration import administration_of
from netvalve.cli.sandbox.merchant import SandboxMerchant
from netvalve.config import Settings
from netvalve.domain.client import BankProfile, Client, MerchantAccount
from netvalve.storage.administration import Administration
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.migrate import migrate


def prepare_store(settings: Settings, merchant: SandboxMerchant) -> SandboxMerchant:
    """Makes key ring, tables and merchant where they are missing.

    Returns the merchant as the store has it: what somebody has changed since stays changed.
    """
    path = settings.keyring_path
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        KeyRing.generate().save(path)
    migrate(settings.database_url)
    return enrol(administration_of(settings), merchant)


def enrol(store: Administration, merchant: SandboxMerchant) -> SandboxMerchant:
    """Adds what is missing of the merchant; a bank moves to where it listens now."""
    client = _client(store, merchant.client)
    _site(store, client, merchant)
    banks = {bank.bank_id: _bank(store, bank) for bank in merchant.banks}
    accounts = tuple(
        _account(
            store, replace(each, client_id=client.client_id, bank_id=banks[each.bank_id].bank_id)
        )
        for each in merchant.accounts
    )
    _credentials(store, client, merchant)
    return replace(merchant, client=client, banks=tuple(banks.values()), accounts=accounts)


def _client(store: Administration, client: Client) -> Client:
    known = {each.netvalve_client_id: each for each in store.clients()}
    return known.get(client.netvalve_client_id) or store.add_client(
        client.name, netvalve_client_id=client.netvalve_client_id
    )


def _site(store: Administration, client: Client, merchant: SandboxMerchant) -> None:
    site = merchant.site
    if site.site_id not in {each.site_id for each in store.sites()}:
        store.add_site(client.client_id, site.name, site_id=site.site_id)


def _bank(store: Administration, bank: BankProfile) -> BankProfile:
    known = {each.name: each for each in store.banks()}.get(bank.name)
    if known is None:
        return store.add_bank(
            bank.name,
            host=bank.host,
            port=bank.port,
            unreachable_code=bank.unreachable_code,
            capabilities=bank.capabilities,
        )
    if (known.host, known.port) == (bank.host, bank.port):
        return known
    return store.set_bank(known.bank_id, {"host": bank.host, "port": bank.port})


def _account(store: Administration, account: MerchantAccount) -> MerchantAccount:
    known = {each.netvalve_mid_id: each for each in store.accounts()}
    return known.get(account.netvalve_mid_id) or store.add_account(account)


def _credentials(store: Administration, client: Client, merchant: SandboxMerchant) -> None:
    """Fixed values; a client that has any key or user has had these, and may have lost them."""
    credentials = merchant.credentials
    if client.client_id not in {each.client_id for each in store.api_keys()}:
        store.add_api_key(client.client_id, credentials.api_key)
    if credentials.basic_user not in {each.user_name for each in store.basic_users()}:
        store.add_basic_user(client.client_id, credentials.basic_user, credentials.basic_password)
