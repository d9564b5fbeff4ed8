"""What the application does around an operation: route, limit, probe, count and log."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from netvalve.api import body
from netvalve.api.application import Application
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from unit.api.face import CLIENT, DIRECTORY, HEADERS, Face

SALE = {
    "midId": 1,
    "amount": 12.5,
    "currency": "USD",
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
    "cardSecurityCode": "987",
}


def scope(method: str = "POST", path: str = "/sale", *headers: tuple[bytes, bytes]) -> Any:
    own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [*own, *headers],
    }


async def answer_to(application: Application, request: Any, *messages: Any) -> list[Any]:
    """What the application sends when these messages come in, and then nothing."""
    coming, sent = list(messages), []

    async def receive() -> Any:
        if not coming:
            await asyncio.sleep(60)
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await application(request, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/nothing", "/sale/", "/api/v1", "//sale", "/Sale"])
async def test_unknown_path_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(httpx.URL("http://gateway").copy_with(raw_path=path.encode()))
    assert (response.status_code, response.json()["responseCode"]) == (404, "GTW_2013")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD"])
async def test_wrong_method_is_told_the_right_ones(api: httpx.AsyncClient, method: str) -> None:
    response = await api.request(method, "/sale")
    assert response.status_code == 405
    assert response.headers["allow"] == "OPTIONS, POST"


async def test_options_and_head_are_answered(api: httpx.AsyncClient) -> None:
    options = await api.options("/inquiry")
    assert (options.status_code, options.headers["allow"]) == (200, "GET, HEAD, OPTIONS, POST")
    assert "access-control-allow-origin" not in options.headers
    assert (await api.head("/orders")).status_code == 200


async def test_announced_body_that_is_too_large_is_not_read(face: Face) -> None:
    request = scope("POST", "/sale", (b"content-length", b"65537"))
    sent = await asyncio.wait_for(answer_to(face.application, request), 1)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_body_that_grows_too_large_is_given_up(face: Face) -> None:
    piece = {"type": "http.request", "body": b"x" * 40_000, "more_body": True}
    sent = await asyncio.wait_for(answer_to(face.application, scope(), piece, piece), 1)
    assert sent[0]["status"] == 413


async def test_body_that_does_not_come_is_given_up(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "WHOLE_WITHIN_S", 0.02)
    assert (await answer_to(face.application, scope()))[0]["status"] == 408


async def test_nobody_is_answered_who_is_gone(face: Face) -> None:
    assert await answer_to(face.application, scope(), {"type": "http.disconnect"}) == []
    assert face.gateway.commands == []


async def test_requests_above_the_limit_are_asked_to_come_again(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.application._answering = 2_000
    response = await api.post("/sale", json=SALE)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert (await api.get("/health/live")).status_code == 200
    face.application._answering = 0
    assert (await api.post("/sale", json=SALE)).status_code == 200


def limit_client(face: Face, requests_per_s: int) -> None:
    limited = replace(CLIENT, requests_per_s=requests_per_s)
    clients = {**DIRECTORY.clients, limited.client_id: limited}
    face.configuration.directory = replace(DIRECTORY, clients=clients)


async def test_client_over_its_limit_is_asked_to_come_again(
    api: httpx.AsyncClient, face: Face
) -> None:
    limit_client(face, 2)
    assert [(await api.get("/orders")).status_code for _ in range(2)] == [200, 200]
    response = await api.post("/sale", content=b"not even read")
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert response.json()["responseCode"] == "GTW_9999"
    assert (await api.get("/health/live")).status_code == 200


async def test_body_of_a_request_over_the_limit_is_not_waited_for(face: Face) -> None:
    limit_client(face, 1)
    await asyncio.wait_for(answer_to(face.application, scope("GET", "/orders")), 1)
    sent = await asyncio.wait_for(answer_to(face.application, scope("POST", "/sale")), 1)
    assert sent[0]["status"] == 429


async def test_nobody_spends_a_client_s_limit_without_its_key(
    api: httpx.AsyncClient, face: Face
) -> None:
    limit_client(face, 1)
    for _ in range(3):
        assert (await api.get("/orders", headers={"netvalve-api-key": "?"})).status_code == 401
    assert (await api.get("/orders")).status_code == 200


async def test_requests_of_a_client_without_a_limit_are_not_counted(
    api: httpx.AsyncClient, face: Face
) -> None:
    assert (await api.get("/orders")).status_code == 200
    assert face.allowances.counted == 0


async def test_ready_needs_a_store_and_a_bank(api: httpx.AsyncClient, face: Face) -> None:
    assert (await api.get("/health/ready")).status_code == 200
    face.banks["Second"] = False
    assert (await api.get("/health/ready")).status_code == 200
    face.banks["Mock Bank"] = False
    assert (await api.get("/health/ready")).status_code == 503
    face.banks["Mock Bank"], face.store.takes_writes = True, False
    response = await api.get("/health/ready")
    assert (response.status_code, response.json()["store"]) == (503, False)


async def test_ready_needs_a_lease(api: httpx.AsyncClient, face: Face) -> None:
    assert (await api.get("/health/ready")).json()["lease"] is True
    face.store.lease = False
    response = await api.get("/health/ready")
    assert (response.status_code, response.json()["lease"]) == (503, False)


async def test_ready_needs_a_configuration_that_is_fresh(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.configuration.fresh = False
    response = await api.get("/health/ready")
    assert (response.status_code, response.json()["configuration"]) == (503, False)


async def test_store_that_is_away_is_asked_again_soon(api: httpx.AsyncClient, face: Face) -> None:
    face.gateway.answer = StoreUnavailable("away")
    response = await api.post("/sale", json=SALE)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["responseCode"] == "GTW_9999"


async def test_store_that_does_not_say_whether_it_was_begun_asks_nobody_to_try_again(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.gateway.answer = StoreUncertain("lost")
    response = await api.post("/sale", json=SALE)
    assert (response.status_code, "retry-after" in response.headers) == (504, False)
    assert response.json()["responseCode"] == "GTW_9999"


async def test_metrics_show_requests_outcomes_and_backlog(api: httpx.AsyncClient) -> None:
    await api.post("/sale", json=SALE)
    text = (await api.get("/metrics")).text
    assert 'netvalve_request_seconds_count{operation="saleOperation",status="200"} 1.0' in text
    assert 'netvalve_outcomes_total{code="GTW_1000",type="SALE"} 1.0' in text
    assert "netvalve_transactions_pending 3.0" in text
    assert "netvalve_reversals_waiting 2.0" in text
    assert "netvalve_reversals_refused 1.0" in text


async def test_metrics_count_what_has_no_end_by_age_and_name_the_oldest(
    api: httpx.AsyncClient,
) -> None:
    text = (await api.get("/metrics")).text
    unknown = "netvalve_transactions_unknown"
    assert f'{unknown}{{age="under_10s",state="pending"}} 1.0' in text
    assert f'{unknown}{{age="over_1d",state="pending"}} 2.0' in text
    assert f'{unknown}{{age="under_1m",state="reversing"}} 2.0' in text
    assert f'{unknown}_oldest_seconds{{state="pending"}} 90000.0' in text
    assert f'{unknown}_oldest_id{{state="pending"}} 1001.0' in text
    assert f'{unknown}_oldest_id{{state="reversing"}} 0.0' in text
    assert 'netvalve_bank_ready{bank="Mock Bank"} 1.0' in text


async def test_log_has_one_line_an_answer_and_nothing_of_the_request(
    api: httpx.AsyncClient, face: Face
) -> None:
    await api.post("/sale?secret=query", json=SALE)
    await api.post("/sale", json={"cardNumber": "4012000098765438", "customerName": "Jane"})
    await api.get("/transaction?id=999888777")
    assert [line["status"] for line in face.lines] == [200, 400, 404]
    assert (
        face.lines[0].items()
        >= {
            "event": "answered",
            "operation": "saleOperation",
            "responseCode": "GTW_1000",
            "transactionID": 1001,
        }.items()
    )
    told = repr(face.lines)
    for secret in ("40120000", "987'", "Jane", "query", "999888777", "key-7"):
        assert secret not in told


async def test_every_answer_has_a_trace_of_its_own(api: httpx.AsyncClient, face: Face) -> None:
    traces = [(await api.get("/nothing")).json()["traceID"] for _ in range(3)]
    assert len(set(traces)) == 3
    assert [line["traceID"] for line in face.lines] == traces
