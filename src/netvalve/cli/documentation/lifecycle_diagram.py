"""The picture of a transaction's life, drawn from the one table that decides it."""

from netvalve.domain.lifecycle import CHANGES_NOTHING, TRANSITIONS, State


def lifecycle_diagram() -> str:
    """A Mermaid state diagram with one arrow for each pair of states and its events.

    What changes nothing would be an arrow from each state to itself: it is told in a line below.
    """
    events: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in TRANSITIONS.items():
        events.setdefault((state or "[*]", following), []).append(event)
    arrows = (
        f"    {state} --> {following}: {', '.join(names)}\n"
        for (state, following), names in events.items()
    )
    kept = " and ".join(f"`{event}`" for event in sorted(CHANGES_NOTHING))
    return (
        f"```mermaid\nstateDiagram-v2\n{''.join(arrows)}```\n\n"
        f"In every state but `{State.PENDING}`, {kept} stay in the history and change nothing.\n"
    )
