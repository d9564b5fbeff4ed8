"""The HTTP admin: the book, the faults, the pace, and who is let in."""

import csv
from io import StringIO

import pytest

from conformance.testbank.talking import CARD, Line, RunningBank, authorize, capture, refund, sale
from netvalve.banks.testbank.statement import CSV_COLUMNS

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_health_counts_the_traffic(bank: RunningBank, line: Line) -> None:
    await line.ask(sale())
    health = (await bank.admin.get("/health")).json()
    assert health == {"status": "ok", "connections": 1, "messages": 1, "unreadable": 0}


async def test_book_shows_the_newest_entries_first_and_no_card(
    bank: RunningBank, line: Line
) -> None:
    first, second = sale(1_00), sale(2_00)
    await line.ask(first)
    await line.ask(second)
    answer = await bank.admin.get("/book", params={"limit": 1})
    (entry,) = answer.json()["entries"]
    assert (entry["rrn"], entry["card"]) == (second.fields["37"], "401200******5439")
    assert answer.json()["counts"] == [
        {"operation": "SALE", "state": "CAPTURED", "response_code": "00", "messages": 2}
    ]
    for path in ("/", "/book", "/book.csv"):
        text = (await bank.admin.get(path)).text
        assert CARD not in text
        assert "digest" not in text


async def test_csv_holds_the_whole_book_with_the_orders_money(
    bank: RunningBank, line: Line
) -> None:
    opening = authorize(10_000)
    for message in (opening, capture(opening, 9_000), refund(opening, 500), sale(5051_00)):
        await line.ask(message)
    answer = await bank.admin.get("/book.csv")
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert tuple(rows[0]) == CSV_COLUMNS
    lines = [
        (row["mti"], row["operation"], row["amount_minor"], row["state"], row["response_code"])
        for row in rows
    ]
    assert lines == [
        ("0100", "AUTHORIZE", "10000", "CAPTURED", "00"),
        ("0220", "CAPTURE", "9000", "CAPTURED", "00"),
        ("0200", "REFUND", "500", "REFUNDED", "00"),
        ("0200", "SALE", "505100", "DECLINED", "51"),
    ]
    assert (rows[0]["captured_minor"], rows[0]["refunded_minor"]) == ("9000", "500")
    assert rows[0]["terminal"] == "NV000000"
    totals = (await bank.admin.get("/book")).json()["money"]
    assert totals == [
        {"currency": "USD", "held_minor": 0, "captured_minor": 9_000, "refunded_minor": 500}
    ]


async def test_faults_are_set_listed_and_cleared(bank: RunningBank, line: Line) -> None:
    made = await bank.fault(fault="code", response_code="05", operation="SALE", messages=3)
    await bank.fault(fault="late", delay_s=0.1, percent=50, seed=3)
    assert await line.code(sale()) == "05"
    listed = (await bank.admin.get("/faults")).json()["faults"]
    assert [(each["number"], each["messages_left"]) for each in listed] == [(1, 2), (2, None)]
    assert (await bank.admin.delete(f"/faults/{made['number']}")).json() == {"cleared": 1}
    assert (await bank.admin.delete(f"/faults/{made['number']}")).status_code == 404
    assert (await bank.admin.delete("/faults")).json() == {"cleared": 1}
    assert await line.code(sale()) == "00"


async def test_page_and_its_forms(bank: RunningBank, line: Line) -> None:
    await line.ask(sale(43_10))
    form = {"fault": "code", "response_code": "61", "operation": "", "messages": "", "percent": ""}
    assert (await bank.admin.post("/faults", data=form)).status_code == 303
    page = (await bank.admin.get("/")).text
    assert "code 61" in page
    assert "43.10 USD" in page
    assert await line.code(sale()) == "61"
    assert (await bank.admin.post("/faults/clear", data={"number": "1"})).status_code == 303
    assert await line.code(sale()) == "00"
    assert (await bank.admin.post("/pace", data={"latency_s": "0.01"})).status_code == 303


async def test_pace_is_changed_while_the_bank_runs(bank: RunningBank, line: Line) -> None:
    changed = await bank.admin.put("/pace", json={"latency_s": 0.3})
    assert changed.json() == (await bank.admin.get("/pace")).json()
    assert changed.json() == {"latency_s": 0.3, "late_s": 0.4}
    line.send(sale())
    assert await line.silent(0.2)


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "unheard of"},
        {"fault": "code"},
        {"fault": "silent", "response_code": "05"},
        {"fault": "code", "response_code": "5"},
        {"fault": "slow"},
        {"fault": "twice", "delay_s": 1},
        {"fault": "late", "delay_s": 1e9},
        {"fault": "silent", "percent": 0},
        {"fault": "silent", "messages": 0},
        {"fault": "silent", "card": "4012000098765439"},
        ["silent"],
    ],
)
async def test_senseless_order_is_refused(bank: RunningBank, order: object) -> None:
    answer = await bank.admin.post("/faults", json=order)
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)
    assert (await bank.admin.get("/faults")).json() == {"faults": []}


async def test_json_is_taken_for_what_it_is_under_the_content_type_of_a_form(
    bank: RunningBank,
) -> None:
    as_curl_sends_it = {"content-type": "application/x-www-form-urlencoded"}
    order = b' {"fault": "silent", "messages": 1}'
    made = await bank.admin.post("/faults", content=order, headers=as_curl_sends_it)
    assert (made.status_code, made.json()["messages_left"]) == (201, 1)
    pace = b'{"latency_s": 0.2, "late_s": 35}'
    changed = await bank.admin.put("/pace", content=pace, headers=as_curl_sends_it)
    assert (changed.status_code, changed.json()) == (200, {"latency_s": 0.2, "late_s": 35})
    assert (await bank.admin.post("/faults", content=b"{", headers=as_curl_sends_it)).is_error


DIGITS = "9" * 5_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/book?limit={DIGITS}", 200),
        ("GET", "/book?limit=٣", 200),
        ("GET", "/book?limit=²", 200),
        ("GET", f"/book?rrn={DIGITS}", 200),
        ("DELETE", f"/faults/{DIGITS}", 404),
        ("DELETE", "/faults/0", 404),
    ],
)
async def test_number_that_cannot_be_is_no_fault_of_the_bank(
    bank: RunningBank, method: str, path: str, status: int
) -> None:
    assert (await bank.admin.request(method, path)).status_code == status


@pytest.mark.parametrize("number", [DIGITS, "²", "one", "-1", "1.5"])
async def test_form_with_a_wrong_number_clears_nothing(bank: RunningBank, number: str) -> None:
    await bank.fault(fault="silent")
    answer = await bank.admin.post("/faults/clear", data={"number": number})
    assert answer.status_code == 400
    assert len((await bank.admin.get("/faults")).json()["faults"]) == 1


@pytest.mark.parametrize("field", ["messages", "seed", "percent", "delay_s"])
async def test_order_with_a_number_of_many_digits_is_refused(bank: RunningBank, field: str) -> None:
    form = {"fault": "slow", "delay_s": "1", field: DIGITS}
    assert (await bank.admin.post("/faults", data=form)).status_code == 400


async def test_page_is_shown_in_no_frame(bank: RunningBank) -> None:
    headers = (await bank.admin.get("/")).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


async def test_other_host_name_is_refused(bank: RunningBank) -> None:
    assert (await bank.admin.get("/", headers={"host": "bank.example"})).status_code == 400


@pytest.mark.parametrize(
    "page",
    [
        {"origin": "https://shop.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:1", "host": "127.0.0.1"},
        {"origin": "http://localhost:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_page_of_another_origin_is_refused(bank: RunningBank, page: dict[str, str]) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        headers = {**page, "content-type": content_type}
        answer = await bank.admin.post("/faults", content=b'{"fault":"silent"}', headers=headers)
        assert answer.status_code == 403
    assert (await bank.admin.put("/pace", json={}, headers=page)).status_code == 403
    assert (await bank.admin.delete("/faults", headers=page)).status_code == 403
    assert (await bank.admin.delete("/faults/1", headers=page)).status_code == 403
    assert (await bank.admin.post("/faults/clear", headers=page)).status_code == 403
    assert (await bank.admin.get("/faults")).json() == {"faults": []}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_page_of_the_admin_itself_is_let_in(bank: RunningBank, host: str) -> None:
    authority = f"{host}:{bank.admin_port}"
    own = {"host": authority, "origin": f"http://{authority}", "sec-fetch-site": "same-origin"}
    answer = await bank.admin.post("/faults", data={"fault": "silent"}, headers=own)
    assert answer.status_code == 303
