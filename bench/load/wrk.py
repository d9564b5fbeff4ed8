"""Closed load by wrk: so many connections, each asking as soon as it is answered."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SCRIPTS: Final = Path(__file__).parent
_MISSING: Final = "bench: wrk is needed: apt-get install wrk (Debian, Ubuntu), brew install wrk"


@dataclass(frozen=True, slots=True)
class Closed:
    """What wrk saw; times in milliseconds."""

    done: int
    """Operations that were answered well."""
    approved: int
    """Answers that said so; a pair of authorize and capture are two."""
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    socket_errors: int

    @property
    def per_s(self) -> float:
        """Operations a second."""
        return self.done / self.seconds

    @property
    def failed(self) -> int:
        """What was not answered well."""
        return self.refused + self.socket_errors


def require_wrk() -> None:
    """Say what is missing, and how to get it.

    Raises:
        SystemExit: there is no wrk.
    """
    if shutil.which("wrk") is None:
        raise SystemExit(_MISSING)


def closed(script: str, base_url: str, connections: int, seconds: float, *arguments: str) -> Closed:
    """Load a server for so many whole seconds, at least one."""
    run = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "30s"),
            *("-s", script, base_url, "--", *arguments),
        ],
        cwd=_SCRIPTS,
        capture_output=True,
        text=True,
        check=False,
    )
    result = ""
    for line in run.stdout.splitlines():
        if line.startswith("REFUSED "):
            print(f"bench: {script}: {line}", file=sys.stderr)
        elif line.startswith("RESULT "):
            result = line.removeprefix("RESULT ")
    if not result:
        raise SystemExit(f"bench: wrk failed:\n{run.stdout}{run.stderr}")
    return Closed(**json.loads(result))
