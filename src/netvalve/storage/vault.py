"""The vault: card numbers at rest, encrypted with AES-256-GCM and found by keyed digests.

Each day has data keys of its own, so that no key comes near the number of random nonces it may
use; the client and the row are bound into the ciphertext, so that a row moved elsewhere does not
open. Digests are keyed per client, apart from the cipher's keys: the same card at two clients
does not show.
"""

import hmac
import secrets
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from netvalve.domain.card import CardNumber, SealedCard
from netvalve.storage.key_ring import KeyRing, KeyRingError

_NONCE_BYTES: Final = 12
_DATA_KEYS_CACHED: Final = 1024
_CLIENTS_CACHED: Final = 4096


class VaultError(Exception):
    """A card does not open: tampered with, moved, or under a key that the ring does not hold."""


class Vault:
    """Seals and reveals card numbers under the keys of one ring."""

    def __init__(self, key_ring: KeyRing, today: Callable[[], int]) -> None:
        """`today` gives the days since 1970-01-01 UTC."""
        self._key_ring = key_ring
        self._today = today
        self._cipher = lru_cache(_DATA_KEYS_CACHED)(self._derived_cipher)
        self._digest_key = lru_cache(_CLIENTS_CACHED)(self._derived_digest_key)

    def seal(self, client_id: int, card_id: int, number: CardNumber) -> SealedCard:
        """Encrypt a number for one row of one client."""
        version, day = self._key_ring.active, self._today()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        clear = number.reveal().encode()
        return SealedCard(
            card_id=card_id,
            client_id=client_id,
            digest=hmac.digest(self._digest_key(client_id), clear, "sha256"),
            key_version=version,
            key_day=day,
            nonce=nonce,
            ciphertext=self._cipher(version, day).encrypt(nonce, clear, _row(client_id, card_id)),
            first_six=number.first_six,
            last_four=number.last_four,
        )

    def reveal(self, sealed: SealedCard) -> CardNumber:
        """The number in clear, for its way to the bank.

        Raises:
            VaultError: the row is not as it was sealed, or its key is missing.
        """
        cipher = self._cipher(sealed.key_version, sealed.key_day)
        row = _row(sealed.client_id, sealed.card_id)
        try:
            return CardNumber(cipher.decrypt(sealed.nonce, sealed.ciphertext, row).decode())
        except (InvalidTag, ValueError):
            raise VaultError(f"card {sealed.card_id} does not open") from None

    def _derived_cipher(self, version: int, day: int) -> AESGCM:
        master = self._key_ring.cipher_keys.get(version)
        if master is None:
            raise VaultError(f"the key ring has no cipher key of version {version}")
        return AESGCM(derived_key(master, f"card data of day {day}"))

    def _derived_digest_key(self, client_id: int) -> bytes:
        return card_digest_key(self._key_ring, client_id)


def card_digest_key(key_ring: KeyRing, client_id: int) -> bytes:
    """The key of one client's card digests."""
    return derived_key(key_ring.digest_key, f"card digests of client {client_id}")


def derived_key(master: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose. Source: RFC 5869."""
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(master)


def _row(client_id: int, card_id: int) -> bytes:
    return f"{client_id}:{card_id}".encode()


__all__ = ["KeyRing", "KeyRingError", "Vault", "VaultError", "card_digest_key", "derived_key"]
