"""The two banks of a run: the bare one, which is never the bottleneck, and the test bank."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from bench.programs import Program, program

BARE, TEST = "bare", "test"


class Bank(Protocol):
    """What a run asks of a bank."""

    @property
    def host(self) -> str:
        """Where its link listens."""

    @property
    def port(self) -> int:
        """Its link's port."""

    @property
    def pid(self) -> int:
        """Its process."""

    def misbehave(self, *, unanswered_percent: float = 0, latency_s: float = 0) -> None:
        """Leave so many messages unanswered and take so long for an answer, from now on."""

    def write_book(self, path: Path) -> None:
        """Write what it has booked, as `netvalve reconcile` reads it."""


@contextmanager
def bank(kind: str, home: Path) -> Iterator[Bank]:
    """Start one."""
    if kind == BARE:
        with program("bench.bare_bank", home=home) as running:
            yield _BareBank(running)
        return
    settings = {"home": home, "bank_port": 0, "bank_admin_port": 0, "log_file": home / "bank.log"}
    with program("netvalve.cli", "bank", "--json", home=home, settings=settings) as running:
        yield _TestBank(running)


@dataclass(frozen=True, slots=True)
class _Process:
    """Where a bank's process listens."""

    program: Program

    @property
    def host(self) -> str:
        return str(self.program.said["host"])

    @property
    def port(self) -> int:
        return int(self.program.said["port"])

    @property
    def pid(self) -> int:
        return self.program.pid


class _BareBank(_Process):
    """Takes its orders as lines."""

    def misbehave(self, *, unanswered_percent: float = 0, latency_s: float = 0) -> None:
        self.program.ask(unanswered_percent=unanswered_percent, latency_s=latency_s)

    def write_book(self, path: Path) -> None:
        self.program.ask(book=str(path))


class _TestBank(_Process):
    """Takes its orders at its admin."""

    def misbehave(self, *, unanswered_percent: float = 0, latency_s: float = 0) -> None:
        self._send("DELETE", "/faults")
        self._send("PUT", "/pace", latency_s=latency_s)
        if unanswered_percent:
            self._send("POST", "/faults", fault="silent", percent=unanswered_percent)

    def write_book(self, path: Path) -> None:
        with urllib.request.urlopen(f"{self._admin}/book.csv") as book:
            path.write_bytes(book.read())

    @property
    def _admin(self) -> str:
        return f"http://127.0.0.1:{self.program.said['admin_port']}"

    def _send(self, method: str, path: str, **content: Any) -> None:
        body = orjson.dumps(content) if content else None
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self._admin}{path}", body, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            answer.read()
