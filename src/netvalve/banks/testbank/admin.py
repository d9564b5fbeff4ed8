"""The bank's HTTP admin: the book, the faults that hold, the pace. For loopback alone.

A request under another host name, or from a page of another origin, is refused, so that no web
site can reach the bank through its visitor's browser.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, cast
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from netvalve.banks.testbank.admin_page import Overview, admin_page
from netvalve.banks.testbank.entry import Entry
from netvalve.banks.testbank.misbehaviour import Fault, Misbehaviour
from netvalve.banks.testbank.pace import DELAY_MAX_S, Pace
from netvalve.banks.testbank.server import Traffic
from netvalve.banks.testbank.standing_faults import StandingFault, StandingFaults
from netvalve.banks.testbank.statement import LATEST_MAX, Statement, booked_at
from netvalve.domain.bank_message import BankOperation

HOSTS: Final = ("127.0.0.1", "localhost")
_LATEST: Final = 100
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PAGE_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
}
"""The page runs nothing, and no other page may show it under its own buttons."""
_FORM: Final = "application/x-www-form-urlencoded"
_OWN_PAGES: Final = (None, "same-origin", "none")
"""`Sec-Fetch-Site` of who is no browser, of the admin's own page, and of the address bar."""
_DELAYED: Final = frozenset({Fault.SLOW, Fault.LATE})

Delay = Annotated[float, Field(ge=0, le=DELAY_MAX_S)]


class FaultOrder(BaseModel):
    """A fault as an operator asks for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault
    response_code: str | None = Field(None, pattern=r"^[0-9A-Z]{2}$")
    delay_s: Delay | None = None
    operation: BankOperation | None = None
    messages: int | None = Field(None, ge=1)
    percent: float = Field(100, gt=0, le=100)
    seed: int = 0

    @model_validator(mode="after")
    def _fits(self) -> "FaultOrder":
        if (self.fault is Fault.CODE) != (self.response_code is not None):
            raise ValueError("response_code goes with the fault code, and with no other")
        if self.delay_s is not None and self.fault not in _DELAYED:
            raise ValueError("delay_s goes with the faults slow and late")
        if self.fault is Fault.SLOW and self.delay_s is None:
            raise ValueError("slow needs delay_s")
        return self


class PaceOrder(BaseModel):
    """The pace as an operator asks for it; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_s: Delay | None = None
    late_s: Delay | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """What the admin looks at and may change."""

    statement: Statement
    standing_faults: StandingFaults
    pace: Pace
    traffic: Traffic


def admin_app(office: Office) -> Starlette:
    """The admin as an ASGI application."""
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/health", _health),
            Route("/book", _book),
            Route("/book.csv", _book_csv),
            Route("/faults", _faults),
            Route("/faults", _set_fault, methods=["POST"]),
            Route("/faults", _clear_all, methods=["DELETE"]),
            Route("/faults/clear", _clear_by_form, methods=["POST"]),
            Route("/faults/{number}", _clear_one, methods=["DELETE"]),
            Route("/pace", _pace),
            Route("/pace", _set_pace, methods=["PUT", "POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
        exception_handlers={ValidationError: _invalid, PermissionError: _forbidden},
    )
    app.state.office = office
    return app


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


async def _page(request: Request) -> Response:
    office = _office(request)
    totals = await asyncio.to_thread(office.statement.totals)
    latest = await asyncio.to_thread(office.statement.latest, _LATEST)
    faults = office.standing_faults.listing()
    page = admin_page(Overview(totals, latest, faults, office.pace, office.traffic))
    return HTMLResponse(page, headers=_PAGE_HEADERS)


async def _health(request: Request) -> Response:
    return _json({"status": "ok", **asdict(_office(request).traffic)})


async def _book(request: Request) -> Response:
    statement = _office(request).statement
    asked = _number(request.query_params.get("limit", ""))
    limit = _LATEST if asked is None else min(asked, LATEST_MAX)
    rrn = request.query_params.get("rrn")
    latest = await asyncio.to_thread(statement.latest, limit, rrn)
    totals = await asyncio.to_thread(statement.totals)
    return _json({**asdict(totals), "entries": [_shown(entry) for entry in latest]})


async def _book_csv(request: Request) -> Response:
    rows = _office(request).statement.csv()
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8")


async def _faults(request: Request) -> Response:
    listing = _office(request).standing_faults.listing()
    return _json({"faults": [_fault(fault) for fault in listing]})


async def _set_fault(request: Request) -> Response:
    order = FaultOrder.model_validate(await _sent(request))
    fault = _office(request).standing_faults.add(
        Misbehaviour(order.fault, order.response_code, order.delay_s),
        operation=order.operation,
        messages=order.messages,
        percent=order.percent,
        seed=order.seed,
    )
    return await _done(request, _fault(fault), status=201)


async def _clear_all(request: Request) -> Response:
    _refuse_other_pages(request)
    return _json({"cleared": _office(request).standing_faults.clear()})


async def _clear_one(request: Request) -> Response:
    _refuse_other_pages(request)
    number = _number(request.path_params["number"])
    cleared = 0 if number is None else _office(request).standing_faults.clear(number)
    return _json({"cleared": cleared}, status=200 if cleared else 404)


async def _clear_by_form(request: Request) -> Response:
    named = (await _sent(request)).get("number")
    number = None if named is None else _number(str(named))
    if named is not None and number is None:
        return _json({"errors": ["number is not a fault's"]}, status=400)
    cleared = _office(request).standing_faults.clear(number)
    return await _done(request, {"cleared": cleared})


async def _pace(request: Request) -> Response:
    return _json(asdict(_office(request).pace))


async def _set_pace(request: Request) -> Response:
    order = PaceOrder.model_validate(await _sent(request))
    pace = _office(request).pace
    pace.latency_s = pace.latency_s if order.latency_s is None else order.latency_s
    pace.late_s = pace.late_s if order.late_s is None else order.late_s
    return await _done(request, asdict(pace))


def _number(written: str) -> int | None:
    """A number as an operator writes it; None for anything else, however long."""
    return int(written) if _NUMBER.fullmatch(written) else None


async def _sent(request: Request) -> Mapping[str, Any]:
    """The body, JSON or a form; of a form, what is left blank is absent."""
    _refuse_other_pages(request)
    body = await request.body()
    if await _is_form(request):
        return dict(parse_qsl(body.decode(errors="replace")))
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        sent = None
    return sent if isinstance(sent, dict) else {"": "a JSON object is needed"}


async def _is_form(request: Request) -> bool:
    """Whether a browser's form was sent. `curl -d` calls JSON a form: the body decides."""
    called_form = request.headers.get("content-type", "").startswith(_FORM)
    return called_form and not (await request.body()).lstrip().startswith(b"{")


def _refuse_other_pages(request: Request) -> None:
    """Browsers name the page that asks in `Origin`, or at least how far it is from here."""
    headers = request.headers
    if headers.get("origin") not in (None, f"http://{headers.get('host')}"):
        raise PermissionError
    if headers.get("sec-fetch-site") not in _OWN_PAGES:
        raise PermissionError


async def _done(request: Request, content: object, status: int = 200) -> Response:
    """A browser's form goes back to the page; anybody else gets what was done."""
    return RedirectResponse("/", 303) if await _is_form(request) else _json(content, status)


async def _invalid(_request: Request, error: Exception) -> Response:
    wrong = cast("ValidationError", error)
    errors = wrong.errors(include_url=False, include_context=False, include_input=False)
    return _json({"errors": errors}, status=400)


async def _forbidden(_request: Request, _error: Exception) -> Response:
    return _json({"errors": ["a page of another origin may not do this"]}, status=403)


def _shown(entry: Entry) -> dict[str, object]:
    shown = asdict(entry)
    del shown["card_digest"]
    return {**shown, "booked_at": booked_at(entry)}


def _fault(fault: StandingFault) -> dict[str, object]:
    shown = asdict(fault)
    return {**shown.pop("misbehaviour"), **shown}


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
