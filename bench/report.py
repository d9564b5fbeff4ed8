"""What a run has found, told three ways: in the terminal, as JSON, as a part of a page."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.machine import facts, load_average
from bench.rounds import Round
from bench.row import Row, medians
from bench.table import markdown_table, text_table
from bench.targets import Target, targets_of

RESULTS: Final = Path(__file__).parent / "results"
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_OPENING: Final = "<!-- measured -->"
_CLOSING: Final = "<!-- /measured -->"


@dataclass(slots=True)
class Report:
    """Grows while the run goes on; what is there is told even if the run then fails."""

    settings: Mapping[str, Any]
    machine: Mapping[str, Any] = field(default_factory=facts)
    began: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    load_at_begin: tuple[float, ...] = field(default_factory=load_average)
    load_at_end: tuple[float, ...] = ()
    rows: list[Row] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    proved: bool = False
    """Whether every payment that was counted exists on both sides."""

    @property
    def targets(self) -> list[Target]:
        """Each target with what was measured."""
        return targets_of(self.rows, self.rounds)

    @property
    def failed(self) -> list[Row]:
        """Lines with answers that were not good, where all of them had to be."""
        return [row for row in self.rows if row.failed and row.part not in _MAY_FAIL]

    def text(self) -> str:
        """For the terminal."""
        table = text_table(medians(self.rows))
        return "\n\n".join(
            (
                f"{_machine_line(self)}\n{_load_line(self)}",
                table,
                "\n".join(_shares(self.rounds)),
                "\n".join(_targets(self.targets)),
                _PROVED if self.proved else _NOT_PROVED,
            )
        )

    def markdown(self) -> str:
        """For a page."""
        verdicts = (
            f"| {each.name} | {each.measured} | {_VERDICTS[each.met]} |" for each in self.targets
        )
        return "\n\n".join(
            (
                f"{_machine_line(self)}. {_load_line(self)}.",
                markdown_table(medians(self.rows)),
                "\n".join(f"- {line}" for line in _shares(self.rounds)),
                "\n".join(("| target | measured | met |", "| --- | --- | --- |", *verdicts)),
                _PROVED if self.proved else _NOT_PROVED,
            )
        )

    def write(self) -> Path:
        """Everything as JSON, and beside it the part of the page; where the JSON is."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
        content = asdict(self) | {"targets": [asdict(each) for each in self.targets]}
        path.write_text(json.dumps(content, indent=1) + "\n")
        path.with_suffix(".md").write_text(self.markdown() + "\n")
        return path


def write_page(markdown: str) -> None:
    """Put the part into the page."""
    PAGE.write_text(with_part(PAGE.read_text(), markdown))


def with_part(page: str, markdown: str) -> str:
    """The page with another part between its markers.

    Raises:
        ValueError: it has not one pair of them.
    """
    if (page.count(_OPENING), page.count(_CLOSING)) != (1, 1):
        raise ValueError(f"the page needs one pair of markers {_OPENING} and {_CLOSING}")
    before, _, rest = page.partition(_OPENING)
    after = rest.partition(_CLOSING)[2]
    return f"{before}{_OPENING}\n\n{markdown.strip()}\n\n{_CLOSING}{after}"


_MAY_FAIL: Final = frozenset({"faults"})
_VERDICTS: Final = {True: "met", False: "**not met**", None: "-"}
_MARKS: Final = {True: "met      ", False: "NOT MET  ", None: "-        "}
_PROVED: Final = (
    "After each station `netvalve verify` found nothing broken, and `netvalve reconcile` found"
    " every payment that was counted on both sides."
)
_NOT_PROVED: Final = "NOT PROVED: not every payment that was counted was found on both sides."


def _machine_line(report: Report) -> str:
    machine = report.machine
    return (
        f"{report.began}: {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_mib']:,} MiB, {machine['system']}, Python {machine['python']}, "
        f"SQLite {machine['sqlite']}, {report.settings['postgresql']}"
    )


def _load_line(report: Report) -> str:
    begin, end = (
        ", ".join(f"{each:.2f}" for each in load)
        for load in (report.load_at_begin, report.load_at_end)
    )
    return f"Load average at the begin {begin}, at the end {end}; {report.settings['bank']}"


def _shares(rounds: Sequence[Round]) -> Iterator[str]:
    """A line a round and store: the combined ceiling, and how much of it was reached."""
    for each in rounds:
        plain = f"; {each.over_plain:.2f} times pgbench" if each.over_plain else ""
        yield (
            f"{each.on}: {each.sale_per_s:,.0f} sales/s are {each.share:.0%} of the combined"
            f" ceiling {each.combined_per_s:,.0f}/s ="
            f" 1 / (1/{each.http_per_s:,.0f} + 1/{each.journal_per_s:,.0f}"
            f" + 1/{each.link_per_s:,.0f}){plain}"
        )


def _targets(targets: Sequence[Target]) -> Iterator[str]:
    return (f"{_MARKS[each.met]}{each.name}: {each.measured}" for each in targets)
