"""What an approval is known by, made from the message's identity alone."""

import hashlib
from string import ascii_uppercase
from typing import Final

from netvalve.banks.testbank.request import MessageKey

_SCHEME_ID_DIGITS: Final = 15


def auth_code(key: MessageKey) -> str:
    """Field 38, such as `TAS390`: three letters and three digits."""
    rest, number = divmod(_number_of(key, b"auth"), 1000)
    letters = ""
    for _ in range(3):
        rest, letter = divmod(rest, len(ascii_uppercase))
        letters += ascii_uppercase[letter]
    return f"{letters}{number:03d}"


def scheme_transaction_id(key: MessageKey) -> str:
    """The id that a card scheme would give: fifteen digits."""
    number = _number_of(key, b"scheme") % 10**_SCHEME_ID_DIGITS
    return f"{number:0{_SCHEME_ID_DIGITS}d}"


def _number_of(key: MessageKey, purpose: bytes) -> int:
    identity = f"{key.acquirer_id}/{key.terminal_id}/{key.transmitted_at}/{key.stan}"
    digest = hashlib.blake2b(identity.encode(), digest_size=8, person=purpose).digest()
    return int.from_bytes(digest, "big")
