"""A server's processes: those that it has started, and the guard that ends it with its tests."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GUARD = """
read -r _
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && {
    kill -QUIT "$pid"
    kill -CONT "$pid"
    for _ in $(seq 100); do [ -e "$0/data/postmaster.pid" ] || break; sleep 0.1; done
} 2>/dev/null
rm -rf "$0"
"""


def guard_of(folder: Path) -> subprocess.Popen[bytes]:
    """Ends the server in a folder, and the folder, once the pipe that it reads from is closed."""
    return subprocess.Popen(
        ["sh", "-c", _GUARD, folder],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the tests; the server is ended by them
    )


def children_of(pid: int) -> list[int]:
    """The processes that one has started."""
    return [child for child, parent in _parents() if parent == pid]


def _parents() -> Iterator[tuple[int, int]]:
    """Each process with its parent: from /proc where there is one, as `ps` is not everywhere."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            yield int(stat.parent.name), int(fields[1])
    if not Path("/proc/self").exists():
        listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="], text=True)
        for line in listed.splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
