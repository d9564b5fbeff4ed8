"""The pages of the documentation that are made from the operation table and the filters.

Each function returns a whole Markdown page; who calls it writes the file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from netvalve.api.filters import FILTERS, Filter
from netvalve.api.operations import OPERATIONS, Operation

_WHAT_COUNTS: Final = (
    "Null and empty text count as not sent. In free text, such as `customerAddress` and "
    "`orderDesc`, a line break or a tab is kept as one blank.\n"
)
_WHAT_ACCOUNTS_REQUIRE: Final = (
    "All failed fields come in one array. What an account requires of a payment (`GTW_2001`, "
    "`GTW_2010`, `GTW_2011`, `GTW_2012`, `GTW_2021`, `GTW_2025`, `GTW_2036`) is among them, where "
    "the body names a usable account and a currency.\n"
)


def operations_page() -> str:
    """Every operation: how it is called and what it reads and answers."""
    header = ("Operation", "operationId", "Summary", "Reads", "Answers")
    return _page(
        "Operations",
        "What the gateway can be asked, from the table its routes are made of",
        "operations.py",
        "The running gateway shows each one with its fields and an example at `/api`.\n",
        _table(header, map(_operation_row, OPERATIONS)),
        _WHAT_COUNTS,
        _WHAT_ACCOUNTS_REQUIRE,
        _keys(),
        _notes(),
    )


def filters_page() -> str:
    """Every filter of the listings and its meaning."""
    return _page(
        "Filters",
        "What `/orders` and `/export` can be narrowed by",
        "filters.py",
        "Filters come as query parameters of their own, or as one JSON object in `filters`; where "
        "both name the same filter, the parameter of its own counts. All given filters must hold; "
        "an empty one is an absent one. A filter with a wrong value is answered with status 400, "
        "`GTW_2063` and its name; so is one that is not known yet.\n",
        _table(("Filter", "Type", "Meaning"), map(_filter_row, FILTERS)),
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "reference/operations.md": operations_page,
        "reference/filters.md": filters_page,
    }
)
"""The pages by their path below `docs/`."""


def _notes() -> str:
    """What the table has no room for, once where it is said of several operations."""
    paths: dict[str, list[str]] = {}
    for each in OPERATIONS:
        if each.description:
            paths.setdefault(each.description, []).append(f"`{each.path}`")
    return "\n".join(f"{', '.join(of)}: {note}\n" for note, of in paths.items())


def _keys() -> str:
    """Which operations take a key of the merchant's."""
    paths = ", ".join(f"`{each.path}`" for each in OPERATIONS if each.moves_money)
    return (
        f"{paths} take an `Idempotency-Key`: [a request sent again](../idempotency.md) under its "
        "key is not done again, and hears its first answer.\n"
    )


def _operation_row(operation: Operation) -> Sequence[str]:
    reads = operation.request or operation.query
    return (
        f"`{operation.method} {operation.path}`",
        f"`{operation.operation_id}`",
        operation.summary,
        f"`{reads.__name__}`" if reads else "",
        f"`{operation.answer.__name__}`",
    )


def _filter_row(filter_: Filter) -> Sequence[str]:
    kind = filter_.schema.get("format") or filter_.schema["type"]
    return f"`{filter_.name}`", str(kind), filter_.meaning


def _page(title: str, subject: str, file: str, *sections: str) -> str:
    origin = f"made from `src/netvalve/api/{file}` by `make docs`"
    return "\n".join((f"# {title}\n", f"{subject}; {origin}.\n", *sections))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
