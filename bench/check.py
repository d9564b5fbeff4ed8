"""The short form for continuous integration: ratios within one run, never a time. Pure.

The floors are far below what the gateway reaches, so that a busy machine does not fail a change,
and far above what a wait or a copy in the wrong place would leave.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.rounds import Round, median_over_plain, median_share

SHARE_MIN: Final = 0.25
"""Of the combined ceiling."""
OVER_PLAIN_MIN: Final = 0.5
"""Of pgbench with a commit for each write."""


def shortcomings(rounds: Sequence[Round]) -> Iterator[str]:
    """What is below its floor; a run that has measured nothing is, too."""
    if not rounds:
        yield "nothing was measured"
    for on in dict.fromkeys(each.on for each in rounds):
        share, over = median_share(rounds, on), median_over_plain(rounds, on)
        if share is not None and share < SHARE_MIN:
            yield f"{on}: {share:.0%} of the combined ceiling, less than {SHARE_MIN:.0%}"
        if over is not None and over < OVER_PLAIN_MIN:
            yield f"{on}: {over:.2f} times pgbench, less than {OVER_PLAIN_MIN}"
