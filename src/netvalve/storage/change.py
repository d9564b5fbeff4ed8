"""One change of the configuration: a transaction that running gateways will notice."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, case, select, update

from netvalve.storage.account_rules import AdministrationError
from netvalve.storage.schema import configuration, identifiers

_BUMP: Final = update(configuration).values(version=configuration.c.version + 1)


class Change:
    """The few things a change does to a table, with errors that say what is wrong."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def bump(self) -> None:
        """Raise the configuration's version."""
        self._connection.execute(_BUMP)

    def number(self, name: str, given: int = 0) -> int:
        """The next number of a kind, or the given one, which is then never handed out."""
        following = identifiers.c.next + 1 if not given else _past(given)
        statement = (
            update(identifiers)
            .where(identifiers.c.name == name)
            .values(next=following)
            .returning(identifiers.c.next)
        )
        after: int = self._connection.execute(statement).scalar_one()
        return given or after - 1

    def insert(self, table: Table, values: Mapping[str, object]) -> None:
        """A new row."""
        self._connection.execute(table.insert().values(values))

    def update(self, table: Table, column: str, key: object, values: Mapping[str, object]) -> None:
        """New values for the row that is there; without any it stays as it is."""
        if values:
            self._connection.execute(update(table).where(table.c[column] == key).values(values))

    def delete(self, table: Table, column: str, key: object) -> None:
        """Take a row away that is there."""
        self.require(table, column, key)
        self._connection.execute(table.delete().where(table.c[column] == key))

    def require(self, table: Table, column: str, key: object) -> Row[Any]:
        """The row with this key.

        Raises:
            AdministrationError: there is none.
        """
        row = self._connection.execute(select(table).where(table.c[column] == key)).first()
        if row is None:
            raise AdministrationError(f"{table.name} has no {column} {key}")
        return row

    def exists(self, table: Table, **values: object) -> bool:
        """Whether a row has all of these values."""
        same = [table.c[column] == value for column, value in values.items()]
        return self._connection.execute(select(table).where(*same).limit(1)).first() is not None

    def refuse_taken(self, table: Table, column: str, key: object) -> None:
        """Go on only where no row has this key.

        Raises:
            AdministrationError: one has; a digest is not shown.
        """
        if self.exists(table, **{column: key}):
            shown = column if isinstance(key, bytes) else f"{column} {key}"
            raise AdministrationError(f"{table.name} has this {shown} already")


def _past(given: int) -> ColumnElement[int]:
    """The next number once this one is taken."""
    return case((identifiers.c.next > given, identifiers.c.next), else_=given + 1)
