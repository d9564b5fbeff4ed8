"""Logs: one JSON line an event, in UTC, with nothing in it that must not be seen.

A sandbox at a terminal gets short lines for people instead. What libraries log through the
standard library comes out the same way. No call of a log waits or raises, whatever becomes of
the line.
"""

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from netvalve.config import Settings
from netvalve.telemetry.line_writer import BATCH_BYTES, SHARED_BATCH_BYTES, LineWriter
from netvalve.telemetry.masking import mask_fields, mask_text
from netvalve.telemetry.node import this_node

_QUIET_LIBRARIES: Final = (
    "uvicorn.access",
    "uvicorn.error",
    "sqlalchemy.engine",
    "alembic",
    "asyncio",
)
"""They tell at `info` what the gateway tells itself, or nothing an operator asked for."""

_FRAMES_MAX: Final = 12
_REPEATED_S: Final = 60.0
_REMEMBERED_MAX: Final = 1000

Render = Callable[[object, str, EventDict], bytes]
"""Makes the line of an event from the logger, the method's name and the fields."""


def configure_logs(
    settings: Settings, *, sandbox: bool = False, shared: bool = False
) -> FilteringBoundLogger:
    """Sets up structlog and the standard library's logging for this process, once or again.

    What is `shared` with other processes is written so that no line comes into another's.

    Raises:
        OSError: the log file cannot be opened.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    for_people = sandbox and settings.log_file is None and sys.stderr.isatty()
    render = PeopleLines() if for_people else partial(_json_line, this_node())
    descriptor = _open(settings.log_file)
    _end_earlier()
    batch_bytes = SHARED_BATCH_BYTES if shared else BATCH_BYTES
    structlog.configure(
        processors=[partial(_told, render)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=LineWriter(descriptor, partial(_lost_line, render), batch_bytes),
        cache_logger_on_first_use=False,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    _forward_standard_library(logger, level)
    return logger.bind()


def lines_dropped() -> int:
    """How many lines found no room since the logs were configured."""
    writer = _writer()
    return writer.dropped if writer else 0


def _writer() -> LineWriter | None:
    writer = structlog.get_config()["logger_factory"]
    return writer if isinstance(writer, LineWriter) else None


def _end_earlier() -> None:
    writer = _writer()
    if writer:
        writer.close()


def _open(file: Path | None) -> int:
    """Appending, so that a rotation by copy and truncate loses nothing but its own moment."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    if sys.stderr is None:  # closed by who started us; its number may be a socket's by now
        return os.open(os.devnull, os.O_WRONLY)
    return os.dup(sys.stderr.fileno())


def _told(render: Render, logger: object, method: str, event: EventDict) -> bytes:
    """The line of an event; of one whose values cannot be shown, that it was there."""
    try:
        return render(logger, method, _add_exception(event))
    except structlog.DropEvent:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a value does when it is asked for its text
        return render(logger, method, {"event": "event_untold", "error": type(error).__name__})


def _lost_line(render: Render, count: int) -> bytes:
    return render(None, "warning", {"event": "log_lines_lost", "count": count})


def _add_exception(event: EventDict) -> EventDict:
    """`exc_info` becomes the exception's name, its message, and where it came from.

    The frames are named without their variables and without chained exceptions' contents.
    """
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if isinstance(given, tuple):
        error = given[1]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
        event["exception"] = f"{type(error).__name__}: {error}"
        event["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _json_line(node: str, _logger: object, method: str, event: EventDict) -> bytes:
    name = event.pop("event", "")
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": method,
        "event": mask_text(str(name)),
        "node": node,
        **mask_fields(event),
    }
    try:
        return orjson.dumps(line)
    except TypeError:  # half a surrogate pair, a number beyond 64 bits: a line all the same
        return json.dumps(line).encode()


class PeopleLines:
    """Short lines for a terminal. What was just said word for word is not said again."""

    def __init__(self) -> None:
        self._said_at_s: dict[str, float] = {}

    def __call__(self, _logger: object, method: str, event: EventDict) -> bytes:
        """One line, with the local time.

        Raises:
            DropEvent: the same was said within a minute.
        """
        name = mask_text(str(event.pop("event", "")))
        fields = " ".join(f"{key}={value}" for key, value in mask_fields(event).items())
        mark = "" if method in {"info", "debug"} else f"{method.upper()} "
        line = f"{mark}{name} {fields}".rstrip()
        self._drop_if_repeated(line)
        return f"{time.strftime('%H:%M:%S')} {line}".encode()

    def _drop_if_repeated(self, line: str) -> None:
        now_s = time.monotonic()
        if now_s - self._said_at_s.get(line, -_REPEATED_S) < _REPEATED_S:
            raise structlog.DropEvent
        if len(self._said_at_s) >= _REMEMBERED_MAX:
            self._said_at_s.clear()
        self._said_at_s[line] = now_s


class _Forward(logging.Handler):
    """Hands a standard library record on as an event."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one event; `logger` names where it came from."""
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001  # a message that does not fit its arguments
            event = "record_untold"
        self._logger.log(level, event, logger=record.name, exc_info=record.exc_info)


def _forward_standard_library(logger: FilteringBoundLogger, level: int) -> None:
    logging.basicConfig(handlers=[_Forward(logger)], level=level, force=True)
    logging.captureWarnings(capture=True)
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
