"""`python -m ha`: the drill in a network and a process space of its own.

Whatever it starts ends with it, even where it is killed: the kernel ends a process space as a
whole, and a network without processes is gone. Nothing in it reaches another address.
"""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ha.programs import missing

OWN_SPACE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
FIRST_PROCESS = ("sh", "-c", '"$@"; exit $?', "drill")
"""A shell: it collects what dead programs leave behind."""
TESTS = str(Path(__file__).parent)


def main(arguments: Sequence[str]) -> int:
    """Say what is missing, or run the drill; the exit status."""
    if lack := missing():
        typer.echo(f"test-ha cannot run: {lack}", err=True)
        return 2
    drill = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", TESTS, *arguments)
    return subprocess.run([*OWN_SPACE, *FIRST_PROCESS, *drill], check=False).returncode


def is_private() -> bool:
    """Whether this process is in a network of its own."""
    return {name for _, name in socket.if_nameindex()} <= {"lo", "ha0"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
