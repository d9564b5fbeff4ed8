"""Making a world: what a seed decides before the first second."""

import logging
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import structlog
from structlog.typing import FilteringBoundLogger

from netvalve.banks.testbank.pace import Pace
from netvalve.bootstrap import Ground
from netvalve.config import Settings
from netvalve.simulation.bank import SimulatedBank
from netvalve.simulation.checks import Evidence
from netvalve.simulation.chronicle import Chronicle
from netvalve.simulation.clock import SteppedClock
from netvalve.simulation.disk import Disk
from netvalve.simulation.gateway import SimulatedGateway
from netvalve.simulation.loop import VirtualLoop
from netvalve.simulation.merchants import Merchant
from netvalve.simulation.premises import BANKS, KEY_RING, STORE_FILE, furnish
from netvalve.simulation.store import OwnStore, SharedStore
from netvalve.simulation.weather import Climate, DiskMood, Weather
from netvalve.simulation.world import World
from netvalve.telemetry.metrics import Metrics

_PAUSES_S: Final = (4, 30)
"""Between two acts of one merchant, on the average; a seed chooses."""
_POLL_S: Final = 1.5
"""How often workers look for work: seldom, since every look costs real time."""
_OWN_SETTINGS: Final = {"configuration_poll_s": 1.0, "sandbox_hold_day_s": 45.0}
"""A hold of seven days is over after five minutes."""
_BANK_LATENCIES_S: Final = (0.0, 0.0, 0.5, 6.0)
_SHARED: Final = 0.5
"""The share of seeds with two gateways at one store; the others have one that owns its file."""


def made(seed: int, hours: float, climate: Climate | None, home: Path, loop: VirtualLoop) -> World:
    """The world of a seed, before anything has happened in it."""
    dice = Random(f"{seed} world")  # noqa: S311  # chance that is to be repeated
    drawn = Climate.drawn(dice)
    weather = Weather(climate or drawn, Random(f"{seed} weather"))  # noqa: S311
    return _made(seed, hours, home, loop=loop, weather=weather, dice=dice)


def _made(
    seed: int, hours: float, home: Path, *, loop: VirtualLoop, weather: Weather, dice: Random
) -> World:
    identities = furnish(home)
    loop.network.weather = weather
    chronicle, clock = Chronicle(loop), SteppedClock(loop)
    banks = tuple(
        SimulatedBank(
            name,
            home / name,
            clock,
            Disk(DiskMood(weather)),
            Pace(latency_s=dice.choice(_BANK_LATENCIES_S)),
        )
        for name in BANKS
    )
    world = World(
        seed=seed,
        hours=hours,
        home=home,
        loop=loop,
        chronicle=chronicle,
        weather=weather,
        shared=None,
        banks=banks,
        gateways=(),
        merchants=(),
        evidence=Evidence(),
        dice=dice,
    )
    ground = _ground(home, clock, dice, _log_into(chronicle))
    disk = Disk(DiskMood(weather))
    if dice.random() < _SHARED:
        world.shared = SharedStore(disk, ground)
    storage = world.shared or OwnStore(disk)
    world.gateways = tuple(
        SimulatedGateway(name, ground, SteppedClock(loop), storage, chronicle.note)
        for name in (("one", "two") if world.shared else ("one",))
    )
    world.merchants = tuple(
        Merchant(identity, world, Random(f"{seed} {identity.name}"), dice.uniform(*_PAUSES_S))  # noqa: S311
        for identity in identities
    )
    return world


def _ground(home: Path, clock: SteppedClock, dice: Random, log: FilteringBoundLogger) -> Ground:
    """What a gateway stands on: defaults throughout, whatever the environment says."""
    trace_ids, jitter = Random(dice.random()), Random(dice.random())  # noqa: S311
    return Ground(
        settings=_settings(home),
        key_ring=KEY_RING,
        clock=clock,
        metrics=Metrics(),
        log=log,
        new_trace_id=lambda: str(UUID(int=trace_ids.getrandbits(128), version=4)),
        jitter=jitter.random,
        forwards_poll_s=_POLL_S,
        take_over_poll_s=_POLL_S,
    )


def _settings(home: Path) -> Settings:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(
        **{**defaults, **_OWN_SETTINGS, "home": home, "database": f"sqlite:///{home / STORE_FILE}"}
    )


def _log_into(chronicle: Chronicle) -> FilteringBoundLogger:
    """What an operator would be warned of is a part of what happened."""

    def noted(_logger: object, method: str, event: Any) -> Any:
        chronicle.note(f"{method} {sorted(event.items())}")
        raise structlog.DropEvent

    log: FilteringBoundLogger = structlog.wrap_logger(
        None,
        processors=[noted],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    return log
