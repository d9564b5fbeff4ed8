"""Numbers of rows, as they are given on a command line."""

from typing import Any, Final

import typer

NUMBER_MAX: Final = 2**53 - 1
"""No identifier is larger: they are JSON numbers."""


def number_of(what: str, *, metavar: str | None = None) -> Any:
    """The argument that names one row; what no row can have is refused before any look-up."""
    return typer.Argument(min=1, max=NUMBER_MAX, metavar=metavar, help=f"Number of the {what}.")
