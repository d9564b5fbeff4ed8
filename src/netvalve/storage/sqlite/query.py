"""A question in SQLite's own text, compiled from Core once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

_NAMED: Final = sqlite.dialect(paramstyle="named")
_EVERY_NUMBER: Final = {"first_number": 0, "end_number": 2**63 - 1}
"""The file is not cut by month: a payment is found whatever number a wrong clock once led to."""


@dataclass(frozen=True, slots=True)
class Query:
    """The text, and the constants that the statement itself binds."""

    text: str
    constants: Mapping[str, object]

    @classmethod
    def of(cls, statement: Select[Any]) -> Self:
        """Compile a statement."""
        compiled = statement.compile(dialect=_NAMED)
        constants = {name: each for name, each in compiled.params.items() if each is not None}
        return cls(str(compiled), constants)

    def bound(self, values: Mapping[str, object]) -> dict[str, object]:
        """Everything to bind for these values."""
        return {**self.constants, **values, **_EVERY_NUMBER}
