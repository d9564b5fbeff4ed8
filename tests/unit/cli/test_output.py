"""Rules of what commands print and of the lists they take."""

import errno
import json

import pytest

from netvalve.cli.failure import Failure, failure_of, naming_ports
from netvalve.cli.moment import utc_text
from netvalve.cli.name_list import name_list
from netvalve.cli.output import show_record, show_rows
from netvalve.domain.client import Permission

ROWS = [{"mid_id": 1, "names": ["a", "b"], "enabled": True, "site_id": None}]


def test_a_table_has_a_heading_and_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, as_json=False)
    heading, _rule, line = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "mid id"
    assert line.split() == ["1", "a,", "b", "yes"]


def test_a_wide_table_in_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{"text": "x" * 500}], as_json=False)
    assert "x" * 500 in capsys.readouterr().out


def test_json_is_the_rows_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_an_empty_list_is_said_to_people_and_is_empty_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_rows([], as_json=False)
    show_rows([], as_json=True)
    assert capsys.readouterr().out == "Nothing to list.\n[]\n"


def test_a_record_leaves_out_what_it_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    show_record({"rrn": "431312503613", "auth_code": None}, as_json=False)
    assert capsys.readouterr().out == "rrn        431312503613\n"


def test_names_are_taken_in_any_case_and_none_is_the_empty_list() -> None:
    assert name_list("REBILL, partial_refund", Permission) == {
        Permission.REBILL,
        Permission.PARTIAL_REFUND,
    }
    assert name_list("none", Permission) == frozenset()


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(Failure, match=r"unknown: fly; there are partial_capture.*none"):
        name_list("rebill,fly", Permission)


def test_a_time_is_shown_in_utc() -> None:
    assert utc_text(1_732_280_400_120) == "2024-11-22T13:00:00.120Z"
    assert utc_text(None) is None


def test_a_taken_port_is_named_with_its_setting() -> None:
    with (
        pytest.raises(Failure, match=r"port 80 on ::1 is in use.*NETVALVE_PORT"),
        naming_ports("::1", port=80),
    ):
        raise OSError(errno.EADDRINUSE, "Address already in use")


def test_a_bug_is_not_dressed_as_a_mistake() -> None:
    assert failure_of(KeyError("x")) is None
    assert str(failure_of(PermissionError(13, "Permission denied", "/var"))) == (
        "/var: Permission denied"
    )
