"""The programs that the drill is made of, none of them the project's; and which are missing."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

PACKAGES = "patroni etcd-server haproxy postgresql iproute2 util-linux"
_NEEDED = ("patroni", "etcd", "haproxy", "ip", "unshare", "nsenter", "setpriv", "mount")
_SERVERS = Path("/usr/lib/postgresql")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str | None:
    """One line that says what the drill lacks, and how to get it; None where it lacks nothing."""
    lacking = [name for name in _NEEDED if shutil.which(name, path=_PATH) is None]
    if not _server_folders():
        lacking.append("PostgreSQL's server")
    if lacking:
        return f"missing: {', '.join(lacking)} (Debian: apt-get install {PACKAGES})"
    if os.geteuid() != 0:
        return "it must be root, to make a network of its own (sudo make test-ha)"
    return None


def postgresql_programs() -> Path:
    """The folder of the newest PostgreSQL server."""
    return _server_folders()[-1]


def environment(**own: str) -> dict[str, str]:
    """What a machine's programs start with."""
    return {"PATH": _PATH, "LANG": "C.UTF-8", **own}


def _server_folders() -> Sequence[Path]:
    found = (each.parent for each in _SERVERS.glob("*/bin/postgres"))
    return sorted(found, key=lambda folder: int(folder.parent.name))
