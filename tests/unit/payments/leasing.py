"""A lease that holds, and runs out when a test says so."""


class PlayedLease:
    """Of a lease what those who send look at."""

    def __init__(self, term: int | None = 1) -> None:
        self.term = term

    def holds(self, term: int) -> bool:
        return term == self.term
