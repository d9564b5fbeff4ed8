"""Input that no honest client sends is refused in the contract's shape, and the gateway goes on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from running import Sandbox


@contextmanager
def connection(sandbox: Sandbox) -> Iterator[socket.socket]:
    """A bare connection to the gateway."""
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), 5) as link:
        yield link


def said(link: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts = []
    try:
        while part := link.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass  # it closed before it had read all of what was sent
    return b"".join(parts)


def answer_to(sandbox: Sandbox, raw: bytes) -> tuple[int, Any]:
    """Status and body of the one answer to some bytes."""
    with connection(sandbox) as link:
        link.sendall(raw)
        answer = said(link)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), orjson.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"12",
        b'"text"',
        b'{"amount":NaN}',
        b'{"amount":1e400}',
        b'{"amount":1',
        b'{"customerName":"\xff"}',
        b'{"customerName":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 20_000,
        "{}".encode("utf-16"),
    ],
)
def test_body_that_is_no_json_object_is_refused(http: httpx.Client, body: bytes) -> None:
    response = http.post("/sale", content=body)
    assert response.status_code == 400
    assert response.json() == [
        {
            "responseCode": "GTW_2063",
            "responseMessage": "Validation error for field = body  Message:- "
            "Invalid Value / Null Value",
            "responseCodeType": "SOFT DECLINE",
        }
    ]


@pytest.mark.parametrize(
    "amount", [b"1" * 400, b"1e308", b"0.1e-300", b"123456789012345678901234567890", b"-1e18"]
)
def test_extreme_numbers_are_refused_by_their_rule(http: httpx.Client, amount: bytes) -> None:
    response = http.post("/sale", content=b'{"amount":' + amount + b"}")
    assert response.status_code == 400
    assert response.json()[0]["responseCode"] in {"GTW_2003", "GTW_2004", "GTW_2059", "GTW_2063"}


def test_amount_is_not_rounded_to_what_a_double_holds(http: httpx.Client) -> None:
    response = http.post("/sale", content=b'{"amount":12.0000000000000001,"currency":"USD"}')
    assert response.json()[0]["responseCode"] == "GTW_2003"


def test_body_of_ten_megabytes_is_not_taken(sandbox: Sandbox) -> None:
    head = "POST /sale HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in sandbox.headers().items())
    status, body = answer_to(sandbox, f"{head}\r\n".encode() + b"x" * 100_000)
    assert (status, body["responseCode"]) == (413, "GTW_2013")


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (400, b"nonsense\r\n\r\n"),
        (400, b"GET / HTTP/9.9\r\n\r\n"),
        (400, b"GET / HTTP/2.0\r\nhost: x\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n"),
        (400, b"GET \xff HTTP/1.1\r\nhost: x\r\n\r\n"),
        (400, b"POST /sale HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n"),
        (400, b"NONSENSE\r\n\r\n"),
        (400, b"brew /sale HTTP/1.1\r\nhost: x\r\n\r\n"),
        (405, b"BREW /sale HTTP/1.1\r\nhost: x\r\n\r\n"),
        (405, b"GETS /orders HTTP/1.1\r\nhost: x\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n"),
        (431, b"GET / HTTP/1.1\r\na: " + b"x" * 40_000 + b"\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\n" + b"x" * 40_000),
        (431, b"GET /" + b"x" * 40_000),
    ],
)
def test_broken_http_is_answered_in_the_contract_s_shape(
    sandbox: Sandbox, status: int, raw: bytes
) -> None:
    got, body = answer_to(sandbox, raw)
    assert (got, body["responseCode"]) == (status, "GTW_2013")
    assert len(body["traceID"]) == 36


def test_broken_chunk_ends_its_request_alone(sandbox: Sandbox, http: httpx.Client) -> None:
    head = "POST /sale HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in sandbox.headers().items())
    status, _ = answer_to(sandbox, f"{head}\r\nzz\r\n".encode())
    assert status == 400
    assert http.get("/health/live").status_code == 200


def test_nonsense_after_a_request_leaves_its_answer_whole(sandbox: Sandbox) -> None:
    with connection(sandbox) as link:
        link.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n")
        answer = said(link)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b'{"status":"UP"}') == 1


def test_hundred_headers_are_taken(sandbox: Sandbox) -> None:
    with connection(sandbox) as link:
        link.sendall(
            b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            + b"a: b\r\n" * 98
            + b"\r\n"
        )
        assert said(link).startswith(b"HTTP/1.1 200 OK")


def test_answer_names_no_server(http: httpx.Client) -> None:
    assert "server" not in http.get("/health/live").headers


@pytest.mark.parametrize(
    "path",
    ["/%00", "/..%2f..%2fetc/passwd", "/api/static/../../config.py", "/api/static/%2e%2e", "/💳"],
)
def test_strange_path_is_not_found(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["transactionId=%ff", "transactionId=1&" * 300, "transactionId[]=1", "%00=%00", "=&&=;"],
)
def test_strange_query_is_refused(http: httpx.Client, query: str) -> None:
    assert http.get(f"/inquiry?{query}").status_code == 400


def test_text_that_means_something_elsewhere_is_only_text(http: httpx.Client) -> None:
    for text in ("' OR 1=1 --", "%", "_", "\\", "🛒", "<script>", "{{7*7}}", "$(id)", "שלום"):
        response = http.get("/orders", params={"clientOrderId": text})
        assert response.json()["totalElements"] == 0, text
