"""The operator's desk: the drill's own place at the switch. The bank stands there too."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx

from ha.cluster import until
from ha.deployed import deployed
from ha.gateway import NETVALVE
from ha.machine import HUB
from ha.programs import environment

BANK_PORT = 8583
_BANK_ADMIN = "http://127.0.0.1:8584"
_START_S = 30.0
_COMMAND_S = 120.0


class Desk:
    """HAProxy as the way to the primary, the `netvalve` command, and the test bank."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        folder.mkdir()

    def start_way_in(self) -> None:
        """Let 127.0.0.1:5432 be the primary."""
        self._start("haproxy", "-db", "-f", str(deployed("haproxy-database.cfg")))

    def start_bank(self) -> None:
        """Start the test bank, until it listens."""
        self._start(
            *(*NETVALVE, "bank", "--json"),
            NETVALVE_HOME=str(self.folder),
            NETVALVE_BANK_HOST=HUB,
            NETVALVE_BANK_PORT=str(BANK_PORT),
        )
        until(self._bank_listens, _START_S, "the bank")

    def command(self, settings: Mapping[str, str], *arguments: str, text: str = "") -> str:
        """What a `netvalve` command says.

        Raises:
            RuntimeError: its status is not 0.
        """
        done = subprocess.run(
            [*NETVALVE, *arguments],
            env=environment(NETVALVE_HOME=str(self.folder), **settings),
            input=text,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def book(self) -> str:
        """The bank's own book."""
        return httpx.get(f"{_BANK_ADMIN}/book.csv", trust_env=False).raise_for_status().text

    def stop(self) -> None:
        """Clear it."""
        for program in self._running:
            program.kill()
            program.wait()

    def _start(self, *command: str, **settings: str) -> None:
        with (self.folder / f"{Path(command[0]).name}.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(command, env=environment(**settings), stdout=log, stderr=log)
            )

    def _bank_listens(self) -> bool:
        try:
            return httpx.get(f"{_BANK_ADMIN}/book.csv", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
