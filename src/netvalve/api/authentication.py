"""Who is asking: by API key, or by Basic authentication. Every failure looks the same.

Source: wire contract, section 1.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from netvalve.domain.client import Client
from netvalve.domain.directory import Directory

_BASIC = b"basic "


@dataclass(slots=True)
class Credentials:
    """What a request's headers say of who is asking; the first of each name that says anything."""

    client_id: bytes | None = None
    api_key: bytes | None = field(default=None, repr=False)
    authorization: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Credentials":
        """Picks them out; names come in lower case."""
        found = cls()
        for name, value in headers:
            if name == b"netvalve-api-key":
                found.api_key = found.api_key or value.strip() or None
            elif name == b"netvalve-client-id":
                found.client_id = found.client_id or value.strip() or None
            elif name == b"authorization":
                found.authorization = found.authorization or value.strip() or None
        return found


def authenticate(
    credentials: Credentials, directory: Directory, digest: Callable[[str], bytes]
) -> Client | None:
    """The enabled client these credentials prove, or None. Costs a digest: microseconds.

    An API key stands before Basic, and comes with its client's id; with Basic the id may be left
    out, and must be the user's own where it is not.
    """
    if credentials.api_key is not None:
        client = _by_api_key(credentials.api_key, directory, digest)
        named = credentials.client_id is not None
    elif credentials.authorization is not None:
        client = _by_basic(credentials.authorization, directory, digest)
        named = True
    else:
        return None
    if client is None or not client.enabled or not named:
        return None
    return client if _is(client, credentials.client_id) else None


def _by_api_key(
    api_key: bytes, directory: Directory, digest: Callable[[str], bytes]
) -> Client | None:
    given = digest(api_key.decode("latin-1"))
    key = directory.api_keys.get(given)
    if key is None or not hmac.compare_digest(key.digest, given):
        return None
    return directory.client(key.client_id)


def _by_basic(
    authorization: bytes, directory: Directory, digest: Callable[[str], bytes]
) -> Client | None:
    if authorization[: len(_BASIC)].lower() != _BASIC:
        return None
    try:
        decoded = base64.b64decode(authorization[len(_BASIC) :].strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user_name, _, password = decoded.partition(":")
    given = digest(password)
    user = directory.basic_users.get(user_name)
    if user is None or not hmac.compare_digest(user.digest, given):
        return None
    return directory.client(user.client_id)


def _is(client: Client, client_id: bytes | None) -> bool:
    if client_id is None:
        return True
    own = client.netvalve_client_id.lower().encode()
    return hmac.compare_digest(own, client_id.strip().lower())
