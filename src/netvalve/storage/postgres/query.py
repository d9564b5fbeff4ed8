"""A question in PostgreSQL's own text, compiled from Core once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg as dialect

_DIALECT: Final = dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


@dataclass(frozen=True, slots=True)
class Query:
    """The text, the names of its parameters in their order, and the constants among them."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, object]

    @classmethod
    def of(cls, statement: Select[Any]) -> Self:
        """Compile a statement."""
        compiled = statement.compile(dialect=_DIALECT)
        constants = {name: each for name, each in compiled.params.items() if each is not None}
        return cls(str(compiled), tuple(compiled.positiontup or ()), constants)

    def bound(self, values: Mapping[str, object]) -> list[object]:
        """The parameters for these values, in their order."""
        known = {**self.constants, **values}
        return [known[name] for name in self.names]
