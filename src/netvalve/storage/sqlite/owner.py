"""Who writes: the node, and the epoch of its start that every row it opens carries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """A gateway's start. No two starts on one store have the same epoch."""

    node: str
    epoch: int
