"""`netvalve backup`: a copy of a SQLite store, taken while the gateway works."""

from pathlib import Path
from typing import Annotated, Final

import typer

from netvalve.cli.failure import Failure
from netvalve.cli.output import AsJson, show_record
from netvalve.cli.settings import load_settings

_MIB: Final = 2**20


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite store to a new file, as of one moment; a gateway may be running on it.

    The key ring is not in it. For PostgreSQL there are pg_dump and pg_basebackup.
    """
    from netvalve.storage.engine import is_sqlite, sqlite_path
    from netvalve.storage.sqlite.backup import BackupRefused, back_up

    database_url = load_settings().database_url
    if not is_sqlite(database_url):
        raise Failure("PostgreSQL brings its own: pg_dump, or pg_basebackup and its log")
    database = sqlite_path(database_url)
    if not database.exists():
        raise Failure(f"there is no database {database}")
    try:
        size = back_up(database, target)
    except BackupRefused as refused:
        raise Failure(str(refused)) from None
    if as_json:
        show_record({"file": str(target), "bytes": size}, as_json=True)
    else:
        typer.echo(f"{target}: {size / _MIB:.1f} MiB, whole. Keep the key ring apart from it.")
