"""Every error of the catalogue.

CatalogueError
├── CatalogueFileError   a data file is wrong: a bug of this installation
└── UnknownEntryError    a table has no such entry; also a KeyError
"""


class CatalogueError(Exception):
    """Is the root of the catalogue's errors."""


class CatalogueFileError(CatalogueError):
    """Tells which line of which data file cannot be accepted, and why."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


class UnknownEntryError(CatalogueError, KeyError):
    """Names what was asked for and the table that does not have it."""

    def __init__(self, table: str, key: str) -> None:
        super().__init__(f"{table} has no entry {key!r}")
        self.table = table
        self.key = key

    def __str__(self) -> str:  # KeyError would show the message in quotes
        return str(self.args[0])
