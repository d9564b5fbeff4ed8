"""Mishaps: what happens to whole machines, and who starts them again."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from netvalve.simulation.bank import SimulatedBank
    from netvalve.simulation.gateway import SimulatedGateway
    from netvalve.simulation.world import World

_STEPS_MAX: Final = 400
"""A gateway is killed within so many steps, which may be between any two awaits."""
_STEPS_OF_A_REQUEST: Final = 10
_AWAY_S: Final = (1, 60, 1800)
_AWAY_LONG_S: Final = 10_800
"""How long a killed bank is away at most; for hours only where the storm lasts for hours."""
_CLOCK_STEPS_MS: Final = (-7_200_000, -90_000, -1_500, 1_500, 90_000, 7_200_000)


class Mishaps:
    """Lets happen what the climate holds, and keeps machines running otherwise."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._dice = Random(f"{world.seed} mishaps")  # noqa: S311  # chance that is to be repeated
        self._tasks: list[asyncio.Task[None]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._going_on = True

    def begin(self) -> None:
        """Start the gateways and the bad luck."""
        climate = self._world.weather.climate
        for gateway in self._world.gateways:
            self._keepers.append(self._world.loop.create_task(self._keep(gateway)))
        for pause_s, mishap in (
            (climate.gateway_killed_s, self._kill_gateway),
            (climate.gateway_stopped_s, self._stop_gateway),
            (climate.gateway_stalled_s, self._stall_gateway),
            (climate.bank_killed_s, self._kill_bank),
            (climate.network_away_s, self._cut_network),
            (climate.disk_full_s, self._fill_disk),
            (climate.clock_set_s, self._set_clock),
        ):
            if pause_s:
                self._tasks.append(self._world.loop.create_task(self._often(mishap, pause_s)))

    def end(self) -> None:
        """No more bad luck; what is down comes up again."""
        for task in self._tasks:
            task.cancel()
        self._world.weather.network_is_back()
        for bank in self._world.banks:
            if not bank.running:
                bank.start()
        for gateway in self._world.gateways:
            machine = gateway.machines[-1]
            machine.spare()
            self._world.loop.again(machine.wake())

    async def close(self) -> None:
        """End every gateway in good order, then every bank."""
        self._going_on = False
        for gateway in self._world.gateways:
            gateway.stop()
        await asyncio.gather(*self._keepers)
        if self._world.shared is not None:
            await self._world.shared.stop()
        for bank in self._world.banks:
            bank.kill()

    async def _keep(self, gateway: "SimulatedGateway") -> None:
        """Start it, and start it again whenever it has ended."""
        while self._going_on:
            gateway.start()
            await gateway.over()
            self._world.chronicle.note(f"{gateway.name} is down")
            self._world.verify_store()
            await asyncio.sleep(self._dice.uniform(0.1, 20))

    async def _often(self, mishap: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / pause_s))
            self._world.weather.happened[mishap.__name__.strip("_")] += 1
            self._world.chronicle.note(mishap.__name__.strip("_"))
            await mishap()

    def _gateway(self) -> "SimulatedGateway":
        return self._dice.choice(self._world.gateways)

    def _bank(self) -> "SimulatedBank":
        return self._dice.choice(self._world.banks)

    async def _kill_gateway(self) -> None:
        gateway = self._gateway()
        if gateway.running:
            machine = gateway.machines[-1]
            machine.after(self._dice.randrange(_STEPS_MAX), machine.kill)

    async def _stop_gateway(self) -> None:
        self._gateway().stop()

    async def _stall_gateway(self) -> None:
        """In the middle of a request: for a moment, for about a lease, or for long."""
        gateway = self._gateway()
        if gateway.door is None:
            return
        await gateway.door.next_request()
        machine = gateway.machines[-1]
        machine.after(self._dice.randrange(_STEPS_OF_A_REQUEST), machine.stall)
        await asyncio.sleep(self._dice.choice((0.2, 1, 1, 6)) * self._dice.uniform(5, 15))
        self._world.loop.again(machine.wake())

    async def _kill_bank(self) -> None:
        bank = self._bank()
        bank.kill()
        most_s = self._dice.choice(_AWAY_S if self._world.hours < 1 else (*_AWAY_S, _AWAY_LONG_S))
        await asyncio.sleep(most_s * self._dice.random())
        if not bank.running:
            bank.start()

    async def _cut_network(self) -> None:
        self._world.weather.network_away = True
        await asyncio.sleep(self._dice.uniform(1, 120))
        self._world.weather.network_is_back()

    async def _fill_disk(self) -> None:
        self._world.weather.full = True
        await asyncio.sleep(self._dice.uniform(1, 60))
        self._world.weather.full = False

    async def _set_clock(self) -> None:
        self._gateway().clock.step_ms += self._dice.choice(_CLOCK_STEPS_MS)
