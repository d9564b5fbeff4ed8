"""A machine: what dies together. Every callback and every task belongs to one, or to the world.

The context carries the machine, so that whatever a machine's code starts is the machine's too.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from netvalve.simulation.disk import Disk
    from netvalve.simulation.loop import Step

MACHINE: ContextVar["Machine | None"] = ContextVar("machine", default=None)


class Machine:
    """One run of a program: begun once, ended once.

    It may be killed at any step, or stalled: its steps wait then while the world goes on.
    """

    def __init__(self, name: str, disk: "Disk | None" = None) -> None:
        self.name = name
        self.disk = disk
        self.dead = False
        self.stalled = False
        self.stalls = 0
        """How often it has stood still."""
        self.tasks: WeakSet[asyncio.Task[object]] = WeakSet()
        self.context: Context = copy_context()
        self.context.run(MACHINE.set, self)
        self._remains: list[asyncio.Task[object]] = []
        self._deaths: list[Callable[[], None]] = []
        self._steps_left = 0
        self._then: Callable[[], None] | None = None
        self._held: list[Step] = []

    def admits(self, step: "Step") -> bool:
        """Whether a step may run now."""
        if self.dead:
            return False
        if self._then is not None and not self.stalled:
            self._count_down(self._then)
        if self.stalled:
            self._held.append(step)
        return not self.stalled and not self.dead

    def after(self, steps: int, then: Callable[[], None]) -> None:
        """Let something happen after so many more steps: between any two awaits."""
        self._steps_left, self._then = steps, then

    def spare(self) -> None:
        """Let nothing happen that has not happened yet."""
        self._then = None

    def kill(self) -> None:
        """End as by kill -9: nothing is cleaned up, nobody is told; peers see it by themselves."""
        if self.dead:
            return
        self.dead = True
        self._remains = list(self.tasks)
        for heard in self._deaths:
            heard()

    def when_dead(self, hear: Callable[[], None]) -> None:
        """Call this at the death."""
        self._deaths.append(hear)

    def stall(self) -> None:
        """Stand still, as a machine that swaps or is being moved."""
        self.stalled = True
        self.stalls += 1

    def wake(self) -> "list[Step]":
        """Go on; the steps that have waited, in their order."""
        self.stalled = False
        held, self._held = self._held, []
        return held

    def _count_down(self, then: Callable[[], None]) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            self._then = None
            then()

    def dissolve(self) -> None:
        """Clean up what a death, or the end of the run, has left lying."""
        for task in [*self._remains, *self.tasks]:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
            try:
                task.get_coro().close()
            except Exception:  # noqa: BLE001, S112  # nobody is there to be told
                continue
        self._remains.clear()
