"""What a drill has measured, and the table of it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from e2e.rounds.call import CHARGES, FOLLOW_UPS, TIMED_OUT
from ha.shopper import Told

RESULTS = Path(__file__).parent / "results"
_COLUMNS = (
    "harm", "requests", "sales", "usual gap s", "without service s", "not served",
    "slowest charge s", "slowest other s", "unknown s", "whole again s", "breaches",
)  # fmt: skip


@dataclass(slots=True)
class Figures:
    """One harm under load."""

    harm: str
    requests: int = 0
    sales: int = 0
    """Approved."""
    usual_gap_s: float = 0.0
    """The longest time between two approved sales before the harm."""
    gap_s: float = 0.0
    """The same from the harm on: the time without service."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """How many requests were not served, by HTTP status or by what broke."""
    failures: Sequence[tuple[float, float, str, str]] = ()
    """Each of them: seconds from the harm to its end, how long it took, path, end."""
    slowest_charge_s: float = 0.0
    slowest_follow_up_s: float = 0.0
    unknown_s: float = 0.0
    """From the end of the load until nothing was unknown."""
    whole_s: float = 0.0
    """From the mending until everything ran as before."""
    breaches: list[str] = field(default_factory=list)

    def count(self, told: Sequence[Told], struck_s: float) -> None:
        """Fill in what the merchants' answers tell."""
        calls = [each.call for each in told]
        moments = sorted(each.at_s for each in told if each.is_sale)
        self.requests, self.sales = len(calls), len(moments)
        self.usual_gap_s = _longest_gap([each for each in moments if each < struck_s])
        last_before_s = max((each for each in moments if each < struck_s), default=struck_s)
        self.gap_s = _longest_gap([last_before_s, *(each for each in moments if each >= struck_s)])
        self.failures = [
            (round(each.at_s - struck_s, 2), round(each.call.took_s, 2), each.call.path, end)
            for each in sorted(told, key=lambda each: each.at_s)
            if (end := _not_served(each))
        ]
        self.statuses = dict(Counter(end for _, _, _, end in self.failures))
        self.slowest_charge_s = max(each.took_s for each in calls if each.path in CHARGES)
        self.slowest_follow_up_s = max(
            (each.took_s for each in calls if each.path in FOLLOW_UPS), default=0.0
        )

    def save(self) -> None:
        """Keep them in `results/`."""
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=2)
        (RESULTS / f"{self.harm.replace(' ', '-')}.json").write_text(text + "\n")


def table(results: Sequence[Figures]) -> Sequence[str]:
    """The lines of a table, one harm each."""
    rows = [_COLUMNS, *(_row(each) for each in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(of: Figures) -> tuple[str, ...]:
    not_served = ", ".join(f"{count} {end}" for end, count in sorted(of.statuses.items()))
    return (
        of.harm,
        str(of.requests),
        str(of.sales),
        f"{of.usual_gap_s:.1f}",
        f"{of.gap_s:.1f}",
        not_served or "none",
        f"{of.slowest_charge_s:.1f}",
        f"{of.slowest_follow_up_s:.1f}",
        f"{of.unknown_s:.1f}",
        f"{of.whole_s:.1f}",
        str(len(of.breaches)),
    )


def _longest_gap(moments_s: Sequence[float]) -> float:
    return max((after - before for before, after in pairwise(moments_s)), default=0.0)


def _not_served(told: Told) -> str | None:
    """`503` and its like, or what broke; None where there was an answer to the question."""
    call = told.call
    if call.broken:
        return call.broken
    if call.path == "/inquiry" and call.status == 404:
        return None
    if call.code == TIMED_OUT:
        return TIMED_OUT
    return None if call.status == 200 else str(call.status)
