"""How fast the bank answers; an operator may change it while it runs."""

from dataclasses import dataclass
from typing import Final

LATE_S: Final = 30.0
"""Later than any operation of the gateway waits."""
DELAY_MAX_S: Final = 600.0


@dataclass(slots=True)
class Pace:
    """The delays that are not a fault's own."""

    latency_s: float = 0.0
    """Every answer takes this long, from its booking on."""
    late_s: float = LATE_S
    """How late a late answer is where its fault does not say."""
