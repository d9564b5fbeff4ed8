"""The example files in `deploy/`, which the drill runs as they are."""

from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / "deploy"


def deployed(name: str) -> Path:
    """An example file."""
    return _FOLDER / name


def settings_of(name: str) -> Mapping[str, str]:
    """What a file of environment variables sets."""
    lines = (each.strip() for each in deployed(name).read_text().splitlines())
    pairs = (each.partition("=") for each in lines if each and not each.startswith("#"))
    return {name: value for name, _, value in pairs}
