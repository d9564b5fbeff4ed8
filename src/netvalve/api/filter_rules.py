"""The rules of single filters: what a request gives becomes what a search compares with."""

from collections.abc import Callable

import orjson

from netvalve.api.models import rules
from netvalve.api.models.fields import TRANSACTION_TYPES
from netvalve.domain.transaction import TransactionType


def moment(read: Callable[[str], int | None]) -> Callable[[object], int]:
    """A rule for a moment, read by one of the functions of `moments`."""

    def rule(value: object) -> int:
        at_ms = read(rules.text(value))
        if at_ms is None:
            raise rules.refused(rules.INVALID)
        return at_ms

    return rule


def digits(length_min: int, length_max: int) -> Callable[[object], str]:
    """A rule for a number of digits."""

    def rule(value: object) -> str:
        digits = rules.text(value)
        if not (digits.isascii() and digits.isdigit()):
            raise rules.refused(rules.INVALID)
        if not length_min <= len(digits) <= length_max:
            raise rules.refused(rules.INVALID)
        return digits

    return rule


def decimal_text(value: object) -> str:
    """An amount in major units as decimal text."""
    number = rules.decimal_of(value)
    if number is None:
        raise rules.refused(rules.INVALID)
    return rules.text(format(number, "f"))


def capitals(value: object) -> str:
    """Text in capitals, as brands are kept."""
    return rules.text(value).upper()


def types(value: object) -> tuple[TransactionType, ...]:
    """Types of transactions, each once, in a stable order."""
    names: list[object] = []
    for each in value if isinstance(value, list) else [value]:
        names += _listed(each)
    known = rules.one_of(TRANSACTION_TYPES, rules.INVALID)
    return tuple(sorted({TransactionType(known(name)) for name in names}))


def _listed(value: object) -> list[object]:
    """One name, several with commas between, or a JSON array of them."""
    written = rules.text(value).strip()
    if not written.startswith("["):
        return [name.strip() for name in written.split(",")]
    try:
        names = orjson.loads(written)
    except orjson.JSONDecodeError:
        raise rules.refused(rules.INVALID) from None
    return names if isinstance(names, list) else [names]


def already_so(value: object) -> None:
    """A flag for what every listing holds: all statuses, all authorizations. Asks for nothing."""
    rules.flag(value)


def not_asked_for(value: object) -> None:
    """A flag without a meaning: `false` asks for nothing, `true` is refused."""
    if rules.flag(value):
        raise rules.refused(rules.INVALID)
