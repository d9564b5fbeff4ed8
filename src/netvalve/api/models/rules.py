"""The rules of single fields: a value as it came in becomes a good value, or a response code.

Each rule takes what the JSON or the query said and raises an error whose type is the code;
no error says what the value was. Rules know their field alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Final

from pydantic_core import PydanticCustomError

from netvalve.catalogue.currencies import CURRENCIES, Currency
from netvalve.domain.money import AMOUNT_MINOR_MAX

INT64_MAX: Final = 2**63 - 1
TEXT_MAX: Final = 255
"""Characters of a text for which the contract names no limit."""
PAYLOAD_MAX: Final = 16_384
"""Characters of what a wallet or a token field made."""
ENTRIES_MAX: Final = 50
INVALID: Final = "GTW_2063"
"""The code of a field that has none of its own."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_BREAK = re.compile(r"\r\n|[\t\n\r]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?")
_FINEST = Decimal("0.0001")
"""No currency has a smaller unit. Source: ISO 4217."""
_DIGITS_END = 10**40


def refused(code: str) -> PydanticCustomError:
    """The error that refuses a field; its type is the response code."""
    return PydanticCustomError(code, "refused")


def digits_or_text(value: object) -> object:
    """A whole number as its digits, anything else as it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _DIGITS_END:
        return str(value)
    return value


def text(value: object, *, length_max: int = TEXT_MAX, too_long: str = INVALID) -> str:
    """Text without control characters; a whole number stands for its digits."""
    if not isinstance(value, str):
        value = digits_or_text(value)
        if not isinstance(value, str):
            raise refused(INVALID)
    if len(value) > length_max:
        raise refused(too_long)
    if not value.isprintable() and _CONTROL.search(value):
        raise refused(INVALID)
    return value


def limited_text(length_max: int, too_long: str) -> Callable[[object], str | None]:
    """A rule for text with a limit and a code of its own; an empty text is an absent one."""

    def rule(value: object) -> str | None:
        return text(value, length_max=length_max, too_long=too_long) or None

    return rule


def free_text(
    length_max: int = TEXT_MAX, too_long: str = INVALID
) -> Callable[[object], str | None]:
    """A rule for what people write: a line break or a tab counts as one blank."""
    rule = limited_text(length_max, too_long)
    return lambda value: rule(on_one_line(value))


def on_one_line(value: object) -> object:
    """Text with a blank for each line break and tab; anything else as it is."""
    return _LINE_BREAK.sub(" ", value) if isinstance(value, str) else value


def optional_text(value: object) -> str | None:
    """Text of at most 255 characters; an empty one is an absent one."""
    return text(value) or None


def bank_text(length_max: int) -> Callable[[object], str | None]:
    """A rule for text that goes to the bank as it is: printable ASCII, no longer than it takes."""

    def rule(value: object) -> str | None:
        written = text(value, length_max=length_max)
        if not written.isascii():
            raise refused(INVALID)
        return written or None

    return rule


def payload(value: object) -> str:
    """What a wallet or a token field made: longer than what people write, and never read here."""
    return text(value, length_max=PAYLOAD_MAX)


def account_name(value: object) -> str | None:
    """The UUID of an account or site; who owns it is for the pipeline to say."""
    try:
        return text(value).strip() or None
    except PydanticCustomError:
        raise refused("GTW_2000") from None


def whole_number(value: object) -> int | None:
    """A whole number, written as a number or as text; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return None


def identifier(code: str) -> Callable[[object], int]:
    """A rule for an int64 above zero, refused with `code`."""

    def rule(value: object) -> int:
        number = whole_number(value)
        if number is None or not 0 < number <= INT64_MAX:
            raise refused(code)
        return number

    return rule


def mid_id(value: object) -> int | None:
    """The number of a merchant account; empty text is an absent one."""
    return None if isinstance(value, str) and not value.strip() else identifier("GTW_2000")(value)


def decimal_of(value: object) -> Decimal | None:
    """A finite number, written as a number or as text; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        written = value.strip()
        return Decimal(written) if _NUMBER.fullmatch(written) else None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float) and isfinite(value):
        return Decimal(repr(value))
    return None


def amount(value: object) -> Decimal:
    """Money in major units, above zero and at most twelve digits of any currency's minor units."""
    number = decimal_of(value)
    if number is None:
        raise refused("GTW_2002")
    if number <= 0:
        raise refused("GTW_2004")
    if number > AMOUNT_MINOR_MAX:
        raise refused("GTW_2059")
    if number % _FINEST:
        raise refused("GTW_2003")
    return number


def number_text(value: object) -> str:
    """A number that is kept and never counted with: as decimal text."""
    number = decimal_of(value)
    if number is None or abs(number) > AMOUNT_MINOR_MAX:
        raise refused(INVALID)
    return text(str(number))


def currency(value: object) -> Currency:
    """An ISO 4217 currency by its letters."""
    if not isinstance(value, str):
        raise refused("GTW_2019")
    if not value:
        raise refused("GTW_2018")
    found = CURRENCIES.get(value)
    if found is None:
        raise refused("GTW_2019")
    return found


def currency_code(value: object) -> str:
    """The same, as its letters."""
    return currency(value).code


def one_of(values: Sequence[str], code: str) -> Callable[[object], str]:
    """A rule for one of the contract's values, letter by letter."""
    known = frozenset(values)

    def rule(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise refused(code)
        return value

    return rule


def spelled_as(values: Mapping[str, str], code: str) -> Callable[[object], str]:
    """A rule for one of several spellings, in any case of letters, each with its meaning."""
    meanings = {spelling.casefold(): meaning for spelling, meaning in values.items()}

    def rule(value: object) -> str:
        word = digits_or_text(str(value) if isinstance(value, bool) else value)
        meaning = meanings.get(word.casefold()) if isinstance(word, str) else None
        if meaning is None:
            raise refused(code)
        return meaning

    return rule


def flag(value: object) -> bool:
    """True or false, as JSON or as text in any case of letters."""
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else None
    if word not in {"true", "false"}:
        raise refused(INVALID)
    return word == "true"


def text_map(value: object) -> dict[str, str]:
    """At most fifty names with their texts; numbers and booleans are kept as JSON writes them."""
    if not isinstance(value, Mapping) or len(value) > ENTRIES_MAX:
        raise refused(INVALID)
    return {text(name): _written(entry) for name, entry in value.items() if entry is not None}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(repr(value) if isinstance(value, float) else on_one_line(value))


def payloads(value: object) -> tuple[str, ...]:
    """At most fifty payloads."""
    if not isinstance(value, list) or len(value) > ENTRIES_MAX:
        raise refused(INVALID)
    return tuple(map(payload, value))


def between(least: int, most: int) -> Callable[[object], int]:
    """A rule for a whole number within limits."""

    def rule(value: object) -> int:
        number = whole_number(value)
        if number is None or not least <= number <= most:
            raise refused(INVALID)
        return number

    return rule


def anything(value: object) -> object:
    """What another part reads."""
    return value
