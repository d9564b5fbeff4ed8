"""The card: what is shown of it, what is hidden, and the checks its number carries in itself."""

from dataclasses import dataclass

from netvalve.catalogue.card_brands import brand_of
from netvalve.domain.secrets import Secret

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the rest. Source: ISO/IEC 7812-1, annex B."""
    values = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


_PUBLISHED_WITHOUT_CHECK_DIGIT = frozenset({"4532802195368940"})
"""The API's published test card for a decline fails its own check digit and is declined by the
bank (field 39 = 05), so it has to get there. Source: wire contract, test cards."""


def is_card_number(digits: str) -> bool:
    """Whether these digits can be a card's: by their check digit, or as a published test card."""
    return passes_luhn(digits) or digits in _PUBLISHED_WITHOUT_CHECK_DIGIT


class CardNumber(Secret):
    """A card number in clear, on its way to the bank or into the vault."""

    __slots__ = ()

    @property
    def first_six(self) -> str:
        """The issuer's digits, which may be stored and shown."""
        return self._value[:6]

    @property
    def last_four(self) -> str:
        """The digits a card holder knows the card by."""
        return self._value[-4:]

    @property
    def brand(self) -> str:
        """VISA, MASTERCARD, …: by the range of the first digits."""
        return brand_of(self._value)


class SecurityCode(Secret):
    """A CVV2: only ever in memory, only ever on its way to the bank."""

    __slots__ = ()


def masked(first_six: str, last_four: str) -> str:
    """`401200******5439`: first six, six stars for every length, last four.

    Source: wire contract, section 1.
    """
    return f"{first_six}******{last_four}"


@dataclass(frozen=True, slots=True)
class Card:
    """A card as a payment presents it to the bank."""

    number: CardNumber
    expiry_month: str
    """Two digits."""
    expiry_year: str
    """Four digits."""
    security_code: SecurityCode | None = None


@dataclass(frozen=True, slots=True)
class SealedCard:
    """A row of the vault: the number encrypted, findable by a keyed digest.

    `card_id` and `client_id` are bound into the ciphertext, so a row moved to another client
    does not open.
    """

    card_id: int
    client_id: int
    digest: bytes
    key_version: int
    key_day: int
    """Days since 1970-01-01 of the data key."""
    nonce: bytes
    ciphertext: bytes
    first_six: str
    last_four: str
