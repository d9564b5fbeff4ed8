"""The premises: a store with its merchants and banks, made once and copied for each run."""

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from netvalve.domain.client import MerchantAccount
from netvalve.simulation.merchants import Identity
from netvalve.storage.administration import Administration
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.migrate import migrate

STORE_FILE: Final = "store.sqlite3"
BANK_PORT: Final = 8583
BANKS: Final = ("alpha", "beta")
"""Their names are their hosts'."""
_CURRENCIES: Final = (("alpha", "USD"), ("beta", "EUR"), ("beta", "JPY"))
_UUID: Final = "00000000-0000-4000-8000-{:012d}"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it

KEY_RING: Final = KeyRing(
    active=1,
    cipher_keys=MappingProxyType({1: b"c" * 32}),
    digest_key=b"d" * 32,
    pepper=b"p" * 32,
)
"""Keys that open nothing but a simulation."""


def new_folder() -> Path:
    """A folder in memory, where there is such a thing."""
    return Path(tempfile.mkdtemp(prefix="netvalve-", dir=_MEMORY if _MEMORY.is_dir() else None))


def furnish(home: Path) -> tuple[Identity, ...]:
    """Put a fresh store and the banks' folders into `home`; who trades there."""
    template, identities = _template()
    (home / STORE_FILE).write_bytes(template)
    for bank in BANKS:
        (home / bank).mkdir()
        (home / bank / "bank.key").write_bytes(b"b" * 32)
    return identities


@lru_cache(maxsize=1)
def _template() -> tuple[bytes, tuple[Identity, ...]]:
    folder = new_folder()
    try:
        url = f"sqlite:///{folder / STORE_FILE}"
        migrate(url)
        identities = _enrolled(Administration(url, CredentialHasher(KEY_RING.pepper)))
        return (folder / STORE_FILE).read_bytes(), identities
    finally:
        shutil.rmtree(folder)


def _enrolled(administration: Administration) -> tuple[Identity, ...]:
    banks = {
        name: administration.add_bank(name, host=name, port=BANK_PORT, unreachable_code="GTW_2052")
        for name in BANKS
    }
    identities = []
    for number, name in enumerate(("ada", "bob", "cyd"), start=1):
        client = administration.add_client(name, netvalve_client_id=_UUID.format(number))
        accounts = []
        for mid_id, (bank, currency) in enumerate(_CURRENCIES, start=number * 10):
            account = MerchantAccount(
                mid_id=mid_id,
                netvalve_mid_id=_UUID.format(mid_id),
                client_id=client.client_id,
                bank_id=banks[bank].bank_id,
                name=f"{name} {currency}",
                currency=currency,
                bank_merchant_id=f"{mid_id:015d}",
                descriptor=name.upper(),
                mcc="5999",
                country="US",
            )
            accounts.append((administration.add_account(account).mid_id, currency))
        _, key = administration.add_api_key(client.client_id, f"key of {name}")
        identities.append(Identity(name, client.netvalve_client_id, key, tuple(accounts)))
    return tuple(identities)
