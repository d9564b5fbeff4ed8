"""The simulation can fail: a gateway without one of its guards is found, the whole one passes."""

from collections.abc import Iterator
from itertools import chain

import pytest

from netvalve.simulation.run import simulate
from netvalve.simulation.weather import Climate
from simulation.mutants import MUTANTS, Mutant, whole, with_forgetful_bank

HOURS = 0.15
SEEDS = {
    "without_commit_before_answer": (19, 24),
    "without_identity_of_repeat": (0, 1),
    "without_key": (6, 17),
    "without_late_answer": (31, 33),
    "without_lease_epoch": (252, 269),
    "without_money_guard": (0, 1),
    "without_one_in_flight": (6, 8),
    "without_pending_guard": (1, 13),
    "without_reversal": (0, 1),
    "without_take_over": (0, 1),
    "without_uniqueness": (0, 1),
    "without_unknown_outcome": (0, 1),
}
"""Seeds that were seen to find a mutant: a beginning. What a run does may have changed since, so
that others are tried after them."""
OTHERS = 60
CLIMATES = {"without_lease_epoch": Climate.of(gateway_stalled_s=3.0, lost=0.25)}
"""The owner of a row matters in one moment alone: a gateway that has opened a follow-up stands
still before it sends, beyond its lease, and wakes while another one waits for the bank's answer. A
storm of stalls and lost answers meets it often enough."""
CONTROLS = {"without_late_answer": with_forgetful_bank}
"""What the whole gateway copes with, where a mutant is more than the gateway without a guard."""


def candidates(name: str) -> Iterator[int]:
    """Known seeds, then others."""
    first = 200 if name in CLIMATES else 0
    return chain(SEEDS[name], range(first, first + OTHERS))


def broken(name: str, seed: int, gateway: Mutant) -> tuple[str, ...]:
    """What does not hold after the mutant's storm."""
    with gateway():
        return simulate(seed, HOURS, CLIMATES.get(name)).broken


def test_every_mutant_has_its_seeds() -> None:
    assert SEEDS.keys() == MUTANTS.keys()


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_gateway_without_a_guard_is_found_by_a_seed_that_the_whole_one_passes(name: str) -> None:
    control = CONTROLS.get(name, whole)
    for seed in candidates(name):
        if broken(name, seed, MUTANTS[name]) and not broken(name, seed, control):
            assert broken(name, seed, whole) == ()
            return
    pytest.fail("no seed finds it")
