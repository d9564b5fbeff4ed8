"""`netvalve client`: the merchant companies."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.number import number_of
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.domain.client import Client

app = typer.Typer(no_args_is_help=True, help="Merchant companies.")

ClientId = Annotated[int, number_of("client")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the company.")],
    *,
    netvalve_client_id: Annotated[
        str | None, typer.Option(help="UUID of the client; a new one if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a client. It needs an account and a key to take payments."""
    added = administration().add_client(name, netvalve_client_id=netvalve_client_id)
    show_record(_row(added), as_json=as_json)


@app.command("list")
def list_clients(*, as_json: AsJson = False) -> None:
    """List the clients."""
    show_rows([_row(each) for each in administration().clients()], as_json=as_json)


@app.command()
def disable(client_id: ClientId) -> None:
    """Let a client's requests be refused from now on."""
    administration().set_client_enabled(client_id, enabled=False)
    typer.echo(f"client {client_id} is disabled")


@app.command()
def enable(client_id: ClientId) -> None:
    """Take a client's requests again."""
    administration().set_client_enabled(client_id, enabled=True)
    typer.echo(f"client {client_id} is enabled")


def _row(client: Client) -> Row:
    return {
        "client_id": client.client_id,
        "netvalve_client_id": client.netvalve_client_id,
        "name": client.name,
        "enabled": client.enabled,
    }
