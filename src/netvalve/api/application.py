"""The ASGI application: route, authenticate, read, hand over, answer, count and log.

Nothing of a request's contents reaches a log from here: not a body, not a header, not a query.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from netvalve.api.answers import failures
from netvalve.api.answers.answer import Answer, StreamedAnswer
from netvalve.api.answers.failures import Failure, failure_answer
from netvalve.api.authentication import Credentials, authenticate
from netvalve.api.body import BodyTooLarge, BodyTooSlow, ClientGone, Receive, whole_body
from netvalve.api.call import Call
from netvalve.api.routes import OperationRoute, PublicRoute, Route, routes
from netvalve.api.sending import Send, send_answer, stream_answer
from netvalve.api.services import Payments, Services, random_trace_id
from netvalve.config import Settings
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.domain.search import SearchTooBroad
from netvalve.payments.ports import Clock, Configuration, Records
from netvalve.payments.rate_limits import RateLimits
from netvalve.telemetry.metrics import Metrics

Scope = Mapping[str, Any]

_NOWHERE: Final = "nowhere"
"""The operation of a request whose path or method leads to none, in the log and the metrics."""
_FRAMES_MAX: Final = 8

_FAILURE_OF: Final[Mapping[type[Exception], Failure]] = {
    BodyTooLarge: failures.BODY_TOO_LARGE,
    BodyTooSlow: failures.BODY_TOO_SLOW,
    StoreUnavailable: failures.STORE_UNAVAILABLE,
    StoreUncertain: failures.STORE_UNCERTAIN,
    SearchTooBroad: failures.TOO_BROAD,
}


def build_application(
    *,
    gateway: Payments,
    configuration: Configuration,
    limits: RateLimits,
    records: Records,
    bank_readiness: Callable[[], Mapping[str, bool]],
    holds_lease: Callable[[], bool],
    digest: Callable[[str], bytes],
    metrics: Metrics,
    settings: Settings,
    clock: Clock,
    log: FilteringBoundLogger,
    new_trace_id: Callable[[], str] = random_trace_id,
) -> "Application":
    """The HTTP face of a gateway."""
    return Application(
        Services(
            gateway=gateway,
            configuration=configuration,
            limits=limits,
            records=records,
            bank_readiness=bank_readiness,
            holds_lease=holds_lease,
            digest=digest,
            metrics=metrics,
            settings=settings,
            clock=clock,
            log=log,
            new_trace_id=new_trace_id,
        )
    )


class Application:
    """Answers every HTTP request it is given."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._routes = routes()
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, by the ASGI protocol."""
        if scope["type"] != "http":
            raise ValueError(f"this application answers http, not {scope['type']}")
        clock = self._services.clock
        arrived_s, trace_id = clock.monotonic_s(), self._services.new_trace_id()
        methods = self._routes.get(scope["path"])
        route = methods.get(scope["method"]) if methods else None
        self._answering += 1
        try:
            if route is None:
                answer: Answer | StreamedAnswer = self._without_route(scope, methods, trace_id)
            else:
                answer = await self._answer(route, scope, receive, trace_id, arrived_s)
            await self._send(answer, scope, receive, send)
        except ClientGone:
            return
        except (StoreUnavailable, StoreUncertain) as broken:
            self._log_broken_off(route, broken, trace_id)
            return  # the server closes what is not complete, which is how the client is told
        finally:
            self._answering -= 1
        self._record(route, answer, trace_id, arrived_s)

    def _without_route(
        self, scope: Scope, methods: Mapping[str, Route] | None, trace_id: str
    ) -> Answer:
        if methods is None:
            return self._failure(failures.NO_SUCH_PATH, trace_id)
        allow = (b"allow", ", ".join(sorted({*methods, "OPTIONS"})).encode())
        if scope["method"] == "OPTIONS":
            return Answer(200, b"", headers=(allow,))
        return failure_answer(failures.WRONG_METHOD, trace_id, self._services.clock.now_ms(), allow)

    async def _answer(
        self, route: Route, scope: Scope, receive: Receive, trace_id: str, arrived_s: float
    ) -> Answer | StreamedAnswer:
        try:
            match route:
                case PublicRoute(handler=show):
                    return await show(self._services)
                case OperationRoute():
                    return await self._operate(route, scope, receive, trace_id, arrived_s)
        except ClientGone:
            raise
        except tuple(_FAILURE_OF) as refused:
            return self._failure(_FAILURE_OF[type(refused)], trace_id)
        except Exception as error:  # noqa: BLE001  # the last resort: an answer, and a log line
            self._log_fault(route, error, trace_id)
            return self._failure(failures.FAULT, trace_id)

    async def _operate(
        self,
        route: OperationRoute,
        scope: Scope,
        receive: Receive,
        trace_id: str,
        arrived_s: float,
    ) -> Answer | StreamedAnswer:
        services = self._services
        if self._answering > services.settings.requests_max:
            return self._failure(failures.OVERLOADED, trace_id)
        headers = scope["headers"]
        client = authenticate(
            Credentials.of(headers), services.configuration.directory, services.digest
        )
        if client is None:
            return self._failure(failures.UNAUTHENTICATED, trace_id)
        limit = client.requests_per_s
        if limit is not None and not await services.limits.admit(client.client_id, limit):
            return self._failure(failures.TOO_MANY_REQUESTS, trace_id)
        body = b""
        if route.reads_body:
            body = await whole_body(headers, receive, services.settings.body_bytes_max)
        return await route.handler(
            Call(
                services=services,
                client=client,
                trace_id=trace_id,
                arrived_s=arrived_s,
                body=body,
                query=scope["query_string"],
                accept=b",".join(value for name, value in headers if name == b"accept"),
                path=scope["path"],
                idempotency_keys=tuple(
                    value for name, value in headers if name == b"idempotency-key"
                ),
            )
        )

    async def _send(
        self, answer: Answer | StreamedAnswer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(answer, Answer):
            await send_answer(answer, send)
        else:
            await stream_answer(answer, receive, send, head_only=scope["method"] == "HEAD")

    def _failure(self, failure: Failure, trace_id: str) -> Answer:
        return failure_answer(failure, trace_id, self._services.clock.now_ms())

    def _record(
        self,
        route: Route | None,
        answer: Answer | StreamedAnswer,
        trace_id: str,
        arrived_s: float,
    ) -> None:
        services = self._services
        name = route.name if route else _NOWHERE
        seconds = services.clock.monotonic_s() - arrived_s
        services.metrics.request(name, answer.status, seconds)
        tell = services.log.debug if isinstance(route, PublicRoute) else services.log.info
        tell(
            "answered",
            traceID=trace_id,
            operation=name,
            status=answer.status,
            responseCode=answer.code,
            transactionID=answer.transaction_id,
            ms=round(seconds * 1000, 1),
        )

    def _log_broken_off(self, route: Route | None, error: Exception, trace_id: str) -> None:
        """The store went away while its rows were being sent."""
        self._services.log.warning(
            "stream_broken_off",
            traceID=trace_id,
            operation=route.name if route else _NOWHERE,
            error=type(error).__name__,
        )

    def _log_fault(self, route: Route, error: Exception, trace_id: str) -> None:
        """Where it happened and what kind of error it was; its message may quote the request."""
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
        self._services.log.error(
            "fault",
            traceID=trace_id,
            operation=route.name,
            error=type(error).__name__,
            frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        )
