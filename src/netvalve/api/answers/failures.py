"""Answers that are not a transaction: refusals, invalid fields, and the failures of HTTP.

Source: wire contract, section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from netvalve.api.answers.answer import Answer, Header, json_answer
from netvalve.api.answers.codes import MESSAGES, response
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.response_codes import response_code
from netvalve.domain.refusal import InvalidFields


@dataclass(frozen=True, slots=True)
class Failure:
    """A status with the code of its object."""

    status: int
    code: str
    headers: tuple[Header, ...] = ()


_SOON: Final = ((b"retry-after", b"1"),)
_LAST: Final = ((b"connection", b"close"),)

UNAUTHENTICATED: Final = Failure(
    401, "GTW_9001", ((b"www-authenticate", b'NetValve-API-Key realm="netvalve"'),)
)
"""One answer for every way to be nobody. Not `Basic`: a browser would ask for a password."""
CHANNEL_REFUSED: Final = Failure(403, "GTW_9003")
NOT_FOUND: Final = Failure(404, "GTW_2103")
NO_SUCH_PATH: Final = Failure(404, "GTW_2013")
WRONG_METHOD: Final = Failure(405, "GTW_2013")
UNKNOWN_METHOD: Final = Failure(405, "GTW_2013", ((b"allow", b"GET, HEAD, OPTIONS, POST"), *_LAST))
"""No path takes it; the methods are those of all paths together."""
TOO_MANY_REQUESTS: Final = Failure(429, "GTW_9999", _SOON)
"""More than the client may make in a second."""
KEY_BUSY: Final = Failure(429, "GTW_9999", _SOON)
"""The first request with the idempotency key is still being answered."""
KEY_MISMATCH: Final = Failure(422, "GTW_2013")
"""The idempotency key is that of another request."""
BODY_TOO_LARGE: Final = Failure(413, "GTW_2013", _LAST)
BODY_TOO_SLOW: Final = Failure(408, "GTW_2013", _LAST)
HEAD_TOO_SLOW: Final = Failure(408, "GTW_2013", _LAST)
HEAD_TOO_LARGE: Final = Failure(431, "GTW_2013", _LAST)
BROKEN_HTTP: Final = Failure(400, "GTW_2013", _LAST)
FAULT: Final = Failure(500, "GTW_9999")
OVERLOADED: Final = Failure(503, "GTW_9999", _SOON)
TOO_MANY_CONNECTIONS: Final = Failure(503, "GTW_9999", (*_SOON, *_LAST))
TOO_BROAD: Final = Failure(422, "GTW_2013")
"""What a search finds cannot be counted in time: dates, an account or a rare value narrow it."""
STORE_UNAVAILABLE: Final = Failure(503, "GTW_9999", _SOON)
STORE_UNCERTAIN: Final = Failure(504, "GTW_9999")
"""The store has not said in time whether the payment was begun: it is to be asked for."""


def refusal_body(code: str, trace_id: str, now_ms: int) -> dict[str, object]:
    """The object of a refusal: no transactionID, for nothing was begun."""
    return {
        "traceID": trace_id,
        "responseTimestamp": timestamp(now_ms),
        **response(code),
    }


def refusal_answer(code: str, trace_id: str, now_ms: int) -> Answer:
    """A business refusal, which is a result and no HTTP error."""
    return json_answer(refusal_body(code, trace_id, now_ms), code=code)


def failure_answer(failure: Failure, trace_id: str, now_ms: int, *headers: Header) -> Answer:
    """An HTTP error with its object."""
    body = json_answer(refusal_body(failure.code, trace_id, now_ms)).body
    return Answer(failure.status, body, code=failure.code, headers=(*failure.headers, *headers))


def mismatch_answer(fields: Sequence[str], trace_id: str, now_ms: int) -> Answer:
    """The idempotency key was used for another request, which differs in these fields."""
    refusal = refusal_body(KEY_MISMATCH.code, trace_id, now_ms)
    return json_answer(
        {**refusal, "differingFields": fields}, status=KEY_MISMATCH.status, code=KEY_MISMATCH.code
    )


def invalid_answer(invalid: InvalidFields) -> Answer:
    """All failed fields in one array. The two spaces are the contract's."""
    body = [
        {
            "responseCode": error.code,
            "responseMessage": (
                f"Validation error for field = {error.field}  Message:- {MESSAGES[error.code]}"
            ),
            "responseCodeType": response_code(error.code).type,
        }
        for error in invalid.errors
    ]
    return json_answer(body, status=400, code=invalid.errors[0].code)
