"""`netvalve bank`: the test bank, a program of its own with a book of its own."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from netvalve.cli.failure import naming_ports
from netvalve.cli.output import AsJson
from netvalve.cli.settings import load_settings


def bank(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address of the link; the setting bank_host.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the link; the setting bank_port."),
    ] = None,
    admin_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the admin; the setting bank_admin_port."),
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of its book; the setting home.")] = None,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="End when standard input is closed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the test bank: ISO 8583 over TCP, with an HTTP admin that tells it to misbehave.

    With --json it prints one line once it listens: host, port, admin_port.
    """
    from netvalve.banks.testbank.program import serve_test_bank
    from netvalve.cli.event_loop import run_until_done
    from netvalve.telemetry.logs import configure_logs

    given = {
        "bank_host": host, "bank_port": port, "bank_admin_port": admin_port, "home": home,
    }  # fmt: skip
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings)

    serving = serve_test_bank(
        host=settings.bank_host,
        port=settings.bank_port,
        admin_port=settings.bank_admin_port,
        home=settings.home,
        ready=partial(_listening, settings.bank_host, as_json=as_json),
        stop=asyncio.Event(),
        until_stdin_closes=until_stdin_closes,
    )
    with naming_ports(
        settings.bank_host, bank_port=settings.bank_port, bank_admin_port=settings.bank_admin_port
    ):
        run_until_done(serving)


def _listening(host: str, port: int, admin_port: int, *, as_json: bool) -> None:
    if as_json:
        import orjson

        typer.echo(orjson.dumps({"host": host, "port": port, "admin_port": admin_port}).decode())
    else:
        typer.echo(
            f"The test bank listens on {host}:{port}; its admin is http://127.0.0.1:{admin_port}"
        )
