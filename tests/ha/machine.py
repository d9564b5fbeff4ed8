"""Machines of a private network: each has its own address, cable, folders and programs.

A machine is a network namespace and a mount namespace; `ha0` is the switch. All of it vanishes with
the processes in it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ha.programs import environment

NETWORK = "10.20.0"
HUB = f"{NETWORK}.1"
"""The drill's own address: the merchants', the operator's and the bank's."""
_SWITCH = "ha0"
_START_S = 5.0


def lay_network() -> None:
    """Make the switch, with the drill itself on it."""
    _ip("link", "set", "lo", "up")
    _ip("link", "add", _SWITCH, "type", "bridge")
    _ip("address", "add", f"{HUB}/24", "dev", _SWITCH)
    _ip("link", "set", _SWITCH, "up")


class Machine:
    """One machine, switched on and on the network."""

    def __init__(self, name: str, host: int, folder: Path) -> None:
        self.name, self.address, self.folder = name, f"{NETWORK}.{host}", folder
        folder.mkdir(parents=True)
        self._holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"])
        self._own = _inode_of_another(self._holder.pid)
        self._started: list[subprocess.Popen[bytes]] = []
        self._enter = ("nsenter", "--target", str(self._holder.pid), "--net", "--mount", "--")
        self._connect()

    def _connect(self) -> None:
        peer = ("peer", "name", "eth0", "netns", str(self._holder.pid))
        _ip("link", "add", self.name, "type", "veth", *peer)
        _ip("link", "set", self.name, "master", _SWITCH, "up")
        self.call("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.call("ip", "link", "set", "eth0", "up")
        self.call("ip", "link", "set", "lo", "up")

    def keep(self, path: str, user: str) -> None:
        """Let a folder of this machine's own lie at `path`, as on a disk of its own."""
        own = self.folder / path.strip("/").replace("/", "-")
        own.mkdir()
        Path(path).mkdir(parents=True, exist_ok=True)
        self.call("chown", user, str(own))
        self.call("mount", "--bind", str(own), path)

    def start(
        self, *command: str, user: str = "root", settings: Mapping[str, str], log: str
    ) -> subprocess.Popen[bytes]:
        """Run a program on this machine, as `user`."""
        become = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--")
        with (self.folder / log).open("ab") as said:
            program = subprocess.Popen(
                [*self._enter, *(become if user != "root" else ()), *command],
                env=environment(**settings),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self._started.append(program)
        return program

    def call(
        self, *command: str, text: str = "", settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on this machine to its end.

        Raises:
            RuntimeError: its status is not 0; the message is what it said.
        """
        done = subprocess.run(
            [*self._enter, *command],
            env=environment(**(settings or {})),
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done

    def cut(self) -> None:
        """Pull its cable: nothing comes or goes, and nobody is told."""
        _ip("link", "set", self.name, "down")

    def join(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.name, "up")

    def kill(self) -> None:
        """End every program of it as a power cut does."""
        while running := [*self._programs()]:
            for pid in running:
                _send(pid, signal.SIGKILL)
            time.sleep(0.01)
        while self._started:
            self._started.pop().wait()

    def off(self) -> None:
        """Take the machine away."""
        self.kill()
        self._holder.kill()
        self._holder.wait()

    def _programs(self) -> Iterator[int]:
        """Every process in this machine's network, but the one that holds it."""
        for each in Path("/proc").iterdir():
            if each.name.isdigit() and int(each.name) != self._holder.pid:
                try:
                    inode = (each / "ns/net").stat().st_ino
                except OSError:
                    continue  # it has ended meanwhile
                if inode == self._own:
                    yield int(each.name)


def _inode_of_another(pid: int) -> int:
    """The network of a process, once it is not this one's."""
    ours = Path("/proc/self/ns/net").stat().st_ino
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s:
        if (inode := Path(f"/proc/{pid}/ns/net").stat().st_ino) != ours:
            return inode
        time.sleep(0.005)
    raise RuntimeError("no network of its own")


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
