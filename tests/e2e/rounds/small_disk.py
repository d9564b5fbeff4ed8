"""A disk that fills up: a small file system of its own, or a limit where none may be mounted."""

import asyncio
import contextlib
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BALLAST = "ballast"
FULL_DEVICE = Path("/dev/full")
"""A file that never has room."""
_BLOCK = bytes(65_536)


class SmallDisk(Protocol):
    """A folder whose space can be taken away and given back."""

    @property
    def path(self) -> Path:
        """The folder."""

    def fill(self, pid: int) -> None:
        """Leave no room for the process to write more."""

    def free(self, pid: int) -> None:
        """Give the room back."""


@dataclass(frozen=True, slots=True)
class SmallFileSystem:
    """A file system of a few MiB in memory; filled, every write on it fails with ENOSPC."""

    path: Path

    def fill(self, pid: int) -> None:
        """Write a file until nothing more fits."""
        del pid
        with (self.path / BALLAST).open("ab", buffering=0) as ballast:
            for block in (_BLOCK, _BLOCK[:4096], _BLOCK[:1]):
                with contextlib.suppress(OSError):
                    while ballast.write(block) == len(block):
                        pass

    def free(self, pid: int) -> None:
        """Remove that file."""
        del pid
        (self.path / BALLAST).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class LimitedFiles:
    """Where nothing may be mounted: no file of the process may grow; its writes fail with EFBIG."""

    path: Path

    def fill(self, pid: int) -> None:
        """Let no file grow beyond a single block."""
        self._limit(pid, 4096)

    def free(self, pid: int) -> None:
        """Let files grow again."""
        self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid: int, file_bytes: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has been killed meanwhile
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (file_bytes, hard))


async def keep_full(disk: SmallDisk, pid: int, seconds: float) -> None:
    """Fill a disk for some time, whatever is freed meanwhile."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        disk.fill(pid)
        await asyncio.sleep(0.05)


@contextlib.contextmanager
def small_file_system(path: Path, size_mib: int) -> Iterator[SmallFileSystem | None]:
    """A small file system at the path; None where this user may not mount one."""
    path.mkdir(parents=True)
    options = f"size={size_mib}m,mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "netvalve-small", str(path)]
    tried = (
        subprocess.run(mount, capture_output=True, check=False) if shutil.which("mount") else None
    )
    if tried is None or tried.returncode != 0:
        yield None
        return
    try:
        yield SmallFileSystem(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=True)
