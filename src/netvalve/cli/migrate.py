"""`netvalve migrate`: brings the database to this release's schema."""

import typer

from netvalve.cli.output import AsJson, show_record
from netvalve.cli.settings import load_settings


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the database to this release's schema, while no gateway runs on it."""
    from netvalve.storage.engine import sqlite_path
    from netvalve.storage.migrate import migrate as apply

    url = load_settings().database_url
    sqlite_path(url)  # refuses an address of another kind in one line
    applied = apply(url)
    if as_json:
        show_record({"applied": applied}, as_json=True)
    elif applied:
        typer.echo(f"applied {', '.join(applied)}")
    else:
        typer.echo("the database is current")
