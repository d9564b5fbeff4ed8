"""Many rounds of harm; one line each, a table at the end, status 1 where anything was untrue.

    make rounds ROUNDS=50 SEED=7 HARMS="kill gateway,kill bank,kill both" STORE=postgresql

Round n of a seed makes the same choices whenever it is played: which harm, when, how often, what
the merchants buy. How processes and sockets interleave is the machine's doing.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import typer

from e2e.rounds.harms.every import HARMS, harms_of
from e2e.rounds.harms.harm import POSTGRESQL, SQLITE
from e2e.rounds.round import Result, play
from postgres import PostgresServer
from stores import PROGRAM_STORES, Databases

_COLUMNS = (
    "harm", "rounds", "requests", "transactions", "approved", "503", "504", "lost",
    "longest unknown s", "slowest answer s", "served again s", "breaches",
)  # fmt: skip


def main() -> int:
    """Play and print."""
    options = _options()
    fit = harms_of(options.store)
    names = [each.strip() for each in options.harms.split(",")] if options.harms else [*fit]
    if unknown := {*names} - {*fit}:
        typer.echo(
            f"rounds: no such harm on {options.store}: {', '.join(unknown)}; "
            f"there are {', '.join(fit)}"
        )
        return 2
    typer.echo(
        f"seed {options.seed}, {options.rounds} rounds on {options.store} of: {', '.join(names)}"
    )
    with ExitStack() as stack:
        if options.store == POSTGRESQL:
            PROGRAM_STORES.use(Databases(stack.enter_context(PostgresServer())))
        results = asyncio.run(_played(options, names))
    _print_table(results)
    return 1 if any(result.breaches for result in results) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rounds", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="number of the first round")
    parser.add_argument("--seed", default=secrets.token_hex(3))
    parser.add_argument("--harms", default="", help=f"a comma list of: {', '.join(HARMS)}")
    parser.add_argument("--store", choices=[SQLITE, POSTGRESQL], default=SQLITE)
    parser.add_argument("--folder", type=Path, help="where the rounds' data lies meanwhile")
    return parser.parse_args()


async def _played(options: argparse.Namespace, names: Sequence[str]) -> list[Result]:
    results = []
    for number in range(options.first, options.first + options.rounds):
        harm = HARMS[names[(number - 1) % len(names)]]
        results.append(await play(harm, f"{options.seed}-{number}", options.folder))
        _print_line(results[-1])
    return results


def _print_line(result: Result) -> None:
    verdict = "clean" if not result.breaches else f"{len(result.breaches)} BREACHES"
    typer.echo(
        f"{result.seed:12} {result.harm:18} {result.requests:5} requests, "
        f"{result.answers_lost:3} lost, {result.refused:3} refused, {result.left_open:3} open, "
        f"unknown {result.unknown_s:4.1f} s, took {result.took_s:4.1f} s: {verdict}",
    )
    for breach in result.breaches:
        typer.echo(f"    {breach}")
    if result.evidence:
        typer.echo(f"    kept in {result.evidence}")


def _print_table(results: Sequence[Result]) -> None:
    names = dict.fromkeys(result.harm for result in results)
    rows = [_row(name, [each for each in results if each.harm == name]) for name in names]
    if len(rows) > 1:
        rows.append(_row("all", results))
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    typer.echo()
    for row in (_COLUMNS, *rows):
        typer.echo("  ".join(_aligned(zip(row, widths, strict=True))))


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    return (
        name,
        str(len(results)),
        str(sum(each.requests for each in results)),
        str(sum(each.transactions for each in results)),
        str(sum(each.approved for each in results)),
        str(sum(each.refused for each in results)),
        str(sum(each.left_open for each in results)),
        str(sum(each.answers_lost for each in results)),
        f"{max(each.unknown_s for each in results):.1f}",
        f"{max(each.slowest_s for each in results):.1f}",
        f"{max(each.served_again_s for each in results):.1f}",
        str(sum(len(each.breaches) for each in results)),
    )


def _aligned(cells: Iterable[tuple[str, int]]) -> Iterable[str]:
    for place, (text, width) in enumerate(cells):
        yield text.rjust(width) if place else text.ljust(width)


if __name__ == "__main__":
    sys.exit(main())
