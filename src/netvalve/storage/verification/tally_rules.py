"""What must hold of the tallies: they are what counting gives, in spans of every length."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    func,
    inspect,
    literal,
    literal_column,
    select,
    union_all,
)

from netvalve.storage.groups import FOLLOWED, GROUP, ORDERS, TRANSACTIONS, Listing
from netvalve.storage.schema import tallies, tally_changes
from netvalve.storage.spans import HOUR_MS, SPANS_H
from netvalve.storage.verification.breach import Question, Subject

_NOTHING: Final[ColumnElement[int]] = literal_column("0")


def are_kept(connection: Connection) -> bool:
    """Whether the database is of a revision that has them."""
    return inspect(connection).has_table(tallies.name)


def _rows_by_hour(listing: Listing) -> Select[Any]:
    columns = listing.table.c
    hour = listing.at_ms // HOUR_MS
    group = [columns[own].label(name) for own, name in zip(listing.group, GROUP, strict=True)]
    mark: ColumnElement[str] = literal_column(f"'{listing.mark}'").label("listing")
    return select(
        columns.client_id,
        mark,
        hour.label("span"),
        *group,
        _NOTHING.label("kept"),
        func.count().label("there"),
    ).group_by(columns.client_id, hour, *(columns[own] for own in listing.group))


def _kept(span_h: int, span: ColumnElement[int], *, as_kept: bool) -> Select[Any]:
    columns = tallies.c
    ends = (columns.rows, _NOTHING) if as_kept else (_NOTHING, columns.rows)
    group = [columns[name] for name in GROUP]
    return select(
        columns.client_id,
        columns.listing,
        span.label("span"),
        *group,
        ends[0].label("kept"),
        ends[1].label("there"),
    ).where(columns.span_h == span_h)


def _changed() -> Select[Any]:
    columns = tally_changes.c
    group = [columns[name] for name in GROUP]
    return select(columns.client_id, columns.listing, columns.hour, *group, columns.rows, _NOTHING)


def _differing(parts: Sequence[Select[Any]]) -> Select[Any]:
    """The client, what is kept of one of its groups in one span, and what is there."""
    both = union_all(*parts).subquery("both")
    key = [both.c.client_id, both.c.listing, both.c.span, *(both.c[name] for name in GROUP)]
    kept, there = func.sum(both.c.kept), func.sum(both.c.there)
    named: ColumnElement[str] = literal("")
    for each in key[1:]:
        named = named.concat(cast(each, String)).concat(" ")
    return (
        select(
            both.c.client_id,
            named.concat(cast(kept, String)),
            named.concat(cast(there, String)),
        )
        .group_by(*key)
        .having(kept != there)
    )


def _longer(span_h: int, shorter_h: int) -> Question:
    span = tallies.c.span // (span_h // shorter_h)
    parts = (
        _kept(span_h, tallies.c.span, as_kept=True),
        _kept(shorter_h, span, as_kept=False),
    )
    rule = f"the tallies of {span_h} hours add up those of {shorter_h}"
    return Question(rule, Subject.CLIENT, _differing(parts))


_OF_ROWS: Final = Question(
    "the tallies count every order and transaction",
    Subject.CLIENT,
    _differing(
        (
            _kept(1, tallies.c.span, as_kept=True),
            _changed(),
            _rows_by_hour(ORDERS),
            _rows_by_hour(TRANSACTIONS),
            _rows_by_hour(FOLLOWED),
        )
    ),
)

TALLY_RULES: Final = (
    _OF_ROWS,
    *(_longer(span_h, shorter_h) for span_h, shorter_h in pairwise(SPANS_H)),
)
