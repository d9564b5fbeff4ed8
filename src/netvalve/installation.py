"""Whether this installation could serve: keys, store and banks, looked at one by one."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from netvalve.config import Settings
from netvalve.domain.client import BankProfile
from netvalve.storage.administration import Administration
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.engine import DatabaseUrlError
from netvalve.storage.key_ring import KeyRing, KeyRingError
from netvalve.storage.migrate import StoreNotReady, current

_BANK_CONNECT_S = 2.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at before or while the gateway runs."""

    name: str
    ok: bool
    detail: str


def check(settings: Settings) -> list[CheckResult]:
    """Whether a gateway could serve with these settings: keys, store and banks, one by one.

    The banks are those of the store; a link counts as there when its port answers.
    """
    results = [_checked("key ring", lambda: _key_ring_found(settings))]
    results.append(_checked("database", lambda: _database_found(settings)))
    if all(each.ok for each in results):
        results += [
            _checked(f"bank {bank.name}", partial(_bank_found, bank)) for bank in _banks(settings)
        ]
    return results


def _checked(name: str, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, ok=True, detail=look())
    except (KeyRingError, DatabaseUrlError, StoreNotReady, OSError) as error:
        return CheckResult(name, ok=False, detail=str(error))


def _key_ring_found(settings: Settings) -> str:
    ring = KeyRing.load(settings.keyring_path)
    return f"{settings.keyring_path}, {len(ring.cipher_keys)} cipher key(s)"


def _database_found(settings: Settings) -> str:
    revision = current(settings.database_url)
    if revision is None:
        raise StoreNotReady("no tables yet; run: netvalve migrate")
    return f"revision {revision}"


def _bank_found(bank: BankProfile) -> str:
    with socket.create_connection((bank.host, bank.port), _BANK_CONNECT_S):
        return f"{bank.host}:{bank.port} answers"


def _banks(settings: Settings) -> tuple[BankProfile, ...]:
    hasher = CredentialHasher(KeyRing.load(settings.keyring_path).pepper)
    return Administration(settings.database_url, hasher).banks()
