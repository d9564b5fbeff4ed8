"""Group commit: what waits goes together, nobody hears early, and nobody is left waiting."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from netvalve.group_commit import GroupCommit, QueueFull, WriterDied, WriterStopped


class Disk:
    """A batch writer that holds each batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.at_once = 0
        self.let_go = asyncio.Event()

    async def write(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.at_once += 1
        assert self.at_once == 1, "one batch at a time"
        self.batches.append(list(items))
        await self.let_go.wait()
        self.at_once -= 1
        return [ValueError(item) if item < 0 else item * 2 for item in items]


@pytest.fixture
async def disk() -> Disk:
    return Disk()


@pytest.fixture
async def group(disk: Disk) -> AsyncIterator[GroupCommit[int, int]]:
    commits: GroupCommit[int, int] = GroupCommit(disk.write, batch_max=4, waiting_max=6)
    commits.start()
    yield commits
    disk.let_go.set()
    await commits.stop()


async def _waiting(group: GroupCommit[int, int], *items: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(group.submit(item)) for item in items]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_arrives_during_a_batch_goes_into_the_next_one(
    disk: Disk, group: GroupCommit[int, int]
) -> None:
    first = await _waiting(group, 1)
    rest = await _waiting(group, 2, 3, 4, 5, 6)
    assert disk.batches == [[1]]
    disk.let_go.set()
    assert await asyncio.gather(*first, *rest) == [2, 4, 6, 8, 10, 12]
    assert disk.batches == [[1], [2, 3, 4, 5], [6]]


async def test_nobody_hears_before_the_batch_is_written(
    disk: Disk, group: GroupCommit[int, int]
) -> None:
    (task,) = await _waiting(group, 1)
    assert disk.batches == [[1]]
    assert not task.done()
    disk.let_go.set()
    assert await task == 2


async def test_a_failed_item_fails_alone(disk: Disk, group: GroupCommit[int, int]) -> None:
    disk.let_go.set()
    answers = await asyncio.gather(*await _waiting(group, 1, -1, 2), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["2", "-1", "4"]


async def test_too_many_waiting_are_refused_at_once(
    disk: Disk, group: GroupCommit[int, int]
) -> None:
    tasks = await _waiting(group, 0)
    tasks += await _waiting(group, *range(1, 7))
    with pytest.raises(QueueFull):
        await group.submit(7)
    disk.let_go.set()
    await asyncio.gather(*tasks)
    assert await group.submit(7) == 14


async def test_a_caller_that_gives_up_takes_its_waiting_item_along(
    disk: Disk, group: GroupCommit[int, int]
) -> None:
    written, gone, stays = [(await _waiting(group, item))[0] for item in (1, 2, 3)]
    written.cancel()
    gone.cancel()
    disk.let_go.set()
    assert await stays == 6
    assert disk.batches == [[1], [3]]


async def test_stopping_writes_what_waits_and_refuses_the_rest(
    disk: Disk, group: GroupCommit[int, int]
) -> None:
    tasks = await _waiting(group, 1, 2)
    tasks += await _waiting(group, 3)
    disk.let_go.set()
    await group.stop()
    assert [task.result() for task in tasks] == [2, 4, 6]
    with pytest.raises(WriterStopped):
        await group.submit(4)


Broken = Callable[[Sequence[int]], Awaitable[Sequence[int | Exception]]]


async def _broken(_items: Sequence[int]) -> Sequence[int | Exception]:
    raise OSError("disk")


async def _short(_items: Sequence[int]) -> Sequence[int | Exception]:
    return []


@pytest.mark.parametrize(("write", "error"), [(_broken, OSError), (_short, ValueError)])
async def test_a_batch_that_fails_is_told_to_all_of_it_and_the_writer_goes_on(
    write: Broken, error: type[Exception]
) -> None:
    group: GroupCommit[int, int] = GroupCommit(write, batch_max=8, waiting_max=8)
    group.start()
    for _ in range(2):
        answers = await asyncio.gather(*await _waiting(group, 1, 2), return_exceptions=True)
        assert [type(answer) for answer in answers] == [error, error]
    await group.stop()


async def test_a_writer_that_dies_leaves_nobody_waiting() -> None:
    async def die(_items: Sequence[int]) -> Sequence[int | Exception]:
        await asyncio.sleep(0.01)
        raise asyncio.CancelledError

    group: GroupCommit[int, int] = GroupCommit(die, batch_max=1, waiting_max=8)
    group.start()
    answers = await asyncio.gather(*await _waiting(group, 1, 2, 3), return_exceptions=True)
    assert [type(answer) for answer in answers] == [WriterDied, WriterStopped, WriterStopped]
    with pytest.raises(WriterStopped):
        await group.submit(4)
    await group.stop()


async def test_each_written_batch_is_observed() -> None:
    seen: list[tuple[int, float]] = []

    async def write(items: Sequence[int]) -> Sequence[int | Exception]:
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(
        write,
        batch_max=8,
        waiting_max=8,
        observe=lambda size, seconds: seen.append((size, seconds)),
    )
    group.start()
    await asyncio.gather(*await _waiting(group, 1, 2, 3))
    await group.stop()
    assert [size for size, _ in seen] == [3]
    assert all(seconds >= 0 for _, seconds in seen)
