"""Digests of a request's fields: enough to compare two requests, nothing to read one by.

Keyed per client, apart from every other use of the key ring. A card number has the vault's own
digest, so that there is one rule for what may be known of a card.
"""

import hmac
from functools import lru_cache
from typing import Final

from netvalve.storage.key_ring import KeyRing
from netvalve.storage.vault import card_digest_key, derived_key

_CARD_NUMBER: Final = "cardNumber"
_BYTES: Final = 16
"""Of a digest are kept: two values of one merchant do not meet in them by chance."""
_CLIENTS_CACHED: Final = 4096


class FieldDigests:
    """Digests under the keys of one ring."""

    def __init__(self, key_ring: KeyRing) -> None:
        self._key_ring = key_ring
        self._key = lru_cache(_CLIENTS_CACHED)(self._derived_key)
        self._card_key = lru_cache(_CLIENTS_CACHED)(self._derived_card_key)

    def of_field(self, client_id: int, name: str, value: bytes) -> str:
        """32 hexadecimal digits. The name counts: equal values of two fields do not show."""
        if name == _CARD_NUMBER:
            digest = hmac.digest(self._card_key(client_id), value, "sha256")
        else:
            said = name.encode() + b"\0" + value
            digest = hmac.digest(self._key(client_id), said, "sha256")
        return digest[:_BYTES].hex()

    def _derived_key(self, client_id: int) -> bytes:
        return derived_key(self._key_ring.digest_key, f"field digests of client {client_id}")

    def _derived_card_key(self, client_id: int) -> bytes:
        return card_digest_key(self._key_ring, client_id)
