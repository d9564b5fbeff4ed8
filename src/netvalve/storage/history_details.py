"""What a step's detail in the history tells."""

from netvalve.domain.journal import Closing


def by_hand(reason: str) -> str:
    """That an operator took the step."""
    return f"by hand: {reason}"


def detail_of(closing: Closing) -> str | None:
    """The response code, so that it stands in a row of its own; by whom, where no bank said it."""
    if closing.outcome is None:
        return None
    code = closing.outcome.response_code
    return code if closing.reason is None else f"{code} {by_hand(closing.reason)}"
