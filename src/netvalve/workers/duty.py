"""What a supervisor and a worker say to each other, over the worker's standard streams.

Down goes one line, the duty, and then nothing: the end of the stream says that the supervisor is
gone, however it went. Up goes one line for each word.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import IO, Any, Self

import orjson


class Word(StrEnum):
    """What a worker says."""

    LISTENING = "listening"
    """Takes requests from now on."""
    ENDING = "ending"
    """Takes no new ones from now on, and finishes what it has taken."""
    FAILED = "failed"
    """Ends; why follows."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What one worker is to do."""

    slot: int
    listener: int
    """The descriptor of a bound socket, which it has inherited."""
    metrics: str
    """The folder to count in."""
    settings: Mapping[str, Any]
    """The supervisor's own: a file that has changed since makes no worker unlike the others."""

    def line(self) -> bytes:
        """As it goes down."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def read(cls, stream: IO[bytes]) -> Self:
        """As it came down.

        Raises:
            EOFError: the supervisor was gone before it said anything.
        """
        line = stream.readline()
        if not line:
            raise EOFError
        return cls(**orjson.loads(line))


def say(word: Word, why: str = "") -> None:
    """Says it to the supervisor, if there still is one."""
    line = " ".join(f"{word} {why}".split())
    with suppress(OSError):
        os.write(sys.stdout.fileno(), line.encode() + b"\n")


def heard(line: bytes) -> tuple[Word, str]:
    """The word and what follows it."""
    word, _, why = line.decode().strip().partition(" ")
    return Word(word), why
