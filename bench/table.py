"""The table of a run, as text for a terminal and as Markdown for a page. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bench.row import Row

_Cell = Callable[[Row], str]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


COLUMNS: Final[dict[str, _Cell]] = {
    "part": lambda row: row.part.value,
    "what": lambda row: row.what,
    "on": lambda row: row.on,
    "at once": lambda row: str(row.connections),
    "per s": lambda row: _number(row.per_s, 0),
    "per core s": lambda row: _number(row.per_core_s, 0),
    "p50 ms": lambda row: _number(row.p50_ms, 2),
    "p99 ms": lambda row: _number(row.p99_ms, 2),
    "p99.9 ms": lambda row: _number(row.p999_ms, 2),
    "max ms": lambda row: _number(row.max_ms, 1),
    "gateway µs": lambda row: _number(row.gateway_us, 0),
    "store µs": lambda row: _number(row.store_us or None, 0),
    "bank µs": lambda row: _number(row.bank_us or None, 0),
    "MiB": lambda row: _number(row.gateway_mib, 0),
    "failed": lambda row: str(row.failed or ""),
    "note": lambda row: row.note,
}
_LEFT: Final = frozenset({"part", "what", "on", "note"})


def text_table(rows: Iterable[Row]) -> str:
    """Columns under their names."""
    lines = [list(COLUMNS), *_cells(rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for name, cell, width in zip(COLUMNS, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def markdown_table(rows: Iterable[Row]) -> str:
    """The same as Markdown."""
    rule = ["---" if name in _LEFT else "---:" for name in COLUMNS]
    return "\n".join(f"| {' | '.join(line)} |" for line in (list(COLUMNS), rule, *_cells(rows)))


def _cells(rows: Iterable[Row]) -> list[Sequence[str]]:
    return [[cell(row) for cell in COLUMNS.values()] for row in rows]
