"""The pages of the documentation that are made from the catalogue's data.

Each function returns a whole Markdown page; who calls it writes the file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.bank_codes import BANK_CODES, UNLISTED, BankCode
from netvalve.catalogue.card_brands import CARD_RANGES, CardRange
from netvalve.catalogue.currencies import CURRENCIES
from netvalve.catalogue.hold_times import HOLD_TIMES
from netvalve.catalogue.response_codes import RESPONSE_CODES, ResponseCode

_FAMILIES = {
    "GTW": "The gateway",
    "BNK": "The bank",
    "3DS": "3-D Secure",
    "SMR": "Smart routing",
}


def response_codes_page() -> str:
    """Lists every response code with its message to the letter, family by family."""
    families = groupby(RESPONSE_CODES.values(), key=lambda entry: entry.code.split("_")[0])
    return _page(
        "Response codes",
        "What the gateway answers, message to the letter",
        "response_codes.csv",
        *(_family_section(family, list(entries)) for family, entries in families),
    )


def bank_codes_page() -> str:
    """Lists every known value of field 39 and what the client is told of it."""
    return _page(
        "Bank codes",
        "What a bank's answer (ISO 8583 field 39) becomes in the answer to the client",
        "bank_codes.csv",
        f"A value that is not listed is answered with `{UNLISTED.code}`, keeps its value in "
        "`bankResponseCode` and may not be retried.\n",
        _table(
            ("Value", "`bankResponseMessage`", "`responseCode`", "Type", "`isRetryAllowed`"),
            map(_bank_code_row, BANK_CODES.values()),
        ),
    )


def currencies_page() -> str:
    """Lists every currency with its number of decimals."""
    rows = ((_code(c.code), _code(c.number), str(c.exponent)) for c in CURRENCIES.values())
    return _page(
        "Currencies",
        "The currencies of ISO 4217 and how many decimals an amount in each may have",
        "currencies.csv",
        _table(("Currency", "Number", "Decimals"), rows),
    )


def card_brands_page() -> str:
    """Lists every card range with its brand and lengths."""
    return _page(
        "Card brands",
        "How the gateway tells the brand of a card number (`cardType`)",
        "card_brands.csv",
        "Where two ranges hold a number, the narrower one wins. A number that none holds is "
        "`UNKNOWN`.\n",
        _table(("Brand", "Begins with", "Digits"), map(_card_range_row, CARD_RANGES)),
    )


def hold_times_page() -> str:
    """Lists every brand with the days that its authorizations wait for a capture."""
    return _page(
        "Hold times",
        "How long an authorization may wait for its capture before the gateway cancels it",
        "hold_times.csv",
        "The time of a merchant account (`netvalve account set --hold-days`) goes before its "
        "brand's.\n",
        _table(("Brand", "Days"), ((brand, str(days)) for brand, days in HOLD_TIMES.items())),
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "reference/response-codes.md": response_codes_page,
        "reference/bank-codes.md": bank_codes_page,
        "reference/currencies.md": currencies_page,
        "reference/card-brands.md": card_brands_page,
        "reference/hold-times.md": hold_times_page,
    }
)
"""The pages by their path below `docs/`."""


def _family_section(family: str, entries: Sequence[ResponseCode]) -> str:
    rows = ((_code(e.code), _code(e.message), e.type.value, e.constant or "") for e in entries)
    header = ("Code", "Message", "Type", "Constant")
    return f"## {_FAMILIES[family]}\n\n{_table(header, rows)}"


def _bank_code_row(entry: BankCode) -> Sequence[str]:
    return (
        _code(entry.value),
        _code(entry.message),
        _code(entry.response_code.code),
        entry.response_code.type.value,
        "yes" if entry.retry_allowed else "no",
    )


def _card_range_row(entry: CardRange) -> Sequence[str]:
    one_prefix = entry.prefix_low == entry.prefix_high
    prefixes = entry.prefix_low if one_prefix else f"{entry.prefix_low}-{entry.prefix_high}"
    return entry.brand, prefixes, ", ".join(map(str, entry.lengths))


def _page(title: str, subject: str, file: str, *sections: str) -> str:
    origin = f"made from `src/netvalve/catalogue/data/{file}` by `make docs`"
    return "\n".join((f"# {title}\n", f"{subject}; {origin}.\n", *sections))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(text: str) -> str:
    """Shows text to the letter; a bar would end the cell of the table."""
    return "`" + text.replace("|", r"\|") + "`"
