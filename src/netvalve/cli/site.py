"""`netvalve site`: the merchants' sites."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.client import ClientId
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.domain.client import Site

app = typer.Typer(no_args_is_help=True, help="Merchants' sites, by which payments name accounts.")


@app.command()
def add(
    client_id: ClientId,
    name: Annotated[str, typer.Argument(help="Name of the site.")],
    *,
    site_id: Annotated[
        str | None, typer.Option(help="UUID of the site; a new one if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a site of a client."""
    added = administration().add_site(client_id, name, site_id=site_id)
    show_record(_row(added), as_json=as_json)


@app.command("list")
def list_sites(*, as_json: AsJson = False) -> None:
    """List the sites."""
    show_rows([_row(each) for each in administration().sites()], as_json=as_json)


def _row(site: Site) -> Row:
    return {"site_id": site.site_id, "client_id": site.client_id, "name": site.name}
