"""What an order's course says: the type and state of all its transactions, each pair once.

` AUTHORIZATION:CAPTURED CAPTURE:APPROVED `. A course stands for all orders that have it, so that a
question about their transactions is asked of a few hundred courses and not of the transactions.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, false, or_

from netvalve.domain.transaction import OPENERS, TransactionType
from netvalve.storage.filters import Condition, Meanings


def opened_as(course: Column[str], kinds: Iterable[TransactionType]) -> Condition:
    """The order was opened by a transaction of one of these types."""
    return _any(course, (f" {kind}:" for kind in kinds))


def has(course: Column[str], steps: Iterable[str]) -> Condition:
    """One of the order's transactions is such."""
    return _any(course, (f" {step}" for step in steps))


def means(course: Column[str], state: Column[str], meanings: Meanings) -> Condition:
    """The order shows as a status."""
    return or_(
        false(),
        *(
            state == str(each) if of is None else opened_as(course, [of]) & (state == str(each))
            for of, each in meanings
        ),
    )


def steps(
    types: Iterable[TransactionType], meanings: Meanings | None, *, openings: bool
) -> Iterator[str]:
    """How transactions of some types and a status stand in a course; no types are all."""
    for kind in types or TransactionType:
        if (kind in OPENERS) is not openings:
            continue
        if meanings is None:
            yield f"{kind}:"
            continue
        for of, state in meanings:
            if of in (None, kind):
                yield f"{kind}:{state} "


def _any(course: Column[str], texts: Iterable[str]) -> Condition:
    return or_(false(), *(course.contains(text, autoescape=True) for text in texts))
