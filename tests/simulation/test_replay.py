"""A seed replays its run to the byte."""

import os
import subprocess
import sys

import orjson
import pytest

from netvalve.simulation.report import Report
from netvalve.simulation.run import simulate

HOURS = 0.1


def replayed(seed: int, hash_seed: int) -> dict[str, object]:
    """The report of a run in a process of its own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "netvalve.cli", "simulate", "--json"),
            *("--seed", str(seed), "--hours", str(HOURS)),
        ],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        check=True,
    )
    report: dict[str, object] = orjson.loads(done.stdout)
    return report


@pytest.mark.parametrize("seed", [1, 4])
def test_a_seed_gives_the_same_run_in_every_process(seed: int) -> None:
    first, second = replayed(seed, hash_seed=1), replayed(seed, hash_seed=2)
    assert first == second
    assert first["transactions"] > 10  # type: ignore[operator]


def test_a_seed_gives_the_same_run_twice_in_one_process() -> None:
    assert simulate(2, HOURS) == simulate(2, HOURS)


def test_another_seed_gives_another_run() -> None:
    runs: list[Report] = [simulate(seed, HOURS) for seed in (2, 3)]
    assert runs[0].digest != runs[1].digest


def test_many_seeds_meet_every_fault_and_every_kind_of_answer() -> None:
    """A storm without a fault proves nothing of it."""
    mishaps: set[str] = set()
    answers: set[str] = set()
    for seed in range(12):
        report = simulate(seed, HOURS)
        mishaps.update(report.mishaps)
        answers.update(report.answers)
    assert {"lost", "late", "doubled", "reordered", "garbled", "half"} <= mishaps
    assert {"cut_before", "cut_after", "kill_gateway", "stall_gateway", "kill_bank"} <= mishaps
    assert {"slow_disk", "full_at_commit", "broken_after_commit", "answer_lost"} <= mishaps
    assert {"200 GTW_1000", "200 GTW_1002", "200 GTW_2054", "200 GTW_2065", "503 GTW_9999"} <= (
        answers
    )
    assert "500 GTW_9999" not in answers
