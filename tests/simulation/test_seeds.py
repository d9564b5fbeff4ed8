"""What must hold, holds after a hundred storms. A failure here prints how to replay its seed."""

from netvalve.simulation.runs import run_seeds

SEEDS = 100
HOURS = 0.15


def test_what_must_hold_holds_after_every_storm() -> None:
    told = [
        f"{report.replay}: {breach}"
        for report in run_seeds(0, SEEDS, HOURS)
        for breach in report.broken
    ]
    assert not told
