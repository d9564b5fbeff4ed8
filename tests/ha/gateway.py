"""A gateway's machine: `netvalve serve`, and HAProxy as its way to the primary."""

import subprocess
import sys
from collections.abc import Mapping

import httpx

from ha.deployed import deployed
from ha.machine import Machine

NETVALVE = (sys.executable, "-m", "netvalve.cli")
PORT = 8080


class Gateway:
    """One of the nodes that merchants are served by."""

    def __init__(self, machine: Machine, settings: Mapping[str, str]) -> None:
        self.machine = machine
        self._settings = {
            **settings,
            "NETVALVE_HOME": str(machine.folder),
            "NETVALVE_HOST": machine.address,
            "NETVALVE_PORT": str(PORT),
            "NETVALVE_LOG_FILE": str(machine.folder / "gateway.log"),
        }
        self._program: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._program is not None and self._program.poll() is None

    def boot(self) -> None:
        """Start what the machine starts when it is switched on."""
        start_haproxy(self.machine, "haproxy-database.cfg")
        command = (*NETVALVE, "serve")
        self._program = self.machine.start(*command, settings=self._settings, log="gateway.out")

    def is_ready(self) -> bool:
        """Whether it says that it can take payments.

        Raises:
            RuntimeError: it has ended; the message is what it said last.
        """
        if not self.runs:
            raise RuntimeError((self.machine.folder / "gateway.out").read_text()[-1000:])
        return self._asked("/health/ready") is not None

    def metrics(self) -> str:
        """Its metrics; nothing where it does not answer."""
        return self._asked("/metrics") or ""

    def _asked(self, path: str) -> str | None:
        try:
            answer = httpx.get(f"http://{self.machine.address}:{PORT}{path}", trust_env=False)
        except httpx.HTTPError:
            return None
        return answer.text if answer.status_code == 200 else None


def start_haproxy(machine: Machine, example: str) -> None:
    """Run an example file on a machine."""
    machine.start("haproxy", "-db", "-f", str(deployed(example)), settings={}, log="haproxy.log")
