"""HTTP/1.1 as it comes over the socket: how much head is taken, and what broken HTTP is told."""

import time
from typing import Final
from uuid import uuid4

from structlog.typing import FilteringBoundLogger
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from netvalve.api.answers import failures
from netvalve.api.answers.answer import Answer
from netvalve.api.answers.failures import Failure, failure_answer

HEADERS_MAX: Final = 100


class _HeadTooLargeError(Exception):
    """Raised inside the parser, which stops at it."""


class _LimitedProtocol(HttpToolsProtocol):
    """Refuses a head that is too large, and answers in the contract's shape."""

    head_bytes_max: int
    log: FilteringBoundLogger

    _head_bytes = 0
    """Of the head that is being read, as far as the parser has told."""
    _unread_bytes = 0
    """Received since the head began and not told yet: a name or value without an end."""
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Some bytes came in."""
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._unread_bytes > self.head_bytes_max:
            self._refuse(failures.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= HEADERS_MAX:
            raise _HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._unread_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole; what follows is another head."""
        self._in_head, self._unread_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser has given up."""
        del msg
        too_large = self._head_bytes > self.head_bytes_max or (
            self.headers is not None and len(self.headers) >= HEADERS_MAX
        )
        self._refuse(failures.HEAD_TOO_LARGE if too_large else failures.BROKEN_HTTP)

    def _count(self, bytes_more: int) -> None:
        self._head_bytes += bytes_more
        if self._head_bytes > self.head_bytes_max:
            raise _HeadTooLargeError

    def _refuse(self, failure: Failure) -> None:
        """Answers and closes; requests already taken on this connection are answered alone."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        trace_id = str(uuid4())
        self.log.info("refused", traceID=trace_id, status=failure.status)
        if cycle is None or cycle.response_complete or not cycle.response_started:
            answer = failure_answer(failure, trace_id, time.time_ns() // 1_000_000)
            self.transport.write(_raw(answer))
        self.transport.close()


def limited_protocol(head_bytes_max: int, log: FilteringBoundLogger) -> type[HttpToolsProtocol]:
    """The protocol with these limits, as a class, which is what the server asks for."""
    return type(
        "LimitedProtocol", (_LimitedProtocol,), {"head_bytes_max": head_bytes_max, "log": log}
    )


def _raw(answer: Answer) -> bytes:
    head = [STATUS_LINE[answer.status], b"content-type: ", answer.content_type, b"\r\n"]
    head += [b"%b: %b\r\n" % header for header in answer.headers]
    head.append(b"content-length: %d\r\n\r\n" % len(answer.body))
    return b"".join((*head, answer.body))
