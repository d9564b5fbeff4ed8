"""Group commit: whatever waits goes into one batch, and nobody hears before the batch is written.

One batch is written at a time; while it is, the next one gathers. So the batch grows with the
load and a lone write waits for nothing. What a batch is and how it becomes durable is the
caller's `write_batch`; this file knows neither a database nor a disk.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WriteBatch = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Writes a batch and returns, when it is durable, one result or exception for each item.

An exception raised instead fails the whole batch.
"""


class QueueFull(Exception):
    """As many writes wait as may wait. Nothing of this one was taken."""


class WriterStopped(Exception):
    """Nothing writes any more. Nothing of this write was taken."""


class WriterDied(WriterStopped):
    """The writer died on the batch of this write, which may or may not be written."""


class GroupCommit(Generic[Item, Result]):
    """Gathers the items of many callers into batches of at most `batch_max`.

    `observe` hears the size and the seconds of every batch that was written, `on_death` that
    nothing will be written any more though nobody has stopped it.
    """

    def __init__(
        self,
        write_batch: WriteBatch[Item, Result],
        *,
        batch_max: int,
        waiting_max: int,
        observe: Callable[[int, float], None] | None = None,
        on_death: Callable[[], None] | None = None,
    ) -> None:
        self._write_batch = write_batch
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._observe = observe
        self._on_death = on_death
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._open = False

    def start(self) -> None:
        """Begin to write, on the running event loop."""
        self._open = True
        self._writer = asyncio.get_running_loop().create_task(self._write(), name="group commit")

    async def stop(self) -> None:
        """Refuse new items, write all that wait, and end."""
        self._open = False
        self._arrived.set()
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def submit(self, item: Item) -> Result:
        """Write an item with the next batch. Returns when that batch is durable.

        A caller that is cancelled while its item waits takes the item back; once the item is in
        a batch it is written all the same.

        Raises:
            QueueFull: at once, when too many wait.
            WriterStopped: nothing writes any more.
        """
        if not self._open:
            raise WriterStopped("the writer does not run")
        if len(self._waiting) >= self._waiting_max:
            raise QueueFull(f"{self._waiting_max} writes are waiting")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._arrived.set()
        return await future

    async def _write(self) -> None:
        try:
            while self._open or self._waiting:
                if not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                if batch := self._take():
                    await self._write_one(batch)
        finally:
            died, self._open = self._open, False
            for _, future in self._waiting:
                _fail(future, WriterStopped("the writer died"))
            self._waiting.clear()
            if died and self._on_death is not None:
                self._on_death()

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next batch, without the items whose callers have gone."""
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._batch_max:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _write_one(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        started_s = perf_counter()
        try:
            results = await self._write_batch([item for item, _ in batch])
            answers = list(zip(batch, results, strict=True))
        except Exception as error:  # noqa: BLE001  # whatever it is, the waiters must hear it
            for _, future in batch:
                _fail(future, error)
            return
        except BaseException:
            for _, future in batch:
                _fail(future, WriterDied("the writer died while it wrote"))
            raise
        for (_, future), result in answers:
            if isinstance(result, Exception):
                _fail(future, result)
            elif not future.done():
                future.set_result(result)
        if self._observe is not None:
            self._observe(len(batch), perf_counter() - started_s)


def _fail(future: asyncio.Future[Result], error: Exception) -> None:
    """Tell a waiter, unless it has gone."""
    if not future.done():
        future.set_exception(error)
