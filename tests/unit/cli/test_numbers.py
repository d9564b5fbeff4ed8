"""A number that no row can have is refused before anything is looked up."""

import pytest
from typer.testing import CliRunner

from netvalve.cli.main import app

NAMES = (
    ("transaction", "show", "{}"),
    ("transaction", "resolve", "{}", "--as", "approved", "--reason", "a letter"),
    ("order", "show", "{}"),
    ("client", "enable", "{}"),
    ("transaction", "list", "--pending", "--first", "{}"),
    ("account", "set", "{}", "--enabled"),
    ("account", "add", "1", "{}", "--name", "A", "--currency", "USD"),
    ("key", "revoke", "{}"),
)


@pytest.mark.parametrize("command", NAMES, ids=" ".join)
@pytest.mark.parametrize("number", ["0", str(2**53), "99999999999999999999999"])
def test_a_number_out_of_range_is_told_as_such(command: tuple[str, ...], number: str) -> None:
    done = CliRunner().invoke(app, [each.format(number) for each in command])
    assert done.exit_code == 2
    assert "Input should be" in done.output
