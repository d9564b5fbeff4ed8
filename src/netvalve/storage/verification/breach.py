"""A broken invariant: whose, which, what is there and what should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select


class Subject(StrEnum):
    """What a number is the number of."""

    ORDER = "order"
    TRANSACTION = "transaction"
    CARD = "card"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that says something else than the others."""

    subject: Subject
    number: int
    rule: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Question:
    """An invariant as a statement that finds only what breaks it."""

    rule: str
    subject: Subject
    broken: Select[Any]
    """The number, what is there, what should be."""

    def breaches(self, connection: Connection) -> Iterator[Breach]:
        """Everything that breaks the rule, as the database finds it."""
        for number, found, expected in connection.execute(self.broken):
            yield Breach(self.subject, number, self.rule, str(found), str(expected))
