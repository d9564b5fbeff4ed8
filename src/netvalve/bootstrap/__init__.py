"""The wiring: the one place that sees banks, storage, payments and the API at once."""

from netvalve.bootstrap.gateway import Server, run_gateway
from netvalve.bootstrap.ground import Ground, RunningGateway, SystemClock
from netvalve.bootstrap.serving import StoreBroke, serve

__all__ = [
    "Ground",
    "RunningGateway",
    "Server",
    "StoreBroke",
    "SystemClock",
    "run_gateway",
    "serve",
]
