"""The test bank's tables: its cards, its faults, its postal codes and the layout of its book."""

from importlib import resources

from netvalve.catalogue.tables import Source


def data_file(name: str) -> Source:
    """Reads a file of this folder, which is part of the installed package."""
    return Source(name, (resources.files(__name__) / name).read_text(encoding="utf-8"))
