"""One run of the benchmark, from an empty folder to the proof that it counted what happened."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.alone import alone_rows
from bench.banks import BARE, TEST
from bench.check import shortcomings
from bench.faults import fault_rows
from bench.growth import growth_rows
from bench.levels import SALE, level, warm_up
from bench.load.wrk import require_wrk
from bench.machine import load_average
from bench.memory import memory_rows
from bench.options import Options, options
from bench.pause import pause_rows
from bench.peer import peer_rows
from bench.report import Report, write_page
from bench.rounds import AT_ONCE, Round, bank_name, ceilings, run_rounds
from bench.row import Row
from bench.station import Station, station
from bench.stores import POSTGRESQL, SQLITE, Stores, stores

_BANKS: Final = {
    BARE: "the bank is a bare one, which approves everything from memory",
    TEST: "the bank is the test bank, which commits its own book",
}


class Run:
    """Its parts, one after the other; what they find goes into the report."""

    def __init__(self, chosen: Options, made: Stores, home: Path, report: Report) -> None:
        self._chosen, self._stores, self._home, self._report = chosen, made, home, report

    def whole(self) -> None:
        """Everything that was asked for; each station is proved when it ends."""
        chosen = self._chosen
        if {"ceilings", "alone", "levels", "pause", "faults"} & {*chosen.parts}:
            with ExitStack() as running:
                stations = self._stations(running)
                self._on(stations)
        if "test-bank" in chosen.parts:
            self._take("the test bank", self._other_bank())
        if "peer" in chosen.parts:
            self._take("peer", peer_rows(self._home, AT_ONCE, chosen.round_seconds))
        if chosen.growth:
            growing = growth_rows(self._stores, self._home, chosen.growth, chosen.round_seconds)
            self._take("growth", growing)
        if chosen.memory:
            self._take("memory", memory_rows(self._stores, self._home, chosen.memory))

    def _stations(self, running: ExitStack) -> list[Station]:
        """One worker on each store; two, where their levels are measured, on PostgreSQL."""
        wanted = [(SQLITE, 1), (POSTGRESQL, 1)]
        if "levels" in self._chosen.parts:
            wanted.append((POSTGRESQL, 2))
        started = [
            running.enter_context(
                station(
                    self._stores,
                    self._stores.fresh(kind),
                    self._home / f"{kind.lower()}-{workers}",
                    workers=workers,
                    bank_kind=self._chosen.bank,
                )
            )
            for kind, workers in wanted
        ]
        for each in started:
            warm_up(each)
        return started

    def _on(self, stations: list[Station]) -> None:
        chosen = self._chosen
        single = dict(zip((SQLITE, POSTGRESQL), stations, strict=False))
        with ceilings(self._stores, self._home, chosen.bank) as parts:
            _say("ceilings and sales in turn")
            for found in run_rounds(
                single, parts, chosen.bank, rounds=chosen.rounds, seconds=chosen.round_seconds
            ):
                if isinstance(found, Round):
                    self._report.rounds.append(found)
                else:
                    self._report.rows.append(found)
            if "alone" in chosen.parts:
                alone = alone_rows(
                    single.values(), parts, chosen.bank, self._home, chosen.round_seconds
                )
                self._take("one payment alone", alone)
        if "levels" in chosen.parts:
            self._take("levels", self._levels(stations))
        if "pause" in chosen.parts:
            self._take("pauses", pause_rows(single.values(), chosen.pause_seconds))
        if "faults" in chosen.parts:
            for each in single.values():
                self._take(f"faults, {each.name}", fault_rows(each, chosen.fault_seconds))

    def _levels(self, stations: list[Station]) -> Iterator[Row]:
        """The stations in turn at each level."""
        for operation in self._chosen.operations:
            for connections in self._chosen.connections:
                for each in stations:
                    yield level(each, operation, connections, self._chosen.seconds)

    def _other_bank(self) -> Iterator[Row]:
        """Sales with the bank that this run does not use."""
        kind = TEST if self._chosen.bank == BARE else BARE
        home = self._home / f"{kind}-bank"
        title = f"SQLite, {bank_name(kind)}"
        url = self._stores.fresh(SQLITE)
        with station(self._stores, url, home, bank_kind=kind, title=title) as on:
            warm_up(on)
            yield level(on, SALE, AT_ONCE, self._chosen.round_seconds)

    def _take(self, what: str, rows: Iterable[Row]) -> None:
        _say(what)
        self._report.rows += rows


def main() -> int:
    """Measure, prove, tell; status 1 where an answer was not good or a check failed."""
    chosen = options()
    require_wrk()
    with (
        tempfile.TemporaryDirectory(prefix="netvalve-bench-") as folder,
        stores(Path(folder)) as made,
    ):
        report = Report({**asdict(chosen), "bank": _BANKS[chosen.bank], **made.facts})
        try:
            Run(chosen, made, Path(folder), report).whole()
            report.proved = True
        finally:
            report.load_at_end = load_average()
            print(report.text())
            print(f"\n{report.write()}")
    if chosen.page:
        write_page(report.markdown())
    problems = [f"{row.failed} bad answers: {row.what}, {row.on}" for row in report.failed]
    if chosen.check:
        problems += shortcomings(report.rounds)
    for problem in problems:
        _say(problem)
    return 1 if problems else 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
