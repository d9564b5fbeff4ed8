"""The weather: which faults there are in a run, how often, and when the storm is over.

A seed draws its climate first: some faults often, some seldom, some not at all, for what breaks
a program is as often the lack of a fault that hides another.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from random import Random
from typing import Final

from netvalve.simulation.disk import DiskFault
from netvalve.simulation.network import Fate

_UNREADABLE: Final = 0x80
"""No byte of a message but those of the bitmaps has this bit."""
_HEADER_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Climate:
    """How often what happens: of messages and statements the share, of mishaps the mean pause."""

    lost: float
    late: float
    doubled: float
    reordered: float
    garbled: float
    half: float
    cut_before: float
    cut_after: float
    slow_disk: float
    full_at_commit: float
    broken_before_commit: float
    broken_after_commit: float
    full_at_write: float
    answer_lost: float
    gateway_killed_s: float
    gateway_stopped_s: float
    gateway_stalled_s: float
    bank_killed_s: float
    network_away_s: float
    disk_full_s: float
    clock_set_s: float

    @classmethod
    def of(cls, **faults: float) -> "Climate":
        """These faults and no others."""
        return cls(**{field.name: faults.pop(field.name, 0.0) for field in fields(cls)}, **faults)

    @classmethod
    def drawn(cls, dice: Random) -> "Climate":
        """A seed's own."""
        return cls(**{field.name: _drawn(field.name, dice) for field in fields(cls)})


def _drawn(name: str, dice: Random) -> float:
    """Half of the faults are missing. Of a mishap 0 means never."""
    present, measure = dice.random() < 0.5, dice.random()
    if not present:
        return 0.0
    return 20 + 280 * measure if name.endswith("_s") else 0.005 + 0.06 * measure**2


class Weather:
    """Decides about every message and every statement, one after the other, by its own dice."""

    def __init__(self, climate: Climate, dice: Random) -> None:
        self.climate = climate
        self.happened: Counter[str] = Counter()
        self.storm = True
        self.network_away = False
        self.full = False
        self._dice = dice

    def calm_down(self) -> None:
        """No more faults."""
        self.storm = self.full = False

    def network_is_back(self) -> None:
        """Messages get through again."""
        self.network_away = False

    def reachable(self) -> bool:
        """Whether anything gets through."""
        return not self.network_away

    def hits(self, fault: str) -> bool:
        """Whether a fault happens now; counts it."""
        share: float = getattr(self.climate, fault)
        if not self.storm or not share or self._dice.random() >= share:
            return False
        self.happened[fault] += 1
        return True

    def between_s(self, least_s: float, most_s: float) -> float:
        """Any time between two."""
        return self._dice.uniform(least_s, most_s)

    def latency_s(self) -> float:
        """How long a message takes where nothing happens to it."""
        return self._dice.uniform(0.001, 0.03)

    def fate(self, data: bytes) -> Fate:
        """What becomes of a message: the first fault that hits it."""
        fault = next(filter(self.hits, _FATES), None)
        usual_s = self.latency_s()
        return _FATES[fault](self, usual_s, data) if fault else Fate(((usual_s, data),))


_FATES: Final[Mapping[str, Callable[[Weather, float, bytes], Fate]]] = {
    "lost": lambda *_: Fate(()),
    "late": lambda weather, _, data: Fate(((weather.between_s(1, 90), data),), in_order=False),
    "doubled": lambda weather, usual_s, data: Fate(
        ((usual_s, data), (weather.between_s(0.1, 60), data)), in_order=False
    ),
    "reordered": lambda weather, _, data: Fate(
        ((weather.between_s(0.05, 1), data),), in_order=False
    ),
    "garbled": lambda _, usual_s, data: Fate(((usual_s, _garbled(data)),)),
    "half": lambda _, usual_s, data: Fate(((usual_s, data[: len(data) // 2]),), cut=True),
    "cut_before": lambda *_: Fate((), cut=True),
    "cut_after": lambda _, usual_s, data: Fate(((usual_s, data),), cut=True),
}


class DiskMood:
    """A disk's weather."""

    def __init__(self, weather: Weather, *, fails: bool = True) -> None:
        self._weather, self._fails = weather, fails

    def delays_s(self) -> tuple[float, float]:
        """A few milliseconds, or what a worn disk takes."""
        weather = self._weather
        if weather.hits("slow_disk"):
            return weather.between_s(0.1, 20), weather.between_s(0, 5)
        return weather.between_s(0.0002, 0.004), weather.between_s(0, 0.001)

    def fault_of_commit(self) -> DiskFault | None:
        """What a commit meets."""
        weather = self._weather
        if not self._fails:
            return None
        if weather.full or weather.hits("full_at_commit"):
            return DiskFault.FULL
        if weather.hits("broken_before_commit"):
            return DiskFault.BROKEN_BEFORE
        return DiskFault.BROKEN_AFTER if weather.hits("broken_after_commit") else None

    def fault_of_write(self) -> DiskFault | None:
        """What a statement that writes meets."""
        weather = self._weather
        fails = self._fails and (weather.full or weather.hits("full_at_write"))
        return DiskFault.FULL if fails else None


def _garbled(data: bytes) -> bytes:
    header, body = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    return header + bytes(byte | _UNREADABLE for byte in body)
