"""`netvalve bank-profile`: the banks as the gateway knows them."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.name_list import name_list
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.domain.client import BankCapability, BankProfile

app = typer.Typer(no_args_is_help=True, help="Banks: where they listen and what they can do.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the bank.")],
    *,
    host: Annotated[str, typer.Option(help="Address of its link.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of its link.")],
    unreachable_code: Annotated[
        str, typer.Option(help="Response code when a message surely was not sent.")
    ] = "GTW_2090",
    capabilities: Annotated[
        str, typer.Option(help="What it can do beyond authorize and sale: a comma list, or none.")
    ] = ",".join(BankCapability),
    as_json: AsJson = False,
) -> None:
    """Add a bank."""
    added = administration().add_bank(
        name,
        capabilities=name_list(capabilities, BankCapability),
        unreachable_code=unreachable_code,
        host=host,
        port=port,
    )
    show_record(_row(added), as_json=as_json)


@app.command("list")
def list_banks(*, as_json: AsJson = False) -> None:
    """List the banks."""
    show_rows([_row(each) for each in administration().banks()], as_json=as_json)


def _row(bank: BankProfile) -> Row:
    return {
        "bank_id": bank.bank_id,
        "name": bank.name,
        "host": bank.host,
        "port": bank.port,
        "unreachable_code": bank.unreachable_code,
        "capabilities": sorted(bank.capabilities),
    }
