"""Two releases side by side: the previous one's code, out of the repository's own history."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

REPOSITORY = Path(__file__).parents[2]
_NAMED_IN = Path(__file__).with_name("previous_release")
_STOP_S = 40.0


@dataclass(frozen=True)
class Release:
    """A tree of code, run with the packages that are installed here."""

    source: Path

    def start(self, environment: Mapping[str, str], log: Path, *command: str) -> "Program":
        """A program that says in one line where it listens."""
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "netvalve.cli", *command, "--json"],
                env=self._own(environment),
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        return Program(process, json.loads(line))

    def run(self, environment: Mapping[str, str], *command: str) -> str:
        """A command to its end; what it says."""
        return self.python(environment, "-m", "netvalve.cli", *command)

    def python(self, environment: Mapping[str, str], *arguments: str) -> str:
        """Python to its end, with this release's packages; what it says."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self._own(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _own(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {**environment, "PYTHONPATH": str(self.source)}


@dataclass
class Program:
    """A process that runs until it is told to end."""

    process: "subprocess.Popen[bytes]"
    says: Mapping[str, Any]

    def end(self) -> int:
        """As an operator ends it: it finishes what it has taken."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        status = self.process.wait(_STOP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def this_release() -> Release:
    """The tree as it is here."""
    return Release(REPOSITORY / "src")


def previous_release(folder: Path) -> Release:
    """The tree of the commit that `previous_release` names, unpacked in a folder."""
    commit = _NAMED_IN.read_text().strip()
    archived = subprocess.run(
        ["git", "-C", REPOSITORY, "archive", "--format=tar", commit, "src"],
        capture_output=True,
        check=False,
    )
    assert archived.returncode == 0, (
        f"the previous release is commit {commit}, which this clone's history has not: "
        f"fetch it whole (git fetch --unshallow). {archived.stderr.decode().strip()}"
    )
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return Release(folder / "src")
