"""Who is let in, and that every refusal looks the same."""

import base64

import pytest

from netvalve.api.authentication import Credentials, authenticate
from unit.api.face import CLIENT, DIRECTORY, DISABLED, HEADERS, Face, digest


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


GOOD = [
    HEADERS,
    {**HEADERS, "netvalve-client-id": CLIENT.netvalve_client_id.upper()},
    {"authorization": basic("shop:pass:word")},
    {"authorization": basic("shop:pass:word", "bAsIc")},
    {**HEADERS, "authorization": "Bearer x"},
    {"authorization": basic("shop:pass:word"), "netvalve-client-id": CLIENT.netvalve_client_id},
    {"authorization": basic("shop:pass:word"), "netvalve-client-id": "", "netvalve-api-key": " "},
    {**HEADERS, "authorization": ""},
]
BAD = [
    {},
    {"netvalve-client-id": CLIENT.netvalve_client_id},
    {"netvalve-api-key": "key-7"},
    {**HEADERS, "netvalve-api-key": "key-6"},
    {**HEADERS, "netvalve-api-key": ""},
    {**HEADERS, "netvalve-client-id": DISABLED.netvalve_client_id},
    {"netvalve-client-id": DISABLED.netvalve_client_id, "netvalve-api-key": "key-8"},
    {"authorization": basic("shop:wrong")},
    {"authorization": basic("nobody:pass:word")},
    {"authorization": basic("shop")},
    {"authorization": "Basic ####"},
    {"authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
    {"authorization": "Basic"},
    {"authorization": basic("shop:pass:word", "Bearer")},
    {"authorization": basic("shop:pass:word"), "netvalve-client-id": "another"},
    {"authorization": basic("shop:pass:word"), "netvalve-api-key": "key-6"},
]


@pytest.mark.parametrize("headers", GOOD)
async def test_good_credentials_are_let_in(face: Face, headers: dict[str, str]) -> None:
    async with face.client(headers) as client:
        assert (await client.get("/orders")).status_code == 200


@pytest.mark.parametrize("headers", BAD)
async def test_bad_credentials_all_look_the_same(face: Face, headers: dict[str, str]) -> None:
    async with face.client(headers) as client:
        response = await client.post("/sale", content=b"not even json")
    assert response.status_code == 401
    body = response.json()
    assert sorted(body) == [
        "responseCode",
        "responseCodeType",
        "responseMessage",
        "responseTimestamp",
        "traceID",
    ]
    assert body["responseCode"] == "GTW_9001"
    assert face.gateway.commands == []


def test_credentials_are_in_no_repr() -> None:
    credentials = Credentials.of([(b"netvalve-api-key", b"k1"), (b"authorization", b"Basic zz")])
    assert "k1" not in repr(credentials)
    assert "zz" not in repr(credentials)
    assert authenticate(credentials, DIRECTORY, digest) is None
