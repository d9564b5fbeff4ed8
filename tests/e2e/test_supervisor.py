"""A supervisor keeps its workers on one port, whatever becomes of them and of itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from e2e import supervised
from netvalve.workers.slot import PAUSES_S

PROGRAM = str(Path(supervised.__file__))
PATIENCE_S = 20.0
UNTOLD = "a worker ended with status 7 before it listened; the lines above say why"

Found = TypeVar("Found")


class Supervised:
    """The program, its mood, and what it says."""

    def __init__(self, home: Path, *, workers: int, mood: str = "", port: int = 0) -> None:
        self.mood = home / "mood"
        self.mood.write_text(mood)
        self._log = home / "log"
        self._environment = {
            **os.environ,
            "NETVALVE_WORKERS": str(workers),
            "NETVALVE_PORT": str(port),
            "NETVALVE_SHUTDOWN_GRACE_S": "2",
            "MOOD": str(self.mood),
            "TMPDIR": str(home),
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._port: int | None = None

    @property
    def port(self) -> int:
        """Where it listens; waits for its line."""
        if self._port is None:
            assert self.process.stdout
            self._port = int(self.process.stdout.readline() or 0)
            assert self._port, self.text()
        return self._port

    def connect(self) -> socket.socket:
        """A connection, which no worker need have taken."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def ask(self, path: str = "/") -> str:
        """What a worker answers, to a connection of its own."""
        with self.connect() as connection:
            return asked(connection, path)

    def pid(self) -> int:
        """Some worker's process."""
        return int(self.ask())

    def pids(self, count: int) -> set[int]:
        """All workers' processes, once there are so many."""
        return eventually(
            lambda: found if len(found := {self.pid() for _ in range(40)}) >= count else None
        )

    def text(self) -> str:
        return self._log.read_text()

    def lines(self, event: str) -> list[dict[str, object]]:
        """The log's lines of one event."""
        lines = [json.loads(line) for line in self.text().splitlines()]
        return [line for line in lines if line["event"] == event]

    def ended(self) -> int:
        """Its exit status, once it has one."""
        return self.process.wait(PATIENCE_S)


def asked(connection: socket.socket, path: str = "/") -> str:
    connection.sendall(b"GET %b HTTP/1.0\r\n\r\n" % path.encode())
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
    return answer.partition(b"\r\n\r\n")[2].decode()


def eventually(look: Callable[[], Found | None]) -> Found:
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def runs(pid: int) -> bool:
    """Whether the process is there and no corpse."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Supervised] = []

    def started(workers: int = 2, **options: object) -> Supervised:
        running.append(Supervised(tmp_path, workers=workers, **options))  # type: ignore[arg-type]
        return running[-1]

    yield started
    for each in running:
        each.process.terminate()
        each.ended()
        each.process.stdout.close()  # type: ignore[union-attr]


def test_connections_are_spread_evenly(start: Start) -> None:
    running, count = start(workers=2), 400
    assert running.port
    with ThreadPoolExecutor(8) as pool:
        by_worker = Counter(pool.map(lambda _: running.pid(), range(count)))
    assert len(by_worker) == 2
    assert min(by_worker.values()) > count * 0.35, by_worker


def test_worker_that_is_killed_is_replaced(start: Start) -> None:
    running = start(workers=2)
    first = running.pids(2)
    os.kill(victim := min(first), signal.SIGKILL)
    assert len(running.pids(2) - {victim}) == 2
    (line,) = running.lines("worker_ended")
    assert (line["level"], line["why"], line["pid"]) == ("error", "status -9", victim)


def test_connection_that_waits_for_a_worker_that_dies_is_taken_by_the_next(start: Start) -> None:
    running = start(workers=1)
    os.kill(first := running.pid(), signal.SIGSTOP)
    with running.connect() as waiting:
        os.kill(first, signal.SIGKILL)
        assert int(asked(waiting)) != first


def test_worker_that_ends_by_itself_leaves_new_connections_to_the_others(start: Start) -> None:
    running = start(workers=2)
    first = running.pids(2)
    running.mood.write_text("silent")
    ending = int(running.ask("/end"))
    eventually(lambda: not runs(ending))
    assert {running.pid() for _ in range(20)} == first - {ending}


def test_pause_grows_for_a_worker_that_dies_again_and_again(start: Start) -> None:
    running = start(workers=2, mood="short")
    assert running.port
    lines = eventually(lambda: found if len(found := running.lines("worker_ended")) >= 3 else None)
    assert [line["pause_s"] for line in lines[:3]] == [*PAUSES_S[:3]]
    assert {line["slot"] for line in lines} == {0}


def test_others_take_all_connections_while_one_cannot_be_replaced(start: Start) -> None:
    running = start(workers=2)
    first = running.pids(2)
    running.mood.write_text("one fails")
    for each in first:
        os.kill(each, signal.SIGKILL)
    eventually(lambda: len(running.lines("worker_ended")) >= 4)
    assert len({running.pid() for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("fails", "the store is shut"),
        ("silent", UNTOLD),
        ("one fails", UNTOLD),
    ],
)
def test_worker_that_cannot_start_ends_all_and_is_told_once(
    start: Start, mood: str, reason: str
) -> None:
    running = start(workers=3, mood=mood)
    assert running.ended() == 1
    assert running.text().count(f"failed: {reason}\n") == 1
    assert running.text().count(reason) == 1
    assert running.process.stdout is not None
    assert running.process.stdout.read() == b""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_end_waits_for_what_every_worker_has_taken(start: Start, how: signal.Signals) -> None:
    running = start(workers=2)
    pids = running.pids(2)
    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(running.ask, "/slow") for _ in range(20)]
        time.sleep(0.4)
        os.killpg(running.process.pid, how)
        eventually(lambda: running.lines("workers_stopping"))
        with pytest.raises(ConnectionRefusedError):
            eventually(running.connect)
        assert {int(each.result()) for each in slow} == pids
    assert running.ended() == 0
    assert not any(runs(pid) for pid in pids)


def test_worker_that_does_not_end_is_killed(start: Start) -> None:
    running = start(workers=2, mood="stubborn")
    pids = running.pids(2)
    running.process.terminate()
    assert running.ended() == 1
    assert not any(runs(pid) for pid in pids)
    assert len(running.lines("worker_unfinished")) == 2


def test_workers_finish_and_end_when_their_supervisor_is_killed(start: Start) -> None:
    running = start(workers=2)
    pids = running.pids(2)
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(running.ask, "/slow") for _ in range(4)]
        time.sleep(0.4)
        running.process.kill()
        assert {int(each.result()) for each in slow} <= pids
    eventually(lambda: not any(runs(pid) for pid in pids))


def test_port_is_no_other_supervisors(start: Start) -> None:
    running = start(workers=1)
    second = start(workers=1, port=running.port)
    assert second.ended() == 1
    assert "Address already in use" in second.text()


def test_metrics_are_of_all_workers_and_outlive_each(start: Start) -> None:
    running = start(workers=2)
    workers = running.pids(2)
    counted = {int(running.ask("/count")) for _ in range(30)}
    assert counted == workers
    assert counted_by(running) == (30, 2)
    running.mood.write_text("one fails")
    for each in workers:
        os.kill(each, signal.SIGKILL)
    eventually(lambda: len(running.lines("worker_ended")) >= 3)
    assert eventually(lambda: counted_by(running)) == (30, 1)
    running.ask("/count")
    assert counted_by(running) == (31, 1)


def counted_by(running: Supervised) -> tuple[float, float]:
    """Requests and workers, as any worker tells them."""
    values = dict(
        line.rsplit(" ", 1)
        for line in running.ask("/metrics").splitlines()
        if not line.startswith("#")
    )
    requests = values['netvalve_request_seconds_count{operation="sale",status="200"}']
    return float(requests), float(values["netvalve_workers"])


def test_metrics_folder_goes_with_its_supervisor_or_at_the_next_start(
    start: Start, tmp_path: Path
) -> None:
    folders = lambda: [*tmp_path.glob("netvalve-metrics-*")]  # noqa: E731
    killed = start(workers=1)
    os.kill(pid := killed.pid(), signal.SIGSTOP)
    killed.process.kill()
    ended(start(workers=1))
    assert len(folders()) == 1, "its worker has not ended"
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: not runs(pid))
    ended(start(workers=1))
    assert folders() == []


def ended(running: Supervised) -> None:
    assert running.port
    running.process.terminate()
    assert running.ended() == 0


def test_lines_of_several_writers_to_one_pipe_are_whole(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "log").symlink_to(f"/proc/{os.getpid()}/fd/{writing}")
    running = Supervised(tmp_path, workers=3)
    os.close(writing)
    assert running.port
    try:
        with ThreadPoolExecutor(12) as pool:
            said = pool.map(lambda _: running.ask("/log"), range(12))
            read = b""
            time.sleep(1)  # the pipe is full, and every writer waits for room in it
            while read.count(b"\n") < 12 * supervised.LINES:
                read += os.read(reading, 4_096)
            assert len({*said}) == 3
    finally:
        running.process.terminate()
        while piece := os.read(reading, 65_536):
            read += piece
        os.close(reading)
        running.ended()
        running.process.stdout.close()  # type: ignore[union-attr]
    lines = [json.loads(line) for line in read.splitlines()]
    by_node = Counter(line["node"] for line in lines if line["event"] == "said")
    assert len(by_node) == 3
    assert by_node.total() == 12 * supervised.LINES
