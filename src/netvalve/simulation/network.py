"""The network: connections between machines, on which everything can happen to a message.

What a program writes at once is a message, and travels as one unless the weather cuts it. Without
a fault messages arrive in their order, as TCP has it; the faults are those of what lies between
two programs: a switch, a proxy, a bank's front end.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from netvalve.simulation.machine import MACHINE, Machine

if TYPE_CHECKING:
    from netvalve.simulation.loop import VirtualLoop

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one message."""

    arrivals: tuple[tuple[float, bytes], ...]
    """Each after so many seconds."""
    in_order: bool = True
    cut: bool = False
    """Whether the connection ends with it."""


class NetworkWeather(Protocol):
    """What decides about messages."""

    def latency_s(self) -> float:
        """How long a message takes where nothing happens to it."""

    def fate(self, data: bytes) -> Fate:
        """What becomes of a message."""

    def reachable(self) -> bool:
        """Whether anything gets through."""


class _Fair:
    """No weather at all."""

    def latency_s(self) -> float:
        return 0.001

    def fate(self, data: bytes) -> Fate:
        return Fate(((0.001, data),))

    def reachable(self) -> bool:
        return True


@dataclass(slots=True)
class _Listener:
    protocol_factory: Callable[[], Any]
    context: Context | None
    wires: "list[Wire]" = field(default_factory=list)


class Network:
    """Who listens where, and who is connected to whom."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self.loop = loop
        self.weather: NetworkWeather = _Fair()
        self._listeners: dict[Address, _Listener] = {}

    def listen(self, protocol_factory: Callable[[], Any], address: Address) -> "Listening":
        """Take connections until closed or dead."""
        machine = MACHINE.get()
        self._listeners[address] = _Listener(protocol_factory, _context_of(machine))
        if machine is not None:
            machine.when_dead(lambda: self.forget(address))
        return Listening(self, address)

    def forget(self, address: Address) -> None:
        """Take no more connections there."""
        self._listeners.pop(address, None)

    async def connect(
        self, protocol_factory: Callable[[], Any], address: Address
    ) -> tuple["Wire", Any]:
        """A connection, once it is made.

        Raises:
            ConnectionRefusedError: nobody listens there.
        """
        await asyncio.sleep(self.weather.latency_s())
        if not self.weather.reachable():
            await asyncio.Future[None]()  # no answer ever
        listener = self._listeners.get(address)
        if listener is None:
            raise ConnectionRefusedError
        here, there = Wire(self, MACHINE.get()), Wire(self, _machine_of(listener.context))
        here.peer, there.peer = there, here
        there.begin(listener.protocol_factory())
        here.begin(protocol_factory())
        return here, here.protocol


class Listening:
    """What `create_server` gives back, as far as anybody asks."""

    def __init__(self, network: Network, address: Address) -> None:
        self._network, self._address = network, address

    @property
    def sockets(self) -> "list[Listening]":
        """The one socket."""
        return [self]

    def getsockname(self) -> Address:
        """Where it listens."""
        return self._address

    def close(self) -> None:
        """Take no more connections."""
        self._network.forget(self._address)


class Wire(asyncio.Transport):
    """One end of a connection, on one machine."""

    peer: "Wire"

    def __init__(self, network: Network, machine: Machine | None) -> None:
        super().__init__()
        self._network = network
        self._loop = network.loop
        self._context = _context_of(machine)
        self._closing = self._over = False
        self._reads = True
        self._unread: list[bytes] = []
        self._last_arrival_s = 0.0
        self.protocol: Any = None
        if machine is not None:
            machine.when_dead(self._died)

    def begin(self, protocol: Any) -> None:
        """Give this end to who speaks here."""
        self.protocol = protocol
        self._soon(protocol.connection_made, self)

    def write(self, data: Any) -> None:
        """Send a message."""
        if self._closing or not data:
            return
        network = self._network
        if not network.weather.reachable():
            return
        fate = network.weather.fate(bytes(data))
        for after_s, part in fate.arrivals:
            at_s = self._loop.time() + after_s
            if fate.in_order:
                at_s = self._last_arrival_s = max(at_s, self._last_arrival_s)
            self.peer.later(at_s, self.peer.arrived, part)
        if fate.cut:
            at_s = max(self._last_arrival_s, self._loop.time())
            for end in (self, self.peer):
                end.later(at_s, end.lost, ConnectionResetError())

    def close(self) -> None:
        """End the connection once what was written has arrived."""
        if not self._closing:
            self._closing = True
            at_s = max(self._last_arrival_s, self._loop.time() + self._network.weather.latency_s())
            self.peer.later(at_s, self.peer.ended)
            self._soon(self.lost, None)

    def abort(self) -> None:
        """End the connection now."""
        if not self._closing:
            self._closing = True
            self._reset_peer()
            self._soon(self.lost, None)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Every write leaves at once."""
        del high, low

    def pause_reading(self) -> None:
        """Take nothing more for the moment."""
        self._reads = False

    def resume_reading(self) -> None:
        """Take what has come meanwhile, and what comes."""
        self._reads = True
        unread, self._unread = self._unread, []
        for data in unread:
            self._soon(self.arrived, data)

    def later(self, at_s: float, callback: Callable[..., object], *args: object) -> None:
        """Do something at this end's machine."""
        self._loop.call_at(at_s, callback, *args, context=self._context)

    def arrived(self, data: bytes) -> None:
        """A message has come."""
        if self._over or self._closing:
            return
        if self._reads:
            self.protocol.data_received(data)
        else:
            self._unread.append(data)

    def ended(self) -> None:
        """The other end will say no more."""
        if not self._over and not self._closing:
            self.protocol.eof_received()
            self.close()

    def lost(self, error: Exception | None) -> None:
        """Nothing can happen here any more."""
        if not self._over:
            self._over = self._closing = True
            self.protocol.connection_lost(error)

    def _died(self) -> None:
        if not self._over:
            self._over = self._closing = True
            self._reset_peer()

    def _reset_peer(self) -> None:
        at_s = self._loop.time() + self._network.weather.latency_s()
        self.peer.later(at_s, self.peer.lost, ConnectionResetError())

    def _soon(self, callback: Callable[..., object], *args: object) -> None:
        self._loop.call_soon(callback, *args, context=self._context)


def _context_of(machine: Machine | None) -> Context | None:
    return machine.context if machine is not None else None


def _machine_of(context: Context | None) -> Machine | None:
    return context.get(MACHINE) if context is not None else None
