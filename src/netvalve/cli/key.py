"""`netvalve key`: the clients' API keys. A key is shown once, when it is made."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.client import ClientId
from netvalve.cli.number import number_of
from netvalve.cli.output import AsJson, show_record, show_rows

app = typer.Typer(no_args_is_help=True, help="API keys of clients.")


@app.command()
def add(client_id: ClientId, *, as_json: AsJson = False) -> None:
    """Make an API key and print it, this once: only a digest of it is kept."""
    key_id, api_key = administration().add_api_key(client_id)
    show_record({"key_id": key_id, "client_id": client_id, "api_key": api_key}, as_json=as_json)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List the API keys by their numbers; the keys themselves are not known."""
    rows = [
        {"key_id": each.key_id, "client_id": each.client_id} for each in administration().api_keys()
    ]
    show_rows(rows, as_json=as_json)


@app.command()
def revoke(
    key_id: Annotated[int, number_of("key")],
) -> None:
    """Refuse a key from now on."""
    administration().revoke_api_key(key_id)
    typer.echo(f"key {key_id} is revoked")
