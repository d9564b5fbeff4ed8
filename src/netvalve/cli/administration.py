"""The way to a store's configuration, for commands that look at it or change it.

It goes past `bootstrap`, which loads a whole gateway: these commands are to be quick.
"""

from typing import TYPE_CHECKING

from netvalve.cli.failure import Failure
from netvalve.cli.keyring import require_key_ring
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.config import Settings
    from netvalve.storage.administration import Administration


def administration() -> "Administration":
    """Opens the store of this process's settings; a gateway may be running on it.

    Raises:
        Failure: there is no store yet.
    """
    settings = load_settings()
    _require_store(settings)
    return administration_of(settings)


def administration_of(settings: "Settings") -> "Administration":
    """Opens the store of these settings, which has its key ring and its tables."""
    from netvalve.storage.administration import Administration
    from netvalve.storage.credentials import CredentialHasher
    from netvalve.storage.key_ring import KeyRing

    key_ring = KeyRing.load(settings.keyring_path)
    return Administration(settings.database_url, CredentialHasher(key_ring.pepper))


def _require_store(settings: "Settings") -> None:
    from netvalve.storage.engine import shown
    from netvalve.storage.migrate import current

    require_key_ring(settings)
    if current(settings.database_url) is None:
        raise Failure(f"{shown(settings.database_url)} has no tables; run `netvalve migrate`")
