"""Logs: one JSON line an event, in UTC, with nothing in it that must not be seen.

A sandbox at a terminal gets short lines for people instead. What libraries log through the
standard library comes out the same way.
"""

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from netvalve.config import Settings
from netvalve.telemetry.masking import mask_fields, mask_text

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


def configure_logs(settings: Settings, *, sandbox: bool = False) -> FilteringBoundLogger:
    """Sets up structlog and the standard library's logging for this process, once or again.

    Raises:
        OSError: the log file cannot be opened.
    """
    stream = _open(settings.log_file)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    for_people = sandbox and settings.log_file is None and sys.stderr.isatty()
    structlog.configure(
        processors=[_add_exception, PeopleLines() if for_people else _json_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    _forward_standard_library(logger, level)
    return logger.bind()


def _open(file: Path | None) -> BinaryIO:
    """Appending, so that a rotation by copy and truncate loses nothing but its own moment."""
    if file is None:
        return sys.stderr.buffer
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open("ab", buffering=0)


def _add_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
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


def _json_line(_logger: object, method: str, event: EventDict) -> bytes:
    name = event.pop("event", "")
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": method,
        "event": mask_text(str(name)),
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
        self._logger.log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )


def _forward_standard_library(logger: FilteringBoundLogger, level: int) -> None:
    logging.basicConfig(handlers=[_Forward(logger)], level=level, force=True)
    logging.captureWarnings(capture=True)
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
