"""What a run has come to, for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netvalve.simulation.world import World

_HISTORY_MAX = 40


@dataclass(frozen=True, slots=True)
class Report:
    """One seed's run."""

    seed: int
    hours: float
    digest: str
    transactions: int
    answers: Mapping[str, int]
    """By status and response code."""
    mishaps: Mapping[str, int]
    settled_after_s: float
    """How long after the storm the last transaction ended, in virtual seconds."""
    broken: tuple[str, ...]
    history: tuple[str, ...] = ()
    """Of the transaction that the first breach names."""

    @classmethod
    def of(cls, world: "World", broken: list[str]) -> "Report":
        """Everything that may be of interest."""
        evidence = world.evidence
        answers: dict[str, int] = {}
        for told in evidence.told:
            name = f"{told.status or 'none'} {told.code or '-'}"
            answers[name] = answers.get(name, 0) + 1
        return cls(
            seed=world.seed,
            hours=world.hours,
            digest=world.chronicle.digest,
            transactions=len(evidence.transactions),
            answers=dict(sorted(answers.items())),
            mishaps=dict(sorted(world.weather.happened.items())),
            settled_after_s=evidence.settled_after_s,
            broken=tuple(broken),
            history=_history(world, broken),
        )

    @property
    def replay(self) -> str:
        """The command that runs it again."""
        return f"netvalve simulate --seed {self.seed} --hours {self.hours:g}"


def _history(world: "World", broken: list[str]) -> tuple[str, ...]:
    """What the chronicle has of the transaction that the first breach names."""
    words = broken[0].split() if broken else []
    if "transaction" not in words[:-1]:
        return ()
    number = words[words.index("transaction") + 1].strip(",:")
    mark = f'"transactionID":{number},'
    lines = [line for line in world.chronicle.lines if mark in line or f"event ({number}," in line]
    return tuple(lines[:_HISTORY_MAX])
