"""The machine room: time, death, stalls, the network and the disk, each by itself."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from netvalve.simulation.disk import Disk, DiskFault, simulated_disks
from netvalve.simulation.loop import Stalled, VirtualLoop
from netvalve.simulation.machine import Machine
from netvalve.simulation.network import Fate


class Mood:
    """A disk's weather: one fault at every commit."""

    def __init__(self, fault: DiskFault | None = None) -> None:
        self.fault = fault

    def delays_s(self) -> tuple[float, float]:
        return 1.0, 1.0

    def fault_of_commit(self) -> DiskFault | None:
        return self.fault

    def fault_of_write(self) -> DiskFault | None:
        return None


def run(work: Coroutine[Any, Any, Any], loop: VirtualLoop) -> Any:
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def on(machine: Machine, loop: VirtualLoop, work: Coroutine[Any, Any, Any]) -> None:
    machine.context.run(loop.create_task, work)


def test_a_day_passes_at_once_and_in_order() -> None:
    loop, woke = VirtualLoop(), []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append((seconds, loop.time()))

    async def all_of_them() -> None:
        await asyncio.gather(*map(sleeper, (86_400, 1, 3600)))

    run(all_of_them(), loop)
    assert woke == [(1, 1), (3600, 3600), (86_400, 86_400)]


def test_a_wait_too_short_for_the_clock_ends_all_the_same() -> None:
    loop = VirtualLoop()

    async def wait() -> float:
        await asyncio.sleep(1e6)
        await asyncio.sleep(1e-15)
        return loop.time()

    assert run(wait(), loop) > 1e6


def test_waiting_for_nothing_is_told() -> None:
    loop = VirtualLoop()
    with pytest.raises(Stalled):
        run(_for_ever(), loop)


async def _for_ever() -> None:
    await asyncio.Event().wait()


def test_a_killed_machine_cleans_nothing_up() -> None:
    loop, machine, said = VirtualLoop(), Machine("one"), []

    async def program() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            said.append("cleaned up")

    async def world() -> None:
        on(machine, loop, program())
        await asyncio.sleep(1)
        machine.kill()
        await asyncio.sleep(100)

    run(world(), loop)
    assert said == []
    loop.end()
    machine.dissolve()


def test_a_machine_can_be_killed_at_any_step() -> None:
    async def program(done: list[int]) -> None:
        for step in range(10):
            done.append(step)
            await asyncio.sleep(0)

    async def world(loop: VirtualLoop, machine: Machine, done: list[int], steps: int) -> None:
        machine.after(steps, machine.kill)
        on(machine, loop, program(done))
        await asyncio.sleep(1)

    for steps in range(10):
        loop, machine, done = VirtualLoop(), Machine("one"), list[int]()
        run(world(loop, machine, done, steps), loop)
        assert done == list(range(steps))
        machine.dissolve()


def test_a_stalled_machine_goes_on_where_it_stood() -> None:
    loop, machine, woke = VirtualLoop(), Machine("one"), []

    async def program() -> None:
        for _ in range(2):
            await asyncio.sleep(1)
            woke.append(loop.time())

    async def world() -> None:
        on(machine, loop, program())
        machine.stall()
        await asyncio.sleep(10)
        loop.again(machine.wake())
        await asyncio.sleep(10)

    run(world(), loop)
    assert woke == [11, 12]


class Peer(asyncio.Protocol):
    """Remembers what it has heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.append(exc)


async def _connected(loop: VirtualLoop, machine: Machine, peer: Peer) -> Any:
    async def listening() -> None:
        await loop.create_server(lambda: peer, "host", 1)

    on(machine, loop, listening())
    await asyncio.sleep(0)
    wire, _ = await loop.create_connection(Peer, "host", 1)
    return wire


def test_messages_arrive_in_their_order_and_a_death_resets_the_connection() -> None:
    loop, machine, peer = VirtualLoop(), Machine("host"), Peer()

    async def world() -> Any:
        wire = await _connected(loop, machine, peer)
        for number in range(5):
            wire.write(b"%d" % number)
        await asyncio.sleep(1)
        machine.kill()
        await asyncio.sleep(1)
        return wire.protocol

    here = run(world(), loop)
    assert peer.heard == [b"0", b"1", b"2", b"3", b"4"]
    assert [type(each) for each in here.ended] == [ConnectionResetError]
    assert peer.ended == []


def test_nobody_listens_on_a_dead_machine() -> None:
    loop, machine = VirtualLoop(), Machine("host")

    async def world() -> None:
        await _connected(loop, machine, Peer())
        machine.kill()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(Peer, "host", 1)

    run(world(), loop)


def test_a_message_can_be_lost_with_its_connection() -> None:
    loop, machine, peer = VirtualLoop(), Machine("host"), Peer()

    class Cutting:
        def latency_s(self) -> float:
            return 0.01

        def fate(self, _data: bytes) -> Fate:
            return Fate((), cut=True)

        def reachable(self) -> bool:
            return True

    async def world() -> None:
        wire = await _connected(loop, machine, peer)
        loop.network.weather = Cutting()
        wire.write(b"gone")
        await asyncio.sleep(1)

    run(world(), loop)
    assert peer.heard == []
    assert [type(each) for each in peer.ended] == [ConnectionResetError]


@pytest.mark.parametrize(
    ("fault", "kept"),
    [(None, 1), (DiskFault.FULL, 0), (DiskFault.BROKEN_BEFORE, 0), (DiskFault.BROKEN_AFTER, 1)],
)
def test_a_commit_fails_before_or_after_it_took_place(
    tmp_path: Path, fault: DiskFault | None, kept: int
) -> None:
    disk = Disk(Mood())
    machine = Machine("one", disk)

    def write() -> None:
        connection = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)
        connection.execute("CREATE TABLE t (x)")
        disk.weather = Mood(fault)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (1)")
        if fault is None:
            connection.execute("COMMIT")
        else:
            with pytest.raises(sqlite3.OperationalError):
                connection.execute("COMMIT")

    with simulated_disks():
        machine.context.run(write)
        disk.cut_power()
        assert _rows(tmp_path / "a.sqlite3") == kept


def _rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute("SELECT count(*) FROM t").fetchone()
    connection.close()
    return int(count)


def test_work_on_the_disk_is_done_and_not_heard_of_by_who_dies_meanwhile() -> None:
    loop, machine, done, heard = VirtualLoop(), Machine("one", Disk(Mood())), [], []

    async def program() -> None:
        await loop.run_in_executor(None, done.append, 1)
        heard.append(1)

    async def world() -> None:
        on(machine, loop, program())
        await asyncio.sleep(1.5)
        machine.kill()
        await asyncio.sleep(10)

    run(world(), loop)
    assert (done, heard) == ([1], [])
    machine.dissolve()
