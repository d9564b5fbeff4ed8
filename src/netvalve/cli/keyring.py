"""`netvalve keyring`: the file of secret keys that everything at rest depends on."""

from typing import TYPE_CHECKING

import typer

from netvalve.cli.failure import Failure
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.config import Settings

app = typer.Typer(no_args_is_help=True, help="Make and rotate the key ring.")


@app.command()
def new() -> None:
    """Make a key ring where there is none. Keep a copy of it apart from the database's backups."""
    from netvalve.storage.key_ring import KeyRing

    path = load_settings().keyring_path
    if path.exists():
        raise Failure(f"{path} exists already; `netvalve keyring rotate` adds a key to it")
    path.parent.mkdir(parents=True, exist_ok=True)
    KeyRing.generate().save(path)
    typer.echo(f"Made {path}. Without it no stored card can be read: keep a copy elsewhere.")


@app.command()
def rotate() -> None:
    """Add a key for new cards; the older ones stay, to read older cards."""
    from netvalve.storage.key_ring import KeyRing, KeyRingError

    path = load_settings().keyring_path
    try:
        rotated = KeyRing.load(path).rotated()
    except KeyRingError as error:
        raise Failure(str(error)) from None
    rotated.save(path)
    typer.echo(f"{path} has key {rotated.active} now; restart the gateway to use it.")


def require_key_ring(settings: "Settings") -> None:
    """Refuses to go on without the file, and says how to make it."""
    path = settings.keyring_path
    if not path.exists():
        raise Failure(f"there is no key ring {path}; run `netvalve keyring new`")
