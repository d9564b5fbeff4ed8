"""The key ring: every secret key of a store, in one file that only its owner may read.

It is kept apart from the database: who has one of them has nothing.
"""

import base64
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, Self

import orjson

_KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyRingError(Exception):
    """The key ring's file cannot be used; the message says what to do and shows no key."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys: each of 32 bytes. Cannot be printed or pickled.

    New cards are encrypted under the active version; older versions stay to open older cards.
    """

    active: int
    cipher_keys: Mapping[int, bytes]
    digest_key: bytes
    """Cards are found by digests under this key; it is never changed."""
    pepper: bytes
    """API keys and passwords are digested under this key; it is never changed."""

    @classmethod
    def generate(cls) -> Self:
        """New random keys."""
        return cls(
            active=1,
            cipher_keys=MappingProxyType({1: secrets.token_bytes(_KEY_BYTES)}),
            digest_key=secrets.token_bytes(_KEY_BYTES),
            pepper=secrets.token_bytes(_KEY_BYTES),
        )

    def rotated(self) -> Self:
        """The same ring with one more cipher key, which is the active one."""
        version = max(self.cipher_keys) + 1
        keys = {**self.cipher_keys, version: secrets.token_bytes(_KEY_BYTES)}
        return replace(self, active=version, cipher_keys=MappingProxyType(keys))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a ring from its file.

        Raises:
            KeyRingError: there is none, others may read it, or it is not a key ring.
        """
        try:
            mode = path.stat().st_mode
            content = path.read_bytes()
        except OSError as error:
            raise KeyRingError(f"cannot read the key ring {path}: {error.strerror}") from None
        if mode & _OTHERS:
            raise KeyRingError(f"others may read the key ring {path}; run: chmod 600 {path}")
        try:
            return cls._parsed(content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyRingError(f"{path} is not a key ring") from None

    @classmethod
    def _parsed(cls, content: bytes) -> Self:
        fields = orjson.loads(content)
        keys = {int(version): _key(text) for version, text in fields["cipher_keys"].items()}
        active = int(fields["active"])
        if active not in keys:
            raise ValueError("the active key is missing")
        return cls(
            active, MappingProxyType(keys), _key(fields["digest_key"]), _key(fields["pepper"])
        )

    def save(self, path: Path) -> None:
        """Write the ring whole and durably, mode 0600, in place of what was there."""
        fields = {
            "active": self.active,
            "cipher_keys": {str(version): _text(key) for version, key in self.cipher_keys.items()},
            "digest_key": _text(self.digest_key),
            "pepper": _text(self.pepper),
        }
        beside = path.with_name(f"{path.name}.new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(fields, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _make_durable(path.parent)

    def __repr__(self) -> str:
        return "<KeyRing>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KeyRing cannot be pickled or copied")


def _make_durable(folder: Path) -> None:
    """A rename in a folder survives a power cut once the folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
