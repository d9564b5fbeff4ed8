"""API keys and Basic passwords: made here, shown once, kept as keyed digests.

Both are long and random, so a fast keyed hash is enough; slow ones protect what people make up.
"""

import hmac
import secrets
from typing import NoReturn

_API_KEY_BYTES = 32
_PASSWORD_BYTES = 24


class CredentialHasher:
    """Digests credentials under a pepper that lies outside the database. Takes microseconds.

    Cannot be pickled: the pepper would go with it.
    """

    __slots__ = ("_pepper",)

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def digest(self, credential: str) -> bytes:
        """HMAC-SHA256 of a credential: 32 bytes, the key it is found by."""
        return hmac.digest(self._pepper, credential.encode(), "sha256")

    def matches(self, credential: str, digest: bytes) -> bool:
        """Whether a credential has this digest, in a time that tells nothing."""
        return hmac.compare_digest(self.digest(credential), digest)

    def __repr__(self) -> str:
        return "<CredentialHasher>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CredentialHasher cannot be pickled or copied")


def new_api_key() -> str:
    """A random API key of 256 bits, as text that fits a header."""
    return secrets.token_urlsafe(_API_KEY_BYTES)


def new_password() -> str:
    """A random password of 192 bits, as text that fits a header."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)
