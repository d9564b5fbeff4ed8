"""The OpenAPI document says what the published description says: nothing less, nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from netvalve.api.openapi import openapi_document
from netvalve.api.operations import OPERATIONS

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "contract.json").read_text("utf-8")
)
DOCUMENT = openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]

MORE_OPERATIONS = {("POST", "/inquiry")}
"""Deployed clients ask by a body too."""
KEYED = ("/sale", "/authorize", "/capture", "/cancel", "/refund", "/rebill")
MORE_PARAMETERS = {
    ("GET", "/order"): {"orderId"},
    ("GET", "/inquiry"): {"clientOrderId", "idempotencyKey"},
    **{("POST", path): {"Idempotency-Key"} for path in KEYED},
}
"""Deployed clients name an order so, who has lost an answer names its transaction so, and what
moves money takes a key of the merchant's."""
MORE_SCHEMAS = {"InquiryInputDTO", "RefusalDTO", "KeyMismatchDTO", "FieldErrorDTO"}
"""The description has no body of `POST /inquiry` and no errors."""


def key(operation: dict[str, Any]) -> tuple[str, str]:
    return operation["method"], operation["path"]


def described(method: str, path: str) -> dict[str, Any]:
    return DOCUMENT["paths"][path][method.lower()]


def comparable(schema: Any) -> Any:
    """A schema with its lists of names and values in one order."""
    if isinstance(schema, dict):
        return {
            name: sorted(value) if name in {"required", "enum"} else comparable(value)
            for name, value in schema.items()
        }
    return schema


def test_every_published_operation_is_there_and_only_named_ones_more() -> None:
    ours = {(each.method, each.path) for each in OPERATIONS}
    assert ours == {key(each) for each in CONTRACT["operations"]} | MORE_OPERATIONS
    assert len(ours) == len(OPERATIONS)


@pytest.mark.parametrize("published", CONTRACT["operations"], ids=key)
def test_operation_is_described_as_published(published: dict[str, Any]) -> None:
    ours = described(*key(published))
    assert ours["operationId"] == published["operationId"]
    assert ours["tags"] == [published["tag"]]
    assert ours["summary"] == published["summary"]
    answer = ours["responses"]["200"]["content"]
    assert answer == {
        published["responseMediaType"]: {
            "schema": {"$ref": f"#/components/schemas/{published['response']}"}
        }
    }
    body = ours.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    request = published["request"]
    assert body == ({"$ref": f"#/components/schemas/{request}"} if request else None)


@pytest.mark.parametrize("published", CONTRACT["operations"], ids=key)
def test_parameters_are_described_as_published(published: dict[str, Any]) -> None:
    ours = {each["name"]: each for each in described(*key(published)).get("parameters", [])}
    theirs = {each["name"]: each for each in published["query"]}
    assert set(ours) == set(theirs) | MORE_PARAMETERS.get(key(published), set())
    for name, parameter in theirs.items():
        assert ours[name]["in"] == "query"
        assert ours[name]["required"] == parameter["required"]
        assert ours[name]["schema"] == parameter["schema"]


def test_no_schema_is_missing_and_only_named_ones_are_more() -> None:
    assert set(SCHEMAS) == set(CONTRACT["schemas"]) | MORE_SCHEMAS


@pytest.mark.parametrize("name", CONTRACT["schemas"])
def test_schema_is_published_to_the_letter(name: str) -> None:
    assert comparable(SCHEMAS[name]) == comparable(CONTRACT["schemas"][name])


@pytest.mark.parametrize("path", KEYED)
def test_what_takes_a_key_says_what_becomes_of_a_second_request(path: str) -> None:
    answers = described("POST", path)["responses"]
    shown = {
        status: answers[status]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for status in ("422", "429")
    }
    assert shown == {"422": "KeyMismatchDTO", "429": "RefusalDTO"}
    assert "differingFields" in SCHEMAS["KeyMismatchDTO"]["properties"]
