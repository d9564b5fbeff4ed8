"""Programs that a run starts: each says in one JSON line that it is ready; they end with it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
_STOP_S = 120.0
_CLI = "netvalve.cli"


class Program:
    """One that runs, and answers each line it is given with one of its own, if it is made so."""

    def __init__(self, process: subprocess.Popen[bytes], said: dict[str, Any]) -> None:
        self._process, self.said = process, said

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def tell(self, **what: object) -> None:
        """Give it a line."""
        stream = _open(self._process.stdin)
        stream.write(json.dumps(what).encode() + b"\n")
        stream.flush()

    def ask(self, **what: object) -> dict[str, Any]:
        """Give it a line and wait for its answer."""
        self.tell(**what)
        line = _open(self._process.stdout).readline()
        if not line:
            raise SystemExit(f"bench: a program has ended while it was asked {what}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def forget_output(self) -> None:
        """Drop whatever else it prints, so that it never waits for a reader."""
        threading.Thread(target=_open(self._process.stdout).read, daemon=True).start()


@contextmanager
def program(
    *command: str, home: Path, settings: Mapping[str, object] | None = None
) -> Iterator[Program]:
    """A Python module of ours as a process, from its first line to SIGTERM."""
    name = command[0].rpartition(".")[2] if command[0] != _CLI else command[1]
    errors = home / f"{name}.errors"
    with errors.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment(settings or {}),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            start_new_session=True,
        )
    try:
        line = _open(process.stdout).readline()
        if not line:
            raise SystemExit(f"bench: {name} did not start:\n{errors.read_text()}")
        yield Program(process, json.loads(line))
    finally:
        process.terminate()
        process.wait(_STOP_S)


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The caller's, with no settings of the gateway but these."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
    own = {f"NETVALVE_{name.upper()}": str(each) for name, each in settings.items()}
    return {
        **kept,
        **own,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src", ROOT / "tests"))),
    }


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("it is not connected")
    return stream
