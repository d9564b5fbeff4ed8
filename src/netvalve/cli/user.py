"""`netvalve user`: the clients' users for Basic authentication."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.client import ClientId
from netvalve.cli.output import AsJson, show_record, show_rows

app = typer.Typer(no_args_is_help=True, help="Users of clients for Basic authentication.")

UserName = Annotated[str, typer.Argument(help="User name; no colon in it.")]


@app.command()
def add(client_id: ClientId, user_name: UserName, *, as_json: AsJson = False) -> None:
    """Add a user and print the password, this once: only a digest of it is kept."""
    password = administration().add_basic_user(client_id, user_name)
    show_record(
        {"user_name": user_name, "client_id": client_id, "password": password}, as_json=as_json
    )


@app.command("list")
def list_users(*, as_json: AsJson = False) -> None:
    """List the users; their passwords are not known."""
    rows = [
        {"user_name": each.user_name, "client_id": each.client_id}
        for each in administration().basic_users()
    ]
    show_rows(rows, as_json=as_json)


@app.command()
def revoke(user_name: UserName) -> None:
    """Refuse a user from now on."""
    administration().revoke_basic_user(user_name)
    typer.echo(f"user {user_name} is revoked")
