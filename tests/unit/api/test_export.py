"""The streamed exports: whole, harmless in a spreadsheet, ended when nobody listens."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from netvalve.api.answers.answer import StreamedAnswer
from netvalve.api.answers.cells import csv_lines, harmless
from netvalve.api.sending import stream_answer
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.order import Customer, Details
from unit.api.face import Face
from unit.api.test_application import scope


async def test_csv_holds_everything_with_numbers_as_numbers(
    api: httpx.AsyncClient, face: Face
) -> None:
    details = Details(customer=Customer(city='New "York"', email="=cmd|' /C calc'!A0@x.io"))
    face.store.order_ = replace(face.store.order_, client_order_id="-1", details=details)
    response = await api.get(
        "/export?collectBillingInfo=true&pageSize=1", headers={"accept": "text/csv"}
    )
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert len(rows) == 600
    assert rows[0]["amount"] == "100"
    assert rows[0]["clientOrderId"] == "'-1"
    assert rows[0]["customerEmail"].startswith("'=cmd")
    assert rows[0]["billingCity"] == 'New "York"'


async def test_ndjson_holds_the_rows_of_the_page(api: httpx.AsyncClient) -> None:
    response = await api.get("/export", headers={"accept": "application/x-ndjson"})
    lines = [orjson.loads(line) for line in response.content.splitlines()]
    assert len(lines) == 600
    assert lines[0] == (await api.get("/export")).json()["content"][0]


async def test_export_of_another_client_s_rows_is_empty(api: httpx.AsyncClient, face: Face) -> None:
    response = await api.get("/export?clientId=8", headers={"accept": "text/csv"})
    assert response.text.count("\r\n") == 1
    assert (await api.get("/export?clientId=8")).json()["totalElements"] == 0
    assert face.store.searched == []


@pytest.mark.parametrize(
    "cell",
    [
        "=1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        " =1",
        "\u00a0\u3000+1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        " \uff1d1",
    ],
)
def test_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_number_stays_a_number() -> None:
    assert csv_lines([[-12.5, 7]]) == b"-12.5\r\n7\r\n"
    assert harmless("12-1") == "12-1"
    assert harmless(" 1=1") == " 1=1"


async def test_stream_ends_when_nobody_listens() -> None:
    made = ended = 0

    async def chunks():  # type: ignore[no-untyped-def]  # a generator in a test
        nonlocal made, ended
        try:
            while made < 1000:
                made += 1
                yield b"x" * 70_000
        finally:
            ended += 1

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        return

    await stream_answer(StreamedAnswer(b"text/csv", b"", chunks()), receive, send, head_only=False)
    assert made < 5
    assert ended == 1


@pytest.mark.parametrize("form", ["text/csv", "application/x-ndjson"])
async def test_store_that_is_away_before_the_first_row_is_told_by_the_status(
    api: httpx.AsyncClient, face: Face, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(face.store, "export", broken_after(0, face))
    response = await api.get("/export", headers={"accept": form})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["responseCode"] == "GTW_9999"


async def test_store_that_goes_away_later_breaks_the_stream_off(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face.store, "export", broken_after(2, face))
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    await face.application(scope("GET", "/export", (b"accept", b"text/csv")), receive, send)
    assert sent[0]["status"] == 200
    assert all(message["more_body"] for message in sent[1:])
    assert [line["event"] for line in face.lines] == ["stream_broken_off"]
    assert face.application._answering == 0


def broken_after(batches: int, face: Face) -> Any:
    """An export whose store goes away."""

    async def export(_search: object, form: Callable[..., bytes]) -> AsyncIterator[bytes]:
        for _ in range(batches):
            yield form(TransactionColumns.of([(face.store.transaction_, face.store.order_)] * 200))
        raise StoreUnavailable("away")

    return export
