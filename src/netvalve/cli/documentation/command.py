"""`netvalve docs`: rewrites the pages that are made from data, or checks that they are current."""

from pathlib import Path
from typing import Annotated

import typer

from netvalve.cli.failure import Failure


def docs(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; status 1 if a page is out of date.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="The documentation's folder.")] = Path("docs"),
) -> None:
    """Rewrite the pages of the documentation that are made from data."""
    from netvalve.cli.documentation.page_set import generated
    from netvalve.cli.main import app

    if not folder.is_dir():
        raise Failure(f"there is no folder {folder}; run this in the project's folder")
    stale = [page for page in generated(folder, app) if not page.current]
    if check and stale:
        names = ", ".join(str(page.file) for page in stale)
        raise Failure(f"out of date: {names}; run `make docs`")
    for page in stale:
        page.write()
        typer.echo(f"wrote {page.file}")
