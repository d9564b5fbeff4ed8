"""The port that the API is reached at: one listener's own, or shared by the listeners of several.

The kernel spreads the connections to a shared port by a hash of their addresses, evenly and without
a look at how many a listener has open. Each listener has a queue of its own, which lives as long as
any process holds the listener: whoever dies leaves what waits there to whom it is handed next.
"""

import socket
from types import TracebackType
from typing import Self


def base_url(host: str, port: int) -> str:
    """Where a gateway is reached that listens there."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def bound_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket at an address, which does not listen yet.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class SharedPort:
    """Holds a port for listeners of its own making; nobody else can listen there."""

    def __init__(self, host: str, port: int) -> None:
        """Takes the port; 0 takes a free one.

        Raises:
            OSError: the address cannot be had; whoever else shares it is no exception.
        """
        self._holding = bound_socket(host, port)  # alone at first, so that two cannot mix
        self._holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self.host: str = self._holding.getsockname()[0]
        self.port: int = self._holding.getsockname()[1]

    def listener(self) -> socket.socket:
        """One more socket at the port; it gets its share from the moment it listens."""
        return bound_socket(self.host, self.port, shared=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._holding.close()
