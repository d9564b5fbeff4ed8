"""Rules of showing settings: where each is from, what is wrong, and no password."""

from pathlib import Path

import pytest

from netvalve.cli.failure import Failure
from netvalve.cli.settings import SettingRow, load_settings, setting_rows, unknown_variables
from netvalve.config import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def row(name: str) -> SettingRow:
    return next(each for each in setting_rows(load_settings()) if each.name == name)


def test_every_setting_has_a_row_with_a_variable_and_a_purpose() -> None:
    rows = list(setting_rows(load_settings()))
    assert [each.name for each in rows] == list(Settings.model_fields)
    assert all(each.purpose and each.variable == f"NETVALVE_{each.name.upper()}" for each in rows)


def test_a_row_says_where_its_value_is_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "netvalve.toml").write_text('port = 9000\nhost = "127.0.0.2"\n')
    monkeypatch.setenv("NETVALVE_HOST", "127.0.0.3")
    assert (row("port").value, row("port").source) == ("9000", "netvalve.toml")
    assert (row("host").value, row("host").source) == ("127.0.0.3", "environment")
    assert (row("home").value, row("home").source) == ("var", "default")


def test_zero_is_shown_and_nothing_is_shown_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETVALVE_PORT", "0")
    assert row("port").value == "0"
    assert row("log_file").value == ""


def test_a_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETVALVE_DATABASE", "postgresql://nv:hidden@db/netvalve")
    assert row("database").value == "postgresql://nv:***@db/netvalve"


def test_a_wrong_value_names_its_setting_and_does_not_repeat_the_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NETVALVE_PORT", "eighty")
    with pytest.raises(Failure, match=r"setting port \(NETVALVE_PORT\)") as caught:
        load_settings()
    assert "eighty" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("prot = 1", "unknown setting: prot"), ("port =", "not valid TOML")]
)
def test_a_wrong_file_is_named(folder: Path, text: str, said: str) -> None:
    (folder / "netvalve.toml").write_text(text)
    with pytest.raises(Failure, match=f"netvalve.toml.*{said}"):
        load_settings()


def test_a_misspelled_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETVALVE_PROT", "1")
    monkeypatch.setenv("NETVALVE_PORT", "1")
    monkeypatch.setenv("NETVALVE_SETTINGS", "none.toml")
    assert "NETVALVE_PROT" in unknown_variables()
    assert not {"NETVALVE_PORT", "NETVALVE_SETTINGS"} & set(unknown_variables())
