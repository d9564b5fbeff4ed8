"""The OpenAPI 3.1 document, made from the operation table."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from netvalve.api.examples import EXAMPLES
from netvalve.api.filters import search_filter_schema
from netvalve.api.idempotency import HEADER, KEY_LENGTH_MAX
from netvalve.api.models.failures import FieldErrorDTO, KeyMismatchDTO, RefusalDTO
from netvalve.api.operations import OPERATIONS, TAG, Operation

API_VERSION: Final = "2.15.5"
"""Of the API that is spoken, not of this program."""

_REFERENCE: Final = "#/components/schemas/{model}"
_FILTERS: Final = {"$ref": _REFERENCE.format(model="SearchFilterDTO")}

SECURITY_SCHEMES: Final = {
    "netvalve-client-id": {"type": "apiKey", "in": "header", "name": "netvalve-client-id"},
    "netvalve-api-key": {"type": "apiKey", "in": "header", "name": "netvalve-api-key"},
    "basic": {"type": "http", "scheme": "basic"},
}
SECURITY: Final[list[dict[str, list[str]]]] = [
    {"netvalve-client-id": [], "netvalve-api-key": []},
    {"basic": []},
]
"""Both headers together, or Basic."""

_FAILURES: Final = {
    "401": "No or wrong credentials",
    "403": "The account is not enabled for this",
    "404": "Nothing of this client's bears this name",
    "413": "The body is too large",
    "429": "More requests than the client may make in a second: ask again",
    "500": "The gateway's fault",
    "503": "Surely not begun: try again",
    "504": "The store has not said whether it was begun: ask before trying again",
}
_TOO_BROAD: Final = (
    "What the filters find cannot be counted in time: narrow them by dates, an account or a value "
    "that few have"
)

_KEY: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {
        "type": "string",
        "pattern": "^[!-~]+$",
        "minLength": 1,
        "maxLength": KEY_LENGTH_MAX,
    },
    "description": (
        "The merchant's own key of this request, 1 to 255 visible ASCII characters. Sent again "
        "with the same key and body, the request is not done again: the first answer is given, "
        "with `Idempotency-Status: replayed`. A key is known for `idempotency_hours`, 24 unless "
        "set otherwise."
    ),
}
_BUSY: Final = (
    "More requests than the client may make in a second, or the first request with this "
    "`Idempotency-Key` is still being answered: ask again"
)
_MISMATCH: Final = "The `Idempotency-Key` is that of another request"


class ContractSchema(GenerateJsonSchema):
    """The contract's dialect: no titles, no defaults, and null is not a type but absence."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """What it is when it is there."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The field without its default."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a name says enough."""
        del schema
        return False


def openapi_document() -> dict[str, Any]:
    """The document, whole."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "NetValve Payment Gateway API",
            "version": API_VERSION,
            "description": (
                "Pay, capture, cancel, refund and rebill; ask what became of it. "
                "[Response codes](/api/response-codes)"
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": TAG}],
        "security": SECURITY,
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": SECURITY_SCHEMES},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": operation.operation_id,
        "responses": _responses(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.query:
        described["parameters"] = list(_parameters(operation, operation.query))
    if operation.moves_money:
        described["parameters"] = [_KEY]
    if operation.request:
        described["requestBody"] = _request_body(operation, operation.request)
    return described


def _request_body(operation: Operation, request: type[BaseModel]) -> dict[str, Any]:
    example = EXAMPLES[operation.operation_id]
    content = {"schema": _reference(request), "example": example}
    body: dict[str, Any] = {"required": True, "content": {"application/json": content}}
    if example.keys() & {"transactionID", "transactionId"}:
        body["description"] = "The transaction is one that an earlier answer has named."
    return body


def _parameters(operation: Operation, query: type[BaseModel]) -> Iterator[dict[str, Any]]:
    schema = query.model_json_schema(
        by_alias=True, schema_generator=ContractSchema, ref_template=_REFERENCE
    )
    examples = EXAMPLES.get(operation.operation_id, {})
    for name, described in schema["properties"].items():
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _FILTERS if name == "filters" else described,
        }
        if name in examples:
            parameter["example"] = examples[name]
        yield parameter


def _responses(operation: Operation) -> dict[str, Any]:
    refusal = {"application/json": {"schema": _reference(RefusalDTO)}}
    errors = {"type": "array", "items": _reference(FieldErrorDTO)}
    return {
        "200": {
            "description": "Done, pending or refused: the response code says which",
            "content": {operation.media_type: {"schema": _reference(operation.answer)}},
        },
        "400": {
            "description": "Every field that is missing or invalid",
            "content": {"application/json": {"schema": errors}},
        },
        **{
            status: {"description": description, "content": refusal}
            for status, description in _FAILURES.items()
        },
        **(_key_failures(refusal) if operation.moves_money else {}),
        **({"422": {"description": _TOO_BROAD, "content": refusal}} if _lists(operation) else {}),
    }


def _lists(operation: Operation) -> bool:
    """Whether it answers with pages."""
    return operation.query is not None and "filters" in operation.query.model_fields


def _key_failures(refusal: dict[str, Any]) -> dict[str, Any]:
    mismatch = {"application/json": {"schema": _reference(KeyMismatchDTO)}}
    return {
        "422": {"description": _MISMATCH, "content": mismatch},
        "429": {"description": _BUSY, "content": refusal},
    }


def _schemas() -> dict[str, Any]:
    models: dict[type[BaseModel], None] = dict.fromkeys((RefusalDTO, KeyMismatchDTO, FieldErrorDTO))
    for operation in OPERATIONS:
        models |= {each: None for each in (operation.request, operation.answer) if each}
    _, generated = models_json_schema(
        [(model, "validation") for model in models],
        by_alias=True,
        ref_template=_REFERENCE,
        schema_generator=ContractSchema,
    )
    schemas = {name: _plain(schema) for name, schema in generated["$defs"].items()}
    return {**schemas, "SearchFilterDTO": search_filter_schema()}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without its class's own title and docstring."""
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
