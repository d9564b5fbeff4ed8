"""HTTP/1.1 as it comes over the socket: how much head is taken, how long anything is waited for.

What broken HTTP is told, and that no connection stays open for one who neither sends nor reads.
"""

import asyncio
import re
import sys
import time
from typing import Final, cast
from uuid import uuid4

from httptools import HttpParserInvalidMethodError
from structlog.typing import FilteringBoundLogger
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from netvalve.api.answers import failures
from netvalve.api.answers.answer import Answer
from netvalve.api.answers.failures import Failure, failure_answer
from netvalve.gathering import GatheringTransport

_VERSIONS: Final = ("1.1", "1.0")
_METHOD: Final = re.compile(rb"[A-Z]+ /")
"""How a request of any method begins, as far as it is read here."""
_METHOD_BYTES_MAX: Final = 32
HEADERS_MAX: Final = 100
HEAD_WITHIN_S: Final = 15.0
"""From a connection's beginning, or the first byte of a later head, to that head's end."""
TAKEN_WITHIN_S: Final = 20.0
"""For what an answer has in the buffer: some 64 KiB more than the kernel holds for the reader."""


class _HeadTooLargeError(Exception):
    """Raised inside the parser, which stops at it."""


class _UnspokenHeadError(Exception):
    """The same, at a head of another HTTP, or one that does not name its one host."""


class _LimitedProtocol(HttpToolsProtocol):
    """Refuses a head that is too large or late, and answers in the contract's shape."""

    head_bytes_max: int
    connections_max: int
    log: FilteringBoundLogger

    _head_timer: asyncio.TimerHandle | None = None
    _taking_timer: asyncio.TimerHandle | None = None

    _head_bytes = 0
    """Of the head that is being read, as far as the parser has told."""
    _unread_bytes = 0
    """Received since the head began and not told yet: a name or value without an end."""
    _piece_start = b""
    """Of what came in last: where the parser finds no method, what stands in its place."""
    _in_head = True
    _hosts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there; one more than there is room for is told so."""
        gathering = GatheringTransport(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", gathering))
        if len(self.connections) > self.connections_max:
            self._refuse(failures.TOO_MANY_CONNECTIONS)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._end_head_timer()
        self._end_taking_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came in."""
        self._unread_bytes += len(data)
        self._piece_start = data[:_METHOD_BYTES_MAX]
        super().data_received(data)
        if self._in_head and self._unread_bytes > self.head_bytes_max:
            self._refuse(failures.HEAD_TOO_LARGE)
        elif self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()  # no answer is being made, and these bytes ended the keep-alive

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes, self._hosts = True, 0, 0
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
        self._hosts += name.lower() == b"host"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole. Source: RFC 9112, 3.2, one Host in every head of HTTP/1.1."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS or self._hosts > 1 or (self._hosts == 0 and version == "1.1"):
            raise _UnspokenHeadError
        self._in_head, self._unread_bytes = False, 0
        self._end_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole; what follows is another head."""
        self._in_head, self._unread_bytes = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is in the buffer, whole."""
        super().on_response_complete()
        self._await_end()

    def pause_writing(self) -> None:
        """More waits in the buffer than should."""
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        """Most of it has been taken."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._end_taking_timer()

    def timeout_keep_alive_handler(self) -> None:
        """Nobody has asked in a long time, nor read all of the last answer perhaps."""
        super().timeout_keep_alive_handler()
        self._await_end()

    def shutdown(self) -> None:
        """The server is about to end."""
        super().shutdown()
        self._await_end()

    def send_400_response(self, msg: str) -> None:
        """The parser has given up, and its error is being handled."""
        del msg
        if isinstance(sys.exception(), HttpParserInvalidMethodError) and _METHOD.match(
            self._piece_start
        ):
            self._refuse(failures.UNKNOWN_METHOD)
            return
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
        self._await_end()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self._give_head_up)

    def _give_head_up(self) -> None:
        self._head_timer = None
        if self._in_head and self._unread_bytes:
            self._refuse(failures.HEAD_TOO_SLOW)
        elif not self.transport.is_closing():
            self.transport.close()
            self._await_end()

    def _end_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _await_taking(self) -> None:
        if self._taking_timer is None:
            self._taking_timer = self.loop.call_later(TAKEN_WITHIN_S, self.transport.abort)

    def _end_taking_timer(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None

    def _await_end(self) -> None:
        """A closing connection first waits for its last bytes to be read, but not for ever."""
        if self.transport.is_closing():
            self._await_taking()


def limited_protocol(
    head_bytes_max: int, connections_max: int, log: FilteringBoundLogger
) -> type[HttpToolsProtocol]:
    """The protocol with these limits, as a class, which is what the server asks for."""
    limits = {"head_bytes_max": head_bytes_max, "connections_max": connections_max, "log": log}
    return type("LimitedProtocol", (_LimitedProtocol,), limits)


def _raw(answer: Answer) -> bytes:
    head = [STATUS_LINE[answer.status], b"content-type: ", answer.content_type, b"\r\n"]
    head += [b"%b: %b\r\n" % header for header in answer.headers]
    head.append(b"content-length: %d\r\n\r\n" % len(answer.body))
    return b"".join((*head, answer.body))
