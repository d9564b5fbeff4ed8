"""Who writes: the node, and the epoch of its start that every row it opens carries."""

from dataclasses import dataclass
from typing import Final

KEPT_MS: Final = 86_400_000
"""How long the row of an ended lease is kept, for who wants to know which gateways ran."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A gateway's start. No two starts on one store have the same epoch."""

    node: str
    epoch: int
