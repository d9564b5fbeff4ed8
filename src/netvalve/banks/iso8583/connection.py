"""One connection to a bank: signed on before use, tested when silent, cut when not trusted."""

import asyncio
from typing import Final, cast

from netvalve.banks.iso8583.fields import MalformedMessage
from netvalve.banks.iso8583.messages import FrameReader, FramingLost, Message, decode_message, frame
from netvalve.banks.iso8583.network import (
    answers_network_request,
    network_request,
    sign_on_refusal,
)
from netvalve.banks.iso8583.session import Listener, SessionTerms
from netvalve.banks.iso8583.specification import NetworkCode
from netvalve.gathering import GatheringTransport

UNSENT_BYTES_MAX: Final = 32_768
"""Above this much waiting for the network, messages go by another connection or not at all."""

SIGN_OFF_ANSWER_S: Final = 1.0
"""A stopping link waits no longer than this for the answer to its sign-off."""

_STAN_COUNT = 1_000_000


class Connection(asyncio.Protocol):
    """Frames in and out of one socket, and the conversation that keeps it usable.

    One network message at a time: the sign-on, then echoes, at last the sign-off.
    """

    def __init__(self, terms: SessionTerms, listener: Listener) -> None:
        self._terms = terms
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._frames = FrameReader()
        self._transport: GatheringTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asked: tuple[str, str] | None = None
        self._stans = 0
        self._heard_s = 0.0
        self._signed_on = False
        self._paused = False
        self._over = False
        self._reason = "the bank closed the connection"
        self.was_ready = False
        """Whether it has ever been signed on."""
        self.lost: asyncio.Future[str] = self._loop.create_future()
        """Ends with the reason, once nothing more can happen here."""

    @property
    def ready(self) -> bool:
        """Whether a message handed over now would leave at once."""
        transport = self._transport
        usable = self._signed_on and not self._paused
        return usable and transport is not None and not transport.is_closing()

    def write(self, data: bytes) -> None:
        """Hands bytes, a whole frame, to the socket; from here on they count as sent."""
        if self._transport is not None:
            self._transport.write(data)

    def sign_off(self) -> None:
        """Says goodbye; the connection ends with the bank's answer, or soon without it."""
        self._become(ready=False)
        self._reason = "the link was stopped"
        if self._transport is not None and not self._transport.is_closing():
            self._ask(NetworkCode.SIGN_OFF, min(self._terms.answer_s, SIGN_OFF_ANSWER_S))

    def cut(self, reason: str) -> None:
        """Ends the connection now; what waits unsent is dropped."""
        if self._transport is not None and not self._over:
            self._over = True
            self._reason = reason
            self._stop_timer()
            self._become(ready=False)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Signs on."""
        # A cast, since uvloop's transports are none of asyncio's classes.
        self._transport = GatheringTransport(cast("asyncio.Transport", transport))
        self._transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
        self._ask(NetworkCode.SIGN_ON, self._terms.answer_s)

    def data_received(self, data: bytes) -> None:
        """Takes what has come in, message by message."""
        self._heard_s = self._terms.clock.monotonic_s()
        try:
            for each in self._frames.feed(data):
                self._received(each)
        except FramingLost as error:
            self._listener.garbled_received()
            self.cut(f"the bank's stream cannot be read: {error}")

    def eof_received(self) -> None:
        """The bank says no more: the connection is over in both directions."""
        self.cut(self._reason)

    def pause_writing(self) -> None:
        """The network takes no more."""
        self._paused = True
        self._listener.readiness_changed()

    def resume_writing(self) -> None:
        """The network takes more again."""
        self._paused = False
        self._listener.readiness_changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells everybody that this is over."""
        reason = self._reason if exc is None else f"the connection broke: {type(exc).__name__}"
        self._over = True
        self._stop_timer()
        self._become(ready=False)
        self._listener.connection_lost(self, reason)
        if not self.lost.done():
            self.lost.set_result(reason)

    def _received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            message = decode_message(data)
        except MalformedMessage:
            self._listener.garbled_received()
            return
        if self._asked is not None and answers_network_request(message, *self._asked):
            self._network_answered(message, self._asked[0])
        else:
            self._listener.message_received(message)

    def _network_answered(self, answer: Message, code: str) -> None:
        self._asked = None
        self._stop_timer()
        if code == NetworkCode.SIGN_OFF:
            self.cut(self._reason)
        elif code == NetworkCode.SIGN_ON and (refusal := self._refusal(answer)):
            self.cut(refusal)
        else:
            self._listen(self._terms.echo_s)
            self._become(ready=True)

    def _refusal(self, answer: Message) -> str | None:
        return sign_on_refusal(answer, require_test_bank=self._terms.require_test_bank)

    def _become(self, *, ready: bool) -> None:
        if self._signed_on is not ready:
            self._signed_on = ready
            self.was_ready = self.was_ready or ready
            self._listener.readiness_changed()

    def _ask(self, code: str, answer_s: float) -> None:
        self._stans = (self._stans + 1) % _STAN_COUNT
        stan = f"{self._stans:06d}"
        self._asked = code, stan
        terms = self._terms
        self.write(frame(network_request(code, terms.acquirer_id, terms.clock.now_ms(), stan)))
        self._stop_timer()
        self._timer = self._loop.call_later(answer_s, self._unanswered, code)

    def _unanswered(self, code: str) -> None:
        if code == NetworkCode.SIGN_OFF:
            self.cut(self._reason)
        else:
            self.cut(f"the bank left network message {code} unanswered")

    def _listen(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._silence)

    def _silence(self) -> None:
        left_s = self._terms.echo_s - (self._terms.clock.monotonic_s() - self._heard_s)
        if left_s > 0:
            self._listen(left_s)
        else:
            self._ask(NetworkCode.ECHO, self._terms.answer_s)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
