"""Reads a table of the catalogue from CSV and refuses whatever is not exactly a table.

Every refusal names the file and the line. Knows how cells are written, not what they mean.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from io import StringIO
from typing import NamedTuple, TypeVar

from netvalve.catalogue.errors import CatalogueFileError

Choice = TypeVar("Choice", bound=StrEnum)

_FLAGS = {"true": True, "false": False}


class Source(NamedTuple):
    """The text of a table, with the name that refusals are to show."""

    name: str
    text: str


def data_file(name: str) -> Source:
    """Reads a file of `data/`, which is part of the installed package."""
    path = resources.files("netvalve.catalogue") / "data" / name
    return Source(name, path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table; each method reads one cell, or refuses the line."""

    file: str
    line: int
    cells: Mapping[str, str]

    def verbatim(self, column: str) -> str:
        """Reads a cell to the letter, its outer spaces included; it must say something."""
        cell = self.cells[column]
        if not cell.strip():
            raise self.refused(f"{column} is blank")
        return cell

    def text(self, column: str) -> str:
        """Reads a cell that has no outer spaces."""
        cell = self.verbatim(column)
        if cell != cell.strip():
            raise self.refused(f"{column} {cell!r} has outer spaces")
        return cell

    def optional_text(self, column: str) -> str | None:
        """Reads a cell that may be empty."""
        return self.text(column) if self.cells[column] else None

    def matching(self, column: str, pattern: re.Pattern[str]) -> str:
        """Reads a cell of a fixed form."""
        cell = self.text(column)
        if not pattern.fullmatch(cell):
            raise self.refused(f"{column} {cell!r} is not of the form {pattern.pattern}")
        return cell

    def flag(self, column: str) -> bool:
        """Reads `true` or `false`."""
        cell = self.text(column)
        if cell not in _FLAGS:
            raise self.refused(f"{column} {cell!r} is neither true nor false")
        return _FLAGS[cell]

    def choice(self, column: str, choices: type[Choice]) -> Choice:
        """Reads one of the values of an enumeration."""
        cell = self.text(column)
        try:
            return choices(cell)
        except ValueError:
            known = ", ".join(choices)
            raise self.refused(f"{column} {cell!r} is none of {known}") from None

    def refused(self, problem: str) -> CatalogueFileError:
        """Makes the error that refuses this line; the caller raises it."""
        return CatalogueFileError(self.file, self.line, problem)


def records(source: Source, columns: Sequence[str], unique: Sequence[str]) -> Iterator[Record]:
    """Reads the lines of a table in their order.

    The header must be `columns` exactly; no value may come twice in a column named in `unique`.

    Raises:
        CatalogueFileError: at the first line that cannot be accepted.
    """
    first_lines: dict[tuple[str, str], int] = {}
    for record in _whole_lines(source, columns):
        for column in unique:
            cell = record.cells[column]
            first_line = first_lines.setdefault((column, cell), record.line)
            if first_line != record.line:
                raise record.refused(f"{column} {cell!r} is already on line {first_line}")
        yield record


def _whole_lines(source: Source, columns: Sequence[str]) -> Iterator[Record]:
    lines = _lines(source)
    line, header = next(lines, (1, []))
    if header != list(columns):
        raise CatalogueFileError(source.name, line, f"the header is not {','.join(columns)}")
    header_line = line
    for line, cells in lines:
        if len(cells) != len(columns):
            problem = f"{len(cells)} cells instead of {len(columns)}"
            raise CatalogueFileError(source.name, line, problem)
        yield Record(source.name, line, dict(zip(columns, cells, strict=True)))
    if line == header_line:
        raise CatalogueFileError(source.name, line, "no line follows the header")


def _lines(source: Source) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(source.text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise CatalogueFileError(source.name, reader.line_num, str(error)) from error
