"""`netvalve migrate`: brings the database to this release's schema."""

import typer

from netvalve.cli.output import AsJson, show_record
from netvalve.cli.settings import load_settings


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the database to this release's schema.

    A SQLite file while no gateway runs on it; PostgreSQL while gateways go on.
    """
    from netvalve.storage.migrate import migrate as apply

    applied = apply(load_settings().database_url)
    if as_json:
        show_record({"applied": applied}, as_json=True)
    elif applied:
        typer.echo(f"applied {', '.join(applied)}")
    else:
        typer.echo("the database is current")
