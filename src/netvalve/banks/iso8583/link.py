"""A bank behind ISO 8583 over TCP: many messages in flight, each ended as one of three things.

*Answered*, *not sent* (surely not a byte left) or *no answer* (from the first byte handed to the
socket on). It satisfies `payments.ports.Bank` without knowing it.
"""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from netvalve.banks.iso8583.answers import ANSWER_TYPES, Answer, decode_answer, match_key
from netvalve.banks.iso8583.backoff import Backoff
from netvalve.banks.iso8583.connection import Connection
from netvalve.banks.iso8583.fields import ImpossibleField, MalformedMessage
from netvalve.banks.iso8583.in_flight import InFlight
from netvalve.banks.iso8583.messages import Message, frame
from netvalve.banks.iso8583.pool import Pool
from netvalve.banks.iso8583.requests import encode_request
from netvalve.banks.iso8583.session import Clock, SessionTerms
from netvalve.domain.bank_message import Answered, BankOutcome, BankRequest, NoAnswer, NotSent
from netvalve.domain.client import BankProfile
from netvalve.telemetry.metrics import Metrics

READY_WAIT_S: Final = 0.25
"""How long a message waits for a connection to come back."""

NETWORK_ANSWER_S: Final = 5.0
"""How long a sign-on or an echo may go unanswered."""

_RESULTS: Final[dict[type[BankOutcome], str]] = {
    Answered: "answered",
    NotSent: "not_sent",
    NoAnswer: "no_answer",
}


class Iso8583Bank:
    """The link to one bank. Deadlines are on `clock.monotonic_s()`, the event loop's time.

    `on_unmatched` hears every answer that nothing waits for: late, doubled, or after a restart.
    """

    def __init__(
        self,
        profile: BankProfile,
        *,
        acquirer_id: str,
        connections: int,
        in_flight_max: int,
        echo_s: float,
        reconnect_max_s: float,
        clock: Clock,
        metrics: Metrics,
        require_test_bank: bool,
        log: FilteringBoundLogger,
        network_answer_s: float = NETWORK_ANSWER_S,
        jitter: Callable[[], float] = random.random,
        on_unmatched: Callable[[Answer], None] | None = None,
    ) -> None:
        self.on_unmatched = on_unmatched
        self._name = profile.name
        self._acquirer_id = acquirer_id
        self._in_flight_max = in_flight_max
        self._clock = clock
        self._metrics = metrics
        self._in_flight = InFlight()
        self._log = log.bind(bank=profile.name)
        self._was_ready = False
        self._draining = False
        terms = SessionTerms(acquirer_id, require_test_bank, echo_s, network_answer_s, clock)
        self._pool = Pool(
            (profile.host, profile.port),
            connections,
            partial(Connection, terms, self),
            partial(Backoff, reconnect_max_s, jitter),
            self._log,
        )

    @property
    def ready(self) -> bool:
        """Whether a message could leave now."""
        return self._pool.ready

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        self._metrics.bank_ready(self._name, ready=False)
        self._pool.start()

    async def drain(self) -> None:
        """Takes no new message; returns when those in flight have ended, each by its deadline.

        From here on it says nothing of its readiness: another link to the bank may do so.
        """
        self._draining = True
        self._metrics.bank_ready(self._name, ready=False)
        self._log.info("bank_link_draining", in_flight=len(self._in_flight))
        await self._in_flight.ended()

    async def stop(self) -> None:
        """Gives up what is in flight, signs off and ends every connection."""
        self._in_flight.stop("the link was stopped")
        await self._pool.close()

    async def send(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        """Ask the bank; wait for its answer until `deadline_s`.

        Never raises for what the bank, the line or a field does.
        """
        began_s = self._clock.monotonic_s()
        outcome = await self._exchange(request, deadline_s)
        took_s = self._clock.monotonic_s() - began_s
        operation, result = request.operation.lower(), _RESULTS[type(outcome)]
        self._metrics.bank_exchange(self._name, operation, result, took_s)
        return outcome

    def readiness_changed(self) -> None:
        """A connection has begun or ceased to be ready."""
        self._pool.readiness_changed()
        if not self._draining:
            self._tell_readiness()

    def message_received(self, message: Message) -> None:
        """Ends what the message answers, or hands it to who listens for such."""
        if message.type not in ANSWER_TYPES:
            self._metrics.unmatched_message(self._name, "unknown")
            return
        try:
            answer = decode_answer(message)
        except MalformedMessage:
            self.garbled_received()
            return
        if not self._in_flight.resolve(answer):
            self._unmatched(answer)

    def garbled_received(self) -> None:
        """Counts what cannot be read; the message it may have answered runs into its deadline."""
        self._metrics.unmatched_message(self._name, "garbled")

    def connection_lost(self, connection: object, reason: str) -> None:
        """Ends what left by the connection: nobody knows what the bank did with it."""
        self._in_flight.connection_lost(connection, reason)

    def _tell_readiness(self) -> None:
        ready = self.ready
        if ready is not self._was_ready:
            self._was_ready = ready
            self._log.info("bank_ready" if ready else "bank_not_ready")
        self._metrics.bank_ready(self._name, ready=ready)

    def _unmatched(self, answer: Answer) -> None:
        self._metrics.unmatched_message(self._name, "late")
        if self.on_unmatched is not None:
            asyncio.get_running_loop().call_soon(self.on_unmatched, answer)

    async def _exchange(self, request: BankRequest, deadline_s: float) -> BankOutcome:
        try:
            data = frame(encode_request(request, self._acquirer_id))
        except ImpossibleField as error:
            return NotSent(str(error))
        connection = await self._connection_by(deadline_s)
        if connection is None:
            return NotSent("no connection to the bank is ready")
        key = match_key(request.operation, request.identity)
        if key in self._in_flight:
            return NotSent("this very message is in flight")
        if len(self._in_flight) >= self._in_flight_max:
            return NotSent("too many messages are in flight")
        left_s = deadline_s - self._clock.monotonic_s()
        if left_s <= 0:
            return NotSent("the deadline has passed")
        ending = self._in_flight.add(key, connection)
        timer = ending.get_loop().call_later(
            left_s, self._in_flight.give_up, key, "the bank did not answer in time"
        )
        try:
            connection.write(data)
            return await ending
        finally:
            timer.cancel()
            self._in_flight.forget(key, ending)

    async def _connection_by(self, deadline_s: float) -> Connection | None:
        """A ready connection, waited for a moment; none while draining."""
        wait_s = min(deadline_s - self._clock.monotonic_s(), READY_WAIT_S)
        connection = self._pool.next_ready() or await self._pool.wait_ready(wait_s)
        return None if self._draining else connection
