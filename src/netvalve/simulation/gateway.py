"""A gateway: runs, ends in good order or not, and runs again on the same store."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import replace
from functools import partial

from netvalve.api.application import Application
from netvalve.bootstrap import Ground, run_gateway
from netvalve.simulation.clock import SteppedClock
from netvalve.simulation.door import Door
from netvalve.simulation.machine import Machine
from netvalve.simulation.store import Storage


class SimulatedGateway:
    """One gateway through all its runs."""

    def __init__(
        self,
        name: str,
        ground: Ground,
        clock: SteppedClock,
        storage: Storage,
        note: Callable[[str], None],
    ) -> None:
        self.name = name
        self.machines: list[Machine] = []
        self.door: Door | None = None
        self.clock = clock
        self._ground = replace(ground, node=name, clock=clock)
        self._storage, self._note = storage, note
        self._stop = asyncio.Event()
        self._over = asyncio.Event()
        self._world: Context = copy_context()

    @property
    def running(self) -> bool:
        """Whether its machine is up."""
        return bool(self.machines) and not self.machines[-1].dead

    def start(self) -> None:
        """Boot."""
        machine = Machine(self.name, self._storage.disk)
        self._stop, self._over = asyncio.Event(), asyncio.Event()
        machine.when_dead(self._storage.left)
        machine.when_dead(partial(self._ended, self._over))
        self.machines.append(machine)
        machine.context.run(asyncio.get_running_loop().create_task, self._live(machine))

    async def over(self) -> None:
        """Wait for the end of this run."""
        await self._over.wait()

    def stop(self) -> None:
        """Ask for an end in good order."""
        self._stop.set()

    def _ended(self, over: asyncio.Event) -> None:
        asyncio.get_running_loop().call_soon(over.set, context=self._world)

    async def _live(self, machine: Machine) -> None:
        try:
            store = await self._storage.opened(self._ground)
            await run_gateway(
                store,
                self._ground,
                serving=partial(self._serving, machine),
                sandbox=True,
                started=lambda _: self._note(f"{self.name} started"),
                stop=self._stop,
            )
            await self._storage.closed(store)
            self._note(f"{self.name} ended")
        except Exception as error:  # noqa: BLE001  # a program that fails at its start ends
            self._note(f"{self.name} failed: {type(error).__name__}")
        machine.kill()

    def _serving(self, machine: Machine, application: Application) -> Door:
        self.door = Door(machine, application, self._world)
        return self.door
