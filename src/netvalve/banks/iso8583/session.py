"""What every connection of one link goes by: who we are, whom we accept, how long we wait."""

from dataclasses import dataclass
from typing import Protocol

from netvalve.banks.iso8583.messages import Message


class Clock(Protocol):
    """Time, injected so that a simulation can own it."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Seconds that never go back; only differences mean anything."""


class Listener(Protocol):
    """Who hears what happens on a connection; called on the event loop."""

    def readiness_changed(self) -> None:
        """A connection has begun or ceased to be ready."""

    def message_received(self, message: Message) -> None:
        """A message that is not about the connection itself."""

    def garbled_received(self) -> None:
        """Bytes came that are no message."""

    def connection_lost(self, connection: object, reason: str) -> None:
        """Nothing more will be heard on this connection."""


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """The terms of a connection; times in seconds."""

    acquirer_id: str
    require_test_bank: bool
    echo_s: float
    """A connection that has been silent this long is tested."""
    answer_s: float
    """A sign-on, echo or sign-off without an answer for this long ends the connection."""
    clock: Clock
