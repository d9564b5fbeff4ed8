"""Which path and method leads where: the operations, and the pages that need no credentials."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from netvalve.api import health, reference
from netvalve.api.answers.answer import Answer
from netvalve.api.call import Handler
from netvalve.api.operations import OPERATIONS
from netvalve.api.services import Services

PublicHandler = Callable[[Services], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class OperationRoute:
    """Leads to an operation, for those who have credentials."""

    name: str
    handler: Handler
    reads_body: bool


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """Leads to a page or a probe, for everyone."""

    name: str
    handler: PublicHandler


Route = OperationRoute | PublicRoute
Routes = Mapping[str, Mapping[str, Route]]
"""By path, then by method."""

_PROBES: Final[Mapping[str, PublicHandler]] = {
    "/health/live": health.live,
    "/health/ready": health.ready,
    "/metrics": health.metrics,
}


def routes() -> Routes:
    """Every route of this host."""
    table: dict[str, dict[str, Route]] = {}
    for operation in OPERATIONS:
        table.setdefault(operation.path, {})[operation.method] = OperationRoute(
            operation.operation_id, operation.handler, reads_body=operation.request is not None
        )
    for path, probe in _PROBES.items():
        table[path] = {"GET": PublicRoute(path.strip("/"), probe)}
    for path, page in reference.pages().items():
        table[path] = {"GET": PublicRoute("reference", _always(page))}
    for methods in table.values():
        if "GET" in methods:
            methods["HEAD"] = methods["GET"]
    return table


def _always(answer: Answer) -> PublicHandler:
    async def handle(services: Services) -> Answer:
        del services
        return answer

    return handle
