"""What a run measures, and for how long."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from bench.banks import BARE, TEST
from bench.levels import OPERATIONS, SALE

PARTS: Final = ("ceilings", "alone", "levels", "test-bank", "pause", "faults", "peer")
_CHECKED: Final = ("ceilings",)
_ESSENTIAL: Final = ("ceilings", "alone")
Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one run; times in seconds."""

    parts: tuple[str, ...]
    seconds: float
    rounds: int
    round_seconds: float
    connections: tuple[int, ...]
    operations: tuple[str, ...]
    pause_seconds: float
    fault_seconds: float
    bank: str
    growth: int
    """Rows of the full store; 0 leaves it out."""
    memory: int
    """Sales; 0 leaves it out."""
    check: bool
    page: bool


def options(arguments: list[str] | None = None) -> Options:
    """The command line's; a short form chooses what it needs, and what is said beside it wins."""
    parser = argparse.ArgumentParser(
        prog="make bench BENCH=…", description="Measure the gateway against its machine."
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--quick", action="store_true", help="the essential, in two minutes")
    shape.add_argument(
        "--check", action="store_true", help="shorter still; status 1 for a gross regression"
    )
    add = parser.add_argument
    add("--parts", type=_list(str), default=None, help=f"of {','.join(PARTS)}, or none")
    add("--seconds", type=float, default=3, help="a level")
    add("--rounds", type=int, default=None, help="of ceilings and sales in turn")
    add("--round-seconds", type=float, default=None, help="a measurement of a round")
    add("--connections", type=_list(int), default=(1, 16, 64, 256), help="of the levels")
    add("--operations", type=_list(str), default=OPERATIONS, help="of the levels; sale comes first")
    add("--pause-seconds", type=float, default=60)
    add("--fault-seconds", type=float, default=20, help="for each fault")
    add("--bank", choices=(BARE, TEST), default=BARE)
    add("--growth", type=int, default=0, metavar="ROWS", help="fill stores and sell on them")
    add("--memory", type=int, default=0, metavar="SALES", help="sell so many, watch the memory")
    add("--page", action="store_true", help="write what was found into docs/performance.md")
    said = parser.parse_args(arguments)
    short = said.quick or said.check
    operations = tuple(said.operations)
    return Options(
        parts=_parts(parser, said),
        seconds=said.seconds,
        rounds=said.rounds or (3 if short else 5),
        round_seconds=said.round_seconds or (2 if short else 3),
        connections=tuple(said.connections),
        operations=operations if operations[0] == SALE else (SALE, *operations),
        pause_seconds=said.pause_seconds,
        fault_seconds=said.fault_seconds,
        bank=said.bank,
        growth=said.growth,
        memory=said.memory,
        check=said.check,
        page=said.page,
    )


def _parts(parser: argparse.ArgumentParser, said: argparse.Namespace) -> tuple[str, ...]:
    if said.parts is None:
        return _CHECKED if said.check else _ESSENTIAL if said.quick else PARTS
    if unknown := {*said.parts} - {*PARTS, "none"}:
        parser.error(f"there is no part {', '.join(unknown)}")
    return tuple(each for each in said.parts if each != "none")


def _list(kind: Callable[[str], Each]) -> Callable[[str], tuple[Each, ...]]:
    return lambda text: tuple(map(kind, text.split(",")))
