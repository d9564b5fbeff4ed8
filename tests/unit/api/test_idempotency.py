"""Bodies that mean the same compare as the same; keys are read to the letter."""

from typing import Any

import httpx
import orjson
import pytest

from netvalve.api.idempotency import key_of, said_fields
from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.models.follow_up import CaptureInputFieldsDTO
from netvalve.domain.refusal import FieldError, InvalidFields
from netvalve.payments.idempotency import KeyBusy
from unit.api.face import NOW_MS, Face

REFUSED = InvalidFields((FieldError("Idempotency-Key", "GTW_2063"),))
SALE = {
    "midId": 1,
    "amount": 12.5,
    "currency": "USD",
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
    "cardSecurityCode": "987",
}


def said(**fields: Any) -> dict[str, bytes]:
    found = said_fields(BasicInputFieldsDTO, orjson.loads(orjson.dumps(fields)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("key", [b"1", b"a" * 255, b'"8e03978e-40d5-43dd"', b"!~", b" key "])
def test_a_key_is_visible_ascii_taken_to_the_letter(key: bytes) -> None:
    assert key_of([key]) == key.decode().strip()


@pytest.mark.parametrize("key", [b"", b" ", b"a" * 256, b"a b", b"\x7f", b"a\tb", "é".encode()])
def test_anything_else_is_no_key(key: bytes) -> None:
    assert key_of([key]) == REFUSED


def test_a_header_said_twice_must_say_the_same() -> None:
    assert key_of([b"one", b"one"]) == "one"
    assert key_of([b"one", b"two"]) == REFUSED
    assert key_of([]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": 12.5}, {"amount": "12.50"}),
        ({"amount": 12}, {"amount": "+012.0"}),
        ({"amount": 1e2}, {"amount": 100}),
        ({"midId": 7}, {"midId": " 7 "}),
        ({"clientOrderId": 482913}, {"clientOrderId": "482913"}),
        ({"cardNumber": 4012000098765439}, {"cardNumber": "4012000098765439"}),
        ({"cardExpireMonth": 1}, {"cardExpireMonth": "01"}),
        ({"cardExpireYear": 2030}, {"cardExpireYear": "2030"}),
        ({"orderDesc": None, "siteId": ""}, {}),
        ({"additionalData": {"a": 1, "b": None}}, {"additionalData": {"a": "1"}}),
        (
            {"additionalData": {"b": [1, True], "a": 2}},
            {"additionalData": {"a": 2, "b": [1, "true"]}},
        ),
        ({"cardSecurityCode": "123"}, {"cardSecurityCode": 999}),
        ({"cardSecurityCode": "123"}, {}),
        ({"retry": 1}, {"retry": 2}),
    ],
)
def test_what_means_the_same_compares_as_the_same(one: Any, other: Any) -> None:
    assert said(**one) == said(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": 12.5}, {"amount": 12.51}),
        ({"amount": 100}, {"amount": 1}),
        ({"amount": "eighty"}, {"amount": "ninety"}),
        ({"customerZipCode": "01234"}, {"customerZipCode": 1234}),
        ({"clientOrderId": "A"}, {"clientOrderId": "a"}),
        ({"orderDesc": "x "}, {"orderDesc": "x"}),
        ({"additionalData": {"a": [1, 2]}}, {"additionalData": {"a": [2, 1]}}),
        ({"midId": 1}, {"siteId": "1"}),
        ({"cardExpireMonth": 1}, {"cardExpireMonth": "11"}),
    ],
)
def test_what_means_something_else_does_not(one: Any, other: Any) -> None:
    assert said(**one) != said(**other)


def test_only_the_operations_own_fields_count() -> None:
    raw = {"transactionID": 47, "amount": 1, "currency": "USD", "netvalveMidId": "x"}
    assert said_fields(CaptureInputFieldsDTO, raw) == {"transactionID": b"47", "amount": b"1"}


def test_neither_the_security_code_nor_anything_unknown_is_digested() -> None:
    assert said(cardSecurityCode="987", cvv="987") == {}


@pytest.mark.parametrize("depth", [40, 900])
async def test_a_field_nested_beyond_reason_is_refused(api: httpx.AsyncClient, depth: int) -> None:
    body = b'{"amount": 1, "additionalData": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    answer = await api.post("/sale", content=body, headers={"Idempotency-Key": "deep"})
    assert answer.status_code == 400
    assert "additionalData" in answer.json()[0]["responseMessage"]


async def test_a_bad_key_is_one_failed_field(face: Face, api: httpx.AsyncClient) -> None:
    answer = await api.post("/sale", json=SALE, headers={"Idempotency-Key": "a b"})
    assert answer.status_code == 400
    (error,) = answer.json()
    assert error["responseCode"] == "GTW_2063"
    assert error["responseMessage"].startswith(
        "Validation error for field = Idempotency-Key  Message:- "
    )
    assert face.gateway.commands == []


async def test_a_key_that_another_process_has_just_used_is_busy(
    face: Face, api: httpx.AsyncClient
) -> None:
    face.gateway.answer = KeyBusy()
    answer = await api.post("/sale", json=SALE, headers={"Idempotency-Key": "K"})
    assert (answer.status_code, answer.json()["responseCode"]) == (429, "GTW_9999")
    assert answer.headers["retry-after"] == "1"


async def test_the_gateway_gets_the_key_with_digests_of_the_fields(
    face: Face, api: httpx.AsyncClient
) -> None:
    await api.post("/sale", json=SALE, headers={"Idempotency-Key": "K"})
    (keyed,) = face.gateway.keys
    assert (keyed.client_id, keyed.key, keyed.operation) == (7, "K", "/sale")
    assert keyed.created_at_ms == NOW_MS
    assert keyed.digests.keys() == SALE.keys() - {"cardSecurityCode"}


@pytest.mark.parametrize("path", ["/orders", "/transaction?id=1001"])
async def test_elsewhere_the_header_is_no_key_of_a_new_request(
    face: Face, api: httpx.AsyncClient, path: str
) -> None:
    answer = await api.get(path, headers={"Idempotency-Key": "not a key"})
    assert answer.status_code == 200
    assert "idempotency-status" not in answer.headers
    assert face.gateway.keys == []
