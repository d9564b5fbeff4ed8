"""Every generated page and section, wherever its data lies, by its path below the docs folder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from netvalve.cli.documentation.command_page import command_page
from netvalve.cli.documentation.credentials_section import credentials_section
from netvalve.cli.documentation.lifecycle_diagram import lifecycle_diagram
from netvalve.cli.documentation.settings_page import settings_page
from netvalve.cli.failure import Failure


@dataclass(frozen=True, slots=True)
class Generated:
    """A file as it should be."""

    file: Path
    text: str

    @property
    def current(self) -> bool:
        """Whether the file is already so."""
        return self.file.is_file() and self.file.read_text("utf-8") == self.text

    def write(self) -> None:
        """Makes the file so."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.text, "utf-8")


def generated(folder: Path, app: typer.Typer) -> Iterator[Generated]:
    """Every file of the folder that is made, or partly made, from data."""
    for path, page in _pages(app).items():
        yield Generated(folder / path, page())
    for path, sections in _sections().items():
        yield with_sections(folder / path, sections)


def _pages(app: typer.Typer) -> Mapping[str, Callable[[], str]]:
    from netvalve.api.pages import PAGES as API_PAGES
    from netvalve.catalogue.pages import PAGES as CATALOGUE_PAGES

    return {
        **CATALOGUE_PAGES,
        **API_PAGES,
        "settings.md": settings_page,
        "reference/command-line.md": partial(command_page, app),
    }


def _sections() -> Mapping[str, Mapping[str, str]]:
    from netvalve.banks.testbank.pages import sections

    return {
        "architecture.md": {"lifecycle": lifecycle_diagram()},
        "sandbox.md": {"credentials": credentials_section(), **sections()},
    }


def with_sections(file: Path, sections: Mapping[str, str]) -> Generated:
    """The file with the text between each section's two markers replaced."""
    text = file.read_text("utf-8")
    for name, section in sections.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        if (text.count(opening), text.count(closing)) != (1, 1):
            raise Failure(f"{file} needs one pair of markers {opening} and {closing}")
        before, _, rest = text.partition(opening)
        _, _, after = rest.partition(closing)
        text = f"{before}{opening}\n\n{section.strip()}\n\n{closing}{after}"
    return Generated(file, text)
