"""Rules of the log: one JSON line an event, nothing secret in it, quick."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from pydantic import BaseModel, ValidationError

from netvalve.config import Settings
from netvalve.domain.card import CardNumber, passes_luhn
from netvalve.telemetry.line_writer import LineWriter
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.masking import HIDDEN, looks_secret, mask_fields, mask_text
from netvalve.telemetry.node import this_node

CARD = "4012000098765439"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    writer = structlog.get_config()["logger_factory"]
    if isinstance(writer, LineWriter):
        writer.close()
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Logs into a file; gives a function that reads it."""
    file = tmp_path / "gateway.log"
    configure_logs(Settings(log_file=file))

    def read() -> list[dict[str, object]]:
        written()
        return [json.loads(line) for line in file.read_text().splitlines()]

    return read


def written() -> None:
    """Waits for the lines so far."""
    assert structlog.get_config()["logger_factory"].flush(5)


def test_an_event_is_one_line_with_time_level_and_name(
    lines: Lines,
) -> None:
    structlog.get_logger().info("payment closed", code="GTW_1000", transaction_id=47)
    (line,) = lines()
    assert list(line)[:3] == ["time", "level", "event"]
    assert (line["level"], line["event"]) == ("info", "payment closed")
    assert (line["code"], line["transaction_id"]) == ("GTW_1000", 47)
    at = datetime.fromisoformat(str(line["time"]))
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=10)


def test_every_line_says_its_node(lines: Lines) -> None:
    structlog.get_logger().info("ours")
    logging.getLogger("library").warning("another's")
    assert [line["node"] for line in lines()] == [this_node()] * 2


def test_no_value_keeps_an_event_from_being_written(lines: Lines) -> None:
    structlog.get_logger().info("odd", text="\ud800", big_id=2**70, thing=object())
    (line,) = lines()
    assert (line["text"], line["big_id"]) == ("\ud800", 2**70)


def test_a_value_that_cannot_be_shown_costs_its_event_and_nothing_else(lines: Lines) -> None:
    class Broken:
        def __str__(self) -> str:
            raise OSError("no text")

    knot: list[object] = []
    knot.append(knot)
    structlog.get_logger().warning("odd", thing=Broken())
    structlog.get_logger().warning("odd", thing=knot)
    assert [(line["event"], line["error"]) for line in lines()] == [
        ("event_untold", "OSError"),
        ("event_untold", "RecursionError"),
    ]


def test_a_record_that_cannot_be_told_is_named_by_its_logger(lines: Lines) -> None:
    (forward, *_) = logging.getLogger().handlers
    odd = {"name": "library", "msg": "%d of", "args": ("seven",), "levelno": logging.WARNING}
    forward.emit(logging.makeLogRecord(odd))
    logging.getLogger("library").log(35, "between two levels")
    first, second = lines()
    assert (first["event"], first["logger"]) == ("record_untold", "library")
    assert (second["event"], second["level"]) == ("between two levels", "warning")


def test_events_below_the_level_are_not_written(
    lines: Lines,
) -> None:
    structlog.get_logger().debug("too small")
    logging.getLogger("library").debug("too small")
    assert lines() == []


def test_an_exception_is_told_without_the_variables_of_its_frames(
    lines: Lines,
) -> None:
    unseen = "not-for-the-log"

    def fail(variable: str) -> None:
        raise RuntimeError(f"card {CARD}") from ValueError(variable)

    try:
        fail(unseen)
    except RuntimeError:
        structlog.get_logger().exception("broke")
    (line,) = lines()
    assert line["exception"] == "RuntimeError: card 401200******5439"
    assert "test_logs.py" in str(line["frames"])
    assert unseen not in json.dumps(line)


def test_a_validation_message_does_not_quote_its_input() -> None:
    class Request(BaseModel):
        code: int

    with pytest.raises(ValidationError) as caught:
        Request.model_validate({"code": "99x"})
    assert "99x" in str(caught.value)
    assert "99x" not in mask_text(str(caught.value))


def test_libraries_and_warnings_come_out_the_same_way(
    lines: Lines,
) -> None:
    logging.getLogger("library").warning("seen %s", CARD)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("an old way", UserWarning, stacklevel=1)
    first, second = lines()
    assert (first["logger"], first["event"]) == ("library", "seen 401200******5439")
    assert second["logger"] == "py.warnings"


@pytest.mark.parametrize(
    "written", [CARD, "4012 0000 9876 5439", "4012-0000-9876-5439", f"x{CARD}y", f"pan={CARD};"]
)
def test_a_card_number_is_masked_however_it_is_written(written: str) -> None:
    hidden = mask_text(f"before {written} after")
    assert "401200******5439" in hidden
    assert "98765" not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


@pytest.mark.parametrize("digits", ["4222222222222", "371449635392376", "4000000000000000006"])
def test_every_length_of_a_card_number_is_masked(digits: str) -> None:
    assert passes_luhn(digits)
    assert mask_text(digits) == f"{digits[:6]}******{digits[-4:]}"


def test_a_card_number_in_another_script_s_digits_is_masked_too() -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in "4012000098765439")
    assert mask_text(f"card {wide}") == "card 401200******5439"


def test_digits_that_are_no_card_stay() -> None:
    trace = "8baeb75c-044f-43bb-a874-ce71049533a6"
    assert mask_text(f"{trace} 4012000098765438 431312503613") == (
        f"{trace} 4012000098765438 431312503613"
    )


def test_a_longer_run_of_digits_is_hidden_whole_for_a_card_may_lie_in_it() -> None:
    assert mask_text(f"0100{CARD}000000") == HIDDEN


def test_what_is_nested_is_masked_as_well() -> None:
    fields = mask_fields(
        {"body": {"cardSecurityCode": "999", "rows": [CARD, int(CARD), None, True, 1.5]}}
    )
    masked = "401200******5439"
    assert fields == {
        "body": {"cardSecurityCode": HIDDEN, "rows": [masked, masked, None, True, 1.5]}
    }


def test_an_identifier_that_looks_like_a_card_is_still_the_identifier() -> None:
    names = ("transaction_id", "transactionID", "orderId")
    assert mask_fields({**dict.fromkeys(names, int(CARD)), "amount": int(CARD)}) == {
        **dict.fromkeys(names, int(CARD)),
        "amount": "401200******5439",
    }


def test_other_objects_are_written_as_their_text() -> None:
    assert mask_fields({"number": CardNumber(CARD), "error": OSError(f"bad {CARD}")}) == {
        "number": "<CardNumber>",
        "error": "bad 401200******5439",
    }


@pytest.mark.parametrize(
    "name",
    ["api_key", "netvalve-api-key", "Authorization", "basic_password", "cardSecurityCode", "CVV2",
     "cardNumber", "PAN", "paymentToken", "pepper", "Set-Cookie"],
)  # fmt: skip
def test_names_of_secrets_are_known_in_any_spelling(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["cvv2_result", "key_id", "key_version", "company", "span", "token_type"]
)
def test_names_beside_secrets_are_not_secret(name: str) -> None:
    assert not looks_secret(name)


def test_a_sandbox_at_a_terminal_gets_a_line_for_people_and_no_repetition(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    log = configure_logs(Settings(), sandbox=True)
    for bank in ("TSYS", "TSYS", "RYVYL"):
        log.warning("link down", bank=bank)
    written()
    first, second = capfdbinary.readouterr().err.decode().splitlines()
    assert first.partition(" ")[2] == "WARNING link down bank=TSYS"
    assert second.endswith("bank=RYVYL")


def test_a_pipe_gets_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logs(Settings(), sandbox=True).warning("link down")
    written()
    assert json.loads(capfdbinary.readouterr().err)["event"] == "link down"
