"""`netvalve verify`: whether everything in the store agrees with everything else."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.storage.verification.verification import Verification


def verify(
    *,
    first: Annotated[int, typer.Option(min=1, help="How many to show of each broken rule.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Recompute every amount and state from the independent rows; status 1 when one is wrong.

    A gateway may be running on the store.
    """
    from netvalve.storage.verification.verification import verify as look_through

    found = look_through(load_settings().database_url, first=first)
    rows: list[Row] = [asdict(each) for each in found.breaches]
    if as_json:
        record = {"counts": dict(found.counts), "broken": found.broken, "breaches": rows}
        show_record(record, as_json=True)
    else:
        if rows:
            show_rows(rows, as_json=False)
            typer.echo()
        typer.echo(_summary(found))
    if found.broken:
        raise typer.Exit(1)


def _summary(found: "Verification") -> str:
    """`12 orders, 14 transactions, 31 events, 1 forwards, 2 cards: all agree`."""
    counts = ", ".join(f"{count} {table}" for table, count in found.counts.items())
    if not found.broken:
        return f"{counts}: all agree"
    return f"{counts}: {found.broken} broken, {len(found.breaches)} shown"
