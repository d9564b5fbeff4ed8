"""`netvalve month`: the months of a PostgreSQL store, and their way out of it."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from netvalve.cli.failure import Failure
from netvalve.cli.moment import utc_text
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.storage.postgres.month_list import Month

app = typer.Typer(no_args_is_help=True, help="Months of a PostgreSQL database, and archiving them.")

_MONTH: Final = re.compile(r"\d\d(0[1-9]|1[0-2])")
_MIB: Final = 2**20


@app.command("list")
def list_months(*, as_json: AsJson = False) -> None:
    """List the months: their size, and what is still open in each. Reads every order."""
    from netvalve.storage.postgres.month_list import months

    show_rows([_row(each) for each in months(_database_url())], as_json=as_json)


@app.command("archive")
def archive_month(
    month: Annotated[str, typer.Argument(metavar="YYMM", help="2611 for November 2026.")],
    *,
    give_up_refunds: Annotated[
        bool, typer.Option("--give-up-refunds", help="What was captured cannot be refunded here.")
    ] = False,
    give_up_captures: Annotated[
        bool,
        typer.Option("--give-up-captures", help="What no bank can cancel cannot be captured."),
    ] = False,
    give_up_rebills: Annotated[
        bool, typer.Option("--give-up-rebills", help="Rebills cannot name its transactions.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a month out of the tables while gateways go on, the oldest month first.

    Its rows stay in tables of their own; the commands that keep them elsewhere are printed.
    """
    from netvalve.storage.engine import shown
    from netvalve.storage.postgres.archive import MonthStays, Right, archive

    database_url = _database_url()
    given = {
        Right.REFUNDS: give_up_refunds,
        Right.CAPTURES: give_up_captures,
        Right.REBILLS: give_up_rebills,
    }
    try:
        tables = archive(
            database_url, _number_of(month), give_up=[right for right in given if given[right]]
        )
    except MonthStays as stays:
        raise Failure(str(stays)) from None
    commands = _commands(month, tables, shown(database_url).replace(":***@", "@"))
    if as_json:
        show_record({"month": month, "tables": tables, "commands": commands}, as_json=True)
        return
    typer.echo(f"{month} is archived: {', '.join(tables)} stay. To keep them elsewhere:")
    for command in commands:
        typer.echo(f"  {command}")


def _database_url() -> str:
    from netvalve.storage.engine import is_sqlite

    database_url = load_settings().database_url
    if is_sqlite(database_url):
        raise Failure("months are PostgreSQL's; a SQLite file keeps everything")
    return database_url


def _number_of(month: str) -> int:
    if not _MONTH.fullmatch(month):
        raise Failure(f"{month} is no month; November 2026 is 2611")
    return int(month)


def _commands(month: str, tables: tuple[str, ...], database: str) -> list[str]:
    """For a shell; where there is a password, ~/.pgpass or PGPASSWORD has it."""
    named = " ".join(f"-t {each}" for each in tables)
    dump = f"netvalve-{month}.dump"
    return [
        f"pg_dump --format=custom --file={dump} {named} '{database}'",
        f"pg_restore --list {dump}",
        f"psql '{database}' -c 'DROP TABLE {', '.join(tables)}'",
    ]


def _row(month: "Month") -> Row:
    """Nothing is counted of what is not there."""
    from netvalve.storage.months import began_at_ms, month_after

    names = ("pending", "stored", "keyed", "held", "capturable", "refundable", "rebilled")
    open_there = asdict(month.open) if month.open else dict.fromkeys(names)
    return {
        "month": f"{month.month:04d}",
        "from": _day(began_at_ms(month.month)),
        "to": _day(began_at_ms(month_after(month.month))),
        "orders": month.orders,
        "transactions": month.transactions,
        "mib": round(month.bytes / _MIB, 1),
        **open_there,
        "archived": "under way" if month.archived_at_ms == 0 else utc_text(month.archived_at_ms),
    }


def _day(at_ms: int) -> str | None:
    text = utc_text(at_ms)
    return text and text[:10]
