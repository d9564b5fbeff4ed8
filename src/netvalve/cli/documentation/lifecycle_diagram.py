"""The picture of a transaction's life, drawn from the one table that decides it."""

from netvalve.domain.lifecycle import TRANSITIONS


def lifecycle_diagram() -> str:
    """A Mermaid state diagram with one arrow for each pair of states and its events."""
    events: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in TRANSITIONS.items():
        events.setdefault((state or "[*]", following), []).append(event)
    arrows = (
        f"    {state} --> {following}: {', '.join(names)}\n"
        for (state, following), names in events.items()
    )
    return f"```mermaid\nstateDiagram-v2\n{''.join(arrows)}```\n"
