"""The program `netvalve`: which commands there are, and how a failure is told."""

import sys

import typer

from netvalve.cli import (
    account,
    bank_profile,
    client,
    key,
    keyring,
    month,
    order,
    site,
    transaction,
    user,
)
from netvalve.cli.backup import backup
from netvalve.cli.bank import bank
from netvalve.cli.check import check
from netvalve.cli.documentation.command import docs
from netvalve.cli.failure import failure_of
from netvalve.cli.migrate import migrate
from netvalve.cli.reconcile import reconcile
from netvalve.cli.restored import restored
from netvalve.cli.sandbox.command import sandbox
from netvalve.cli.serve import serve
from netvalve.cli.settings import settings
from netvalve.cli.simulate import simulate
from netvalve.cli.verify import verify

app = typer.Typer(
    name="netvalve",
    help="A payment gateway that speaks the NetValve Payment Gateway API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_RUN, _MERCHANTS, _LOOK, _CARE = "Run", "Merchants", "Look", "Care"

for command, panel in (
    (sandbox, _RUN),
    (serve, _RUN),
    (bank, _RUN),
    (check, _LOOK),
    (settings, _LOOK),
    (verify, _LOOK),
    (reconcile, _LOOK),
    (simulate, _LOOK),
    (migrate, _CARE),
    (backup, _CARE),
    (restored, _CARE),
    (docs, _CARE),
):
    app.command(rich_help_panel=panel)(command)

for name, group, panel in (
    ("client", client.app, _MERCHANTS),
    ("site", site.app, _MERCHANTS),
    ("bank-profile", bank_profile.app, _MERCHANTS),
    ("account", account.app, _MERCHANTS),
    ("key", key.app, _MERCHANTS),
    ("user", user.app, _MERCHANTS),
    ("transaction", transaction.app, _LOOK),
    ("order", order.app, _LOOK),
    ("keyring", keyring.app, _CARE),
    ("month", month.app, _CARE),
):
    app.add_typer(group, name=name, rich_help_panel=panel)


def run() -> None:
    """Runs the program and ends the process: 0 done, 1 failed, 2 not understood."""
    try:
        app()
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        typer.echo(f"netvalve: {failure}", err=True)
        sys.exit(1)
