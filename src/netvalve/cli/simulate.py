"""`netvalve simulate`: the gateway, its banks and its merchants in a storm that a seed decides."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from netvalve.cli.output import AsJson, Row, show_record, show_rows

if TYPE_CHECKING:
    from netvalve.simulation.report import Report


def simulate(
    *,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; it replays its run.")] = 0,
    hours: Annotated[float, typer.Option(min=0.01, help="How long the storm is.")] = 0.2,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Run seeds for this long instead of a number.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run gateways, banks and merchants on a virtual clock, through every fault; nothing is kept.

    Status 1 at the first seed after which something does not hold that must, with its replay.
    """
    from netvalve.simulation.run import simulate as run_one
    from netvalve.simulation.runs import run_seeds

    if minutes is None and seeds == 1:
        report = run_one(seed, hours)
        show_record(_record(report), as_json=as_json)
        reports: Iterable[Report] = (report,)
    else:
        reports = run_seeds(seed, None if minutes is not None else seeds, hours, minutes)
    _judge(reports, as_json=as_json)


def _judge(reports: "Iterable[Report]", *, as_json: bool) -> None:
    """Look at every run until one is bad; nobody waits for what is still running."""
    good = 0
    for report in reports:
        if report.broken:
            _tell(report, as_json=as_json)
            raise typer.Exit(1)
        good += 1
    if not as_json:
        typer.echo(f"{good} {'run' if good == 1 else 'runs'}: everything holds")


def _tell(report: "Report", *, as_json: bool) -> None:
    if as_json:
        show_record(_record(report), as_json=True)
        return
    typer.echo(f"\nSeed {report.seed} breaks what must hold:")
    show_rows([{"broken": each} for each in report.broken], as_json=False)
    for line in report.history:
        typer.echo(line)
    typer.echo(f"\nReplay: {report.replay}")


def _record(report: "Report") -> Row:
    record = asdict(report)
    return {**record, "answers": record["answers"], "replay": report.replay}
