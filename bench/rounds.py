"""Rounds: every ceiling and the gateway's sale in turn, so that ratios hold on a noisy machine.

A ratio is taken within a round; what is told of several rounds is the median of their ratios.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.banks import BARE, TEST, bank
from bench.ceilings.pgbench import CLIENTS, JOURNAL, ONE_COMMIT, PLAIN, Pgbench
from bench.levels import SALE, level
from bench.load.wrk import closed
from bench.machine import cpu_s
from bench.programs import Program, program
from bench.row import Part, Row
from bench.station import Station
from bench.stores import POSTGRESQL, SQLITE, Stores

AT_ONCE: Final = 64
ANSWER_BYTES: Final = 648
"""A sale's answer, to some bytes."""
HTTP: Final = "(a) HTTP alone"
JOURNAL_ALONE: Final = "(b) journal alone"
LINK: Final = "(c) bank link alone"
PGBENCH: Final = "(d) pgbench"
ROUND_TRIP: Final = "bank round trip"

Measure = Callable[[float], Row]
"""One measurement of so many seconds."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round gave for one store; all in payments a second."""

    on: str
    http_per_s: float
    journal_per_s: float
    link_per_s: float
    sale_per_s: float
    plain_per_s: float | None
    """pgbench with a commit each; None where the store is no PostgreSQL."""

    @property
    def combined_per_s(self) -> float:
        """What the three parts do one after the other, on the same cores."""
        return 1 / (1 / self.http_per_s + 1 / self.journal_per_s + 1 / self.link_per_s)

    @property
    def share(self) -> float:
        """How much of it the whole gateway does."""
        return self.sale_per_s / self.combined_per_s

    @property
    def over_plain(self) -> float | None:
        """The gateway against pgbench."""
        return self.sale_per_s / self.plain_per_s if self.plain_per_s else None


def median_share(rounds: Sequence[Round], on: str) -> float | None:
    """The gateway's share of the combined ceiling."""
    shares = [each.share for each in rounds if each.on == on]
    return statistics.median(shares) if shares else None


def median_over_plain(rounds: Sequence[Round], on: str) -> float | None:
    """The gateway's rate over pgbench's."""
    found = [each.over_plain for each in rounds if each.on == on and each.over_plain]
    return statistics.median(found) if found else None


class Ceilings:
    """The parts alone, each ready to be measured at any time."""

    def __init__(self, measures: Mapping[tuple[str, str], Measure]) -> None:
        self._measures = measures

    def measure(self, what: str, on: str, seconds: float) -> Row:
        """One of them."""
        return self._measures[what, on](seconds)


@contextmanager
def ceilings(stores: Stores, home: Path, bank_kind: str) -> Iterator[Ceilings]:
    """Start what has to run for them."""
    measures: dict[tuple[str, str], Measure] = {}
    with ExitStack() as running:
        http = running.enter_context(program("bench.ceilings.http", str(ANSWER_BYTES), home=home))
        measures[HTTP, ""] = partial(_http, http, home)
        for kind in (SQLITE, POSTGRESQL):
            url = stores.fresh(kind)
            journal = running.enter_context(program("bench.ceilings.journal", url, home=home))
            measures[JOURNAL_ALONE, kind] = _Asked(
                journal, JOURNAL_ALONE, kind, store_pids=partial(stores.pids, url)
            )
        for kind in (BARE, TEST):
            name = bank_name(kind)
            note = "the bank of this run" if kind == bank_kind else "for comparison"
            link = running.enter_context(_linked(kind, home / f"ceiling-{kind}"))
            measures[LINK, name] = _Asked(link, LINK, name, note=note)
            measures[ROUND_TRIP, name] = _Asked(link, ROUND_TRIP, name, 1, note)
        pgbench = Pgbench(stores.fresh(POSTGRESQL), home)
        for way in (JOURNAL, PLAIN, ONE_COMMIT):
            measures[PGBENCH, way] = partial(_pgbench, pgbench, way)
        yield Ceilings(measures)


@contextmanager
def _linked(bank_kind: str, home: Path) -> Iterator[Program]:
    """A bank and the program that asks it."""
    home.mkdir()
    with (
        bank(bank_kind, home) as its_bank,
        program("bench.ceilings.bank_link", its_bank.host, str(its_bank.port), home=home) as link,
    ):
        yield link


def bank_name(kind: str) -> str:
    """How a line calls a bank."""
    return f"{kind} bank"


def run_rounds(
    on: Mapping[str, Station], alone: Ceilings, bank_kind: str, *, rounds: int, seconds: float
) -> Iterator[Row | Round]:
    """Each line as it comes, and what a round of them gave; `on` has a station a store."""
    for _ in range(rounds):
        yield (http := alone.measure(HTTP, "", seconds))
        yield (link := alone.measure(LINK, bank_name(bank_kind), seconds))
        for kind, station in on.items():
            yield (journal := alone.measure(JOURNAL_ALONE, kind, seconds))
            yield (sale := level(station, SALE, AT_ONCE, seconds))
            plain_per_s = None
            if kind == POSTGRESQL:
                yield (plain := alone.measure(PGBENCH, PLAIN, seconds))
                plain_per_s = plain.per_s
            yield Round(
                on=station.name,
                http_per_s=http.per_s,
                journal_per_s=journal.per_s,
                link_per_s=link.per_s,
                sale_per_s=sale.per_s,
                plain_per_s=plain_per_s,
            )
    for way in (JOURNAL, ONE_COMMIT):
        yield alone.measure(PGBENCH, way, seconds)
    yield alone.measure(LINK, bank_name(TEST if bank_kind == BARE else BARE), seconds)


def _http(answering: Program, home: Path, seconds: float) -> Row:
    nothing = home / "nothing"
    nothing.touch()
    before = cpu_s([answering.pid])
    seen = closed(
        *("gateway.lua", answering.said["base_url"], AT_ONCE, seconds),
        *(SALE, "http", "client", "key", str(nothing)),
    )
    return Row(
        Part.CEILING,
        HTTP,
        "empty handler",
        AT_ONCE,
        per_s=seen.per_s,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        p999_ms=seen.p999_ms,
        max_ms=seen.max_ms,
        gateway_us=(cpu_s([answering.pid]) - before) / max(seen.done, 1) * 1e6,
        failed=seen.failed,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A closed loop in a program of its own, to be run at any time."""

    program: Program
    what: str
    on: str
    at_once: int = AT_ONCE
    note: str = ""
    store_pids: Callable[[], tuple[int, ...]] = tuple

    def __call__(self, seconds: float) -> Row:
        before_s = cpu_s(self.store_pids())
        seen = self.program.ask(at_once=self.at_once, seconds=seconds)
        done = max(seen["done"], 1)
        return Row(
            Part.CEILING,
            self.what,
            self.on,
            self.at_once,
            per_s=seen["done"] / seen["seconds"],
            p50_ms=seen["p50_ms"],
            p99_ms=seen["p99_ms"],
            max_ms=seen["max_ms"],
            gateway_us=seen["cpu_s"] / done * 1e6,
            store_us=(cpu_s(self.store_pids()) - before_s) / done * 1e6,
            note=self.note,
        )


def _pgbench(pgbench: Pgbench, way: str, seconds: float) -> Row:
    return Row(Part.CEILING, PGBENCH, way, CLIENTS, per_s=pgbench.per_s(way, seconds))
