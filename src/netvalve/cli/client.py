"""`netvalve client`: the merchant companies."""

from typing import Annotated, Any

import typer

from netvalve.cli.administration import administration
from netvalve.cli.failure import Failure
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


@app.command("set")
def set_client(
    client_id: ClientId,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the company.")] = None,
    requests_per_s: Annotated[
        str | None,
        typer.Option(help="Requests it may make in a second, over all gateways, or none."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a client; what is not given stays."""
    changes: dict[str, Any] = {} if name is None else {"name": name}
    changes |= _rate_limit(requests_per_s)
    show_record(_row(administration().set_client(client_id, changes)), as_json=as_json)


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


def _rate_limit(text: str | None) -> dict[str, int | None]:
    """The change that a number of requests means; none, or nothing of them, lifts the limit."""
    if text is None:
        return {}
    if text.lower() in {"none", "0"}:
        return {"requests_per_s": None}
    if not (text.isascii() and text.isdigit()):
        raise Failure(f"{text} is not a number of requests")
    return {"requests_per_s": int(text)}


def _row(client: Client) -> Row:
    return {
        "client_id": client.client_id,
        "netvalve_client_id": client.netvalve_client_id,
        "name": client.name,
        "enabled": client.enabled,
        "requests_per_s": client.requests_per_s,
    }
