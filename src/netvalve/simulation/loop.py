"""The event loop on which everything happens: its time stands still until nothing is left to do.

It overrides what asyncio's own code and the product call, so that both run here unchanged: time,
callbacks, connections, threads. One thread, one order of events, the same at every run.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from itertools import count
from typing import Any, Final, TypeVarTuple

from netvalve.simulation.machine import MACHINE, Machine
from netvalve.simulation.network import Network

Arguments = TypeVarTuple("Arguments")

_RESOLUTION_S: Final = 1e-6
"""No time that is waited for is shorter: a clock that stands still would never see its end."""


class Stalled(Exception):
    """Nothing is left that could ever happen, and the run has not ended."""


class Step(asyncio.TimerHandle):
    """A callback with its moment and the machine it runs on."""

    __slots__ = ("machine",)

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "VirtualLoop",
        context: Context,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.machine: Machine | None = context.get(MACHINE)


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs step after step. Those of a dead machine never run, those of a stalled one wait.

    `faults` collects what callbacks have raised: there should be nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = Network(self)
        self.faults: list[str] = []
        self._now_s = 0.0
        self._due: deque[Step] = deque()
        self._timers: list[tuple[float, int, Step]] = []
        self._order = count()
        self._ended = False
        self.set_exception_handler(_keep_fault)

    def time(self) -> float:
        """Virtual seconds since the run began."""
        return self._now_s

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> Step:
        """Run a callback after those that are due already."""
        step = Step(self._now_s, callback, args, self, context or copy_context())
        if not self._ended:
            self._due.append(step)
        return step

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> Step:
        """Run a callback after a while."""
        when = self._now_s + (max(delay, _RESOLUTION_S) if delay > 0 else 0)
        return self.call_at(when, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> Step:
        """Run a callback at a moment; those of one moment in the order they were asked for in."""
        step = Step(when, callback, args, self, context or copy_context())
        if not self._ended:
            heapq.heappush(self._timers, (when, next(self._order), step))
        return step

    def again(self, steps: list[Step]) -> None:
        """Run now what waited for a machine to wake up."""
        self._due.extend(steps)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """A task, which its machine keeps even when it dies: nothing of it is ever cleaned up."""
        task = super().create_task(coro, **options)
        machine = MACHINE.get()
        if machine is not None:
            machine.tasks.add(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Work for a thread, which waits for a disk: done at once, after and before a while.

        A machine that dies between the two has done it and has not heard of it.
        """
        del executor
        done: asyncio.Future[Any] = self.create_future()
        machine = MACHINE.get()
        before_s, after_s = machine.disk.delays_s() if machine and machine.disk else (0.0, 0.0)
        self.call_later(before_s, self._work, done, after_s, func, args)
        return done

    def _work(
        self,
        done: asyncio.Future[Any],
        after_s: float,
        func: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        try:
            result, error = func(*args), None
        except Exception as raised:  # noqa: BLE001  # handed to who waits
            result, error = None, raised
        self.call_later(after_s, _settle, done, result, error)

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], host: str, port: int
    ) -> tuple[Any, Any]:
        """A connection through the simulated network."""
        return await self.network.connect(protocol_factory, (host, port))

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], host: str, port: int
    ) -> Any:
        """A listener on the simulated network."""
        return self.network.listen(protocol_factory, (host, port))

    def end(self) -> None:
        """Nothing happens any more, whatever is asked for: the run's remains may be cleaned up."""
        self._ended = True
        self._due.clear()
        self._timers.clear()

    def _run_once(self) -> None:
        while not self._due:
            self._advance()
        step = self._due.popleft()
        if not step.cancelled() and (step.machine is None or step.machine.admits(step)):
            step._run()  # noqa: SLF001  # what a loop is there for

    def _advance(self) -> None:
        if not self._timers:
            raise Stalled
        when, _, step = heapq.heappop(self._timers)
        if not step.cancelled():
            self._now_s = max(self._now_s, when)
            self._due.append(step)


def _settle(done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _keep_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a callback raised. What the collector finds, it finds when it pleases: left out."""
    error = context.get("exception")
    if isinstance(loop, VirtualLoop) and "handle" in context:
        loop.faults.append(f"{context['message']}: {type(error).__name__}: {error}")
