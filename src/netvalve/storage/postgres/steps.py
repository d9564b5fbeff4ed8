"""One statement of several named steps, which reads like what it does, one after the other."""


class Steps:
    """Puts a statement together.

    Steps that change rows have no order of their own. Where one may wait for another gateway, all
    gateways must come to it by the same way: such steps stand in line.
    """

    def __init__(self) -> None:
        self._steps: list[str] = []
        self._behind = "TRUE"

    def look(self, name: str, query: str) -> None:
        """What later steps read; worked out once."""
        self._steps.append(f"{name} AS MATERIALIZED ({query})")

    def change(self, name: str, change: str) -> None:
        """What changes rows that are locked already, or nobody else knows of."""
        self._steps.append(f"{name} AS ({change})")

    def in_line(self, name: str, change: str) -> None:
        """What may wait for others: it returns a row for each of its own.

        `{behind}` in its condition holds once the one before is done.
        """
        self.change(name, change.format(behind=self._behind))
        self._behind = behind(name)

    def ended_by(self, ending: str) -> str:
        """The whole statement."""
        return f"WITH {', '.join(self._steps)}\n{ending}"


def behind(name: str) -> str:
    """A condition: an earlier step is done. To count its rows all of them must be there."""
    return f"(SELECT count(*) FROM {name}) >= 0"
