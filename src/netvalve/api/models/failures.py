"""What a refusal and a field error look like, as published."""

from pydantic import Field

from netvalve.api.models.answer_fields import Timestamp
from netvalve.api.models.model import Schema


class RefusalDTO(Schema):
    """A refusal or a failure: one object, without a transaction."""

    trace_id: str | None = Field(None, alias="traceID")
    response_timestamp: Timestamp = None
    response_code: str | None = None
    response_message: str | None = None
    response_code_type: str | None = None


class KeyMismatchDTO(RefusalDTO):
    """An idempotency key that was used for another request."""

    differing_fields: tuple[str, ...] = ()
    """Names alone: of the body's fields, and `operation` where the path differs."""


class FieldErrorDTO(Schema):
    """One field that is missing or invalid."""

    response_code: str | None = None
    response_message: str | None = None
    response_code_type: str | None = None
