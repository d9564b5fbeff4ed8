"""One answer to one request, and how it is encoded."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import orjson

JSON: Final = b"application/json"

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Code and transaction are for the log: what was told, never what was asked."""

    status: int
    body: bytes
    content_type: bytes = JSON
    code: str | None = None
    transaction_id: int | None = None
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An answer that is made while it is sent."""

    content_type: bytes
    first: bytes
    """Made before its head is sent: what keeps it from being made can still be told."""
    chunks: AsyncGenerator[bytes, None]
    """What follows."""
    headers: tuple[Header, ...] = ()
    status: int = 200
    code: str | None = None
    transaction_id: int | None = None


def json_answer(
    body: object, *, status: int = 200, code: str | None = None, transaction_id: int | None = None
) -> Answer:
    """An answer in JSON; integers beyond 64 bits do not occur."""
    return Answer(status, orjson.dumps(body), JSON, code, transaction_id)


def known(body: dict[str, object]) -> dict[str, object]:
    """The body without what is not known: null properties are left out of answers."""
    return {name: value for name, value in body.items() if value is not None}
