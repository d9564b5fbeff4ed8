"""Rules of generated documentation: it says what the data says, and markers are needed."""

import re
from pathlib import Path

import pytest

from netvalve.cli.documentation.credentials_section import credentials_section
from netvalve.cli.documentation.lifecycle_diagram import lifecycle_diagram
from netvalve.cli.documentation.markdown import table
from netvalve.cli.documentation.page_set import Generated, with_sections
from netvalve.cli.documentation.settings_page import settings_page
from netvalve.cli.failure import Failure
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings
from netvalve.domain.lifecycle import CHANGES_NOTHING, TRANSITIONS

PROJECT = Path(__file__).parents[3]


def test_the_diagram_has_every_transition_and_no_other() -> None:
    drawn = set()
    for line in lifecycle_diagram().splitlines():
        arrow, _, events = line.strip().partition(": ")
        state, joined, following = arrow.partition(" --> ")
        if joined:
            drawn |= {(state, event, following) for event in events.split(", ")}
    assert drawn == {
        (state or "[*]", event, following) for (state, event), following in TRANSITIONS.items()
    }


def test_below_the_diagram_stands_what_changes_nothing() -> None:
    _, _, below = lifecycle_diagram().rpartition("```\n")
    assert all(f"`{event}`" in below for event in CHANGES_NOTHING)


def test_the_settings_page_lists_every_setting() -> None:
    page = settings_page()
    assert all(f"`NETVALVE_{name.upper()}`" in page for name in Settings.model_fields)


def test_the_credentials_section_lists_every_account() -> None:
    section = credentials_section()
    merchant = sandbox_merchant("127.0.0.1", 1)
    assert merchant.credentials.api_key in section
    for account in merchant.accounts:
        assert f"| `{account.mid_id}` | {account.name} | {account.currency} |" in section


def test_the_readme_shows_the_sandboxes_credentials() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    merchant = sandbox_merchant("127.0.0.1", 1)
    credentials = merchant.credentials
    assert readme.count(merchant.client.netvalve_client_id) == 3
    assert readme.count(credentials.api_key) == 3
    assert f"`{credentials.basic_user}`, `{credentials.basic_password}`" in readme


@pytest.mark.parametrize("file", ["runtime.in", "development.in"])
def test_every_direct_dependency_has_its_reason(file: str) -> None:
    reasons = (PROJECT / "docs/adr/0002-dependencies.md").read_text("utf-8")
    lines = (PROJECT / "requirements" / file).read_text("utf-8").splitlines()
    names = [re.split(r"[\[;]", line)[0].strip() for line in lines if line[0].isalpha()]
    assert names
    assert [name for name in names if f"| {name} | " not in reasons] == []


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |\n"


def test_a_section_replaces_what_is_between_its_markers_alone(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- life -->\nold\n<!-- /life -->\nafter\n")
    page = with_sections(file, {"life": "new \\1\n"})
    assert page.text == "before\n<!-- life -->\n\nnew \\1\n\n<!-- /life -->\nafter\n"
    assert not page.current
    page.write()
    assert with_sections(file, {"life": "new \\1\n"}).current


@pytest.mark.parametrize("text", ["none", "<!-- life -->", "<!-- life --><!-- /life -->" * 2])
def test_a_section_without_its_one_pair_of_markers_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(Failure, match="markers <!-- life -->"):
        with_sections(file, {"life": "new"})


def test_a_missing_page_is_not_current_and_is_written_with_its_folder(tmp_path: Path) -> None:
    page = Generated(tmp_path / "reference" / "page.md", "text\n")
    assert not page.current
    page.write()
    assert page.current
