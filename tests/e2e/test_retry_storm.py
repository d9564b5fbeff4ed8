"""A storm of retries of one order, 500 at once, pays once: with a key, without one, and mixed."""

import asyncio
import csv
import io
import json
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from running import CARD, fresh_order

AT_ONCE = 500
ALLOWED = {(200, "GTW_1000"), (200, "GTW_2065"), (429, "GTW_9999")}


def keyed(key):
    return {"Idempotency-Key": key}


async def storm(sandbox, path, body, headers):
    """All of them at once, each with its own headers; the answers in their order.

    Every request has a connection of its own, which is open before the first byte is sent: a
    client's pool would hand the requests out one after the other.
    """
    async with asyncio.timeout(60):
        url = httpx.URL(sandbox.base_url)
        lines = [await asyncio.open_connection(url.host, url.port) for _ in headers]
        requests = [request_of(sandbox, path, body, each) for each in headers]
        for (_, writer), request in zip(lines, requests, strict=True):
            writer.write(request)
        return await asyncio.gather(*(answer_on(*line) for line in lines))


def request_of(sandbox, path, body, headers):
    content = json.dumps(body)
    named = {**sandbox.headers(), **headers, "Host": "gateway", "Connection": "close"}
    named |= {"Content-Length": len(content)}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n{content}".encode()


async def answer_on(reader, writer):
    head, _, content = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    headers = [line.split(": ", 1) for line in lines]
    return httpx.Response(int(first.split()[1]), headers=headers, content=content)


async def again(sandbox, body, headers):
    """The same request once more, after the storm."""
    (answer,) = await storm(sandbox, "/sale", body, [headers])
    return answer


def codes(answers):
    """How often each status came with each code."""
    return Counter((each.status_code, each.json()["responseCode"]) for each in answers)


def approvals(answers):
    """The bodies of the approvals: replays are the first answer to the byte, so one at most."""
    return {each.content for each in answers if each.json()["responseCode"] == "GTW_1000"}


def booked(sandbox, shop, client_order_id):
    """The charges of one order in the bank's own book."""
    order = shop.get("/order", clientOrderId=client_order_id)
    (row,) = order["transactions"]
    told = shop.get("/inquiry", transactionId=row["transactionId"])
    with httpx.Client(trust_env=False) as http:
        text = http.get(f"{sandbox.admin_url}/book.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    return told, [each for each in rows if each["rrn"] == told["bankTransactionId"]], rows


def of_amount(rows, amount_minor):
    return [each for each in rows if each["amount_minor"] == str(amount_minor)]


@pytest.fixture
def body():
    """A sale of an amount that nothing else has."""
    amount_minor = 2_000_000 + int(uuid4().hex[:5], 16)
    return {
        "midId": 1,
        "amount": f"{amount_minor // 100}.{amount_minor % 100:02d}",
        "currency": "USD",
        "clientOrderId": fresh_order(),
        **CARD,
    }


def assert_paid_once(sandbox, shop, body, approval):
    told, ours, rows = booked(sandbox, shop, body["clientOrderId"])
    assert told["transactionID"] == approval["transactionID"]
    assert len(ours) == 1
    assert of_amount(rows, body["amount"].replace(".", "")) == ours


async def test_500_retries_with_one_key_pay_once(sandbox, shop, body):
    answers = await storm(
        sandbox, "/sale", body, [keyed("storm-1" + body["clientOrderId"])] * AT_ONCE
    )
    assert {*codes(answers)} <= {(200, "GTW_1000"), (429, "GTW_9999")}
    assert len(approvals(answers)) == 1
    for each in answers:
        if each.status_code == 429:
            assert each.headers["retry-after"] == "1"
    firsts = [each for each in answers if "idempotency-status" not in each.headers]
    assert codes(firsts)[200, "GTW_1000"] == 1
    (approval,) = approvals(answers)
    for _ in range(5):
        retried = await again(sandbox, body, keyed("storm-1" + body["clientOrderId"]))
        assert retried.content == approval
        assert retried.headers["idempotency-status"] == "replayed"
    assert_paid_once(sandbox, shop, body, retried.json())


async def test_500_retries_with_one_client_order_id_and_no_key_pay_once(sandbox, shop, body):
    answers = await storm(sandbox, "/sale", body, [{}] * AT_ONCE)
    assert codes(answers) == {(200, "GTW_1000"): 1, (200, "GTW_2065"): AT_ONCE - 1}
    (approved,) = [each for each in answers if each.json()["responseCode"] == "GTW_1000"]
    assert_paid_once(sandbox, shop, body, approved.json())


async def test_500_retries_with_keys_and_without_pay_once(sandbox, shop, body):
    """Whoever comes first has the order; under its key the approval is told to everyone."""
    key = str(uuid4())
    headers = [{} if place % 2 else keyed(key) for place in range(AT_ONCE)]
    answers = await storm(sandbox, "/sale", body, headers)
    assert {*codes(answers)} <= ALLOWED
    assert len(approvals(answers)) == 1
    retried = await again(sandbox, body, keyed(key))
    if answers[0].json()["responseCode"] == "GTW_1000":
        assert {retried.content} == approvals(answers)
    told = shop.get("/inquiry", clientOrderId=body["clientOrderId"])
    assert_paid_once(sandbox, shop, body, told)


async def test_500_retries_each_with_a_key_of_its_own_pay_once(sandbox, shop, body):
    keys = [str(uuid4()) for _ in range(AT_ONCE)]
    answers = await storm(sandbox, "/sale", body, [keyed(key) for key in keys])
    assert codes(answers) == {(200, "GTW_1000"): 1, (200, "GTW_2065"): AT_ONCE - 1}
    (winner,) = [
        key
        for key, each in zip(keys, answers, strict=True)
        if each.json()["responseCode"] == "GTW_1000"
    ]
    retried = await again(sandbox, body, keyed(winner))
    assert {retried.content} == approvals(answers)
    assert_paid_once(sandbox, shop, body, retried.json())


async def test_500_captures_with_one_key_capture_once_and_all_retries_hear_it(sandbox, shop):
    hold = shop.authorize(1234.56)
    body = {"transactionID": hold["transactionID"], "amount": 1234.56}
    key = keyed(str(uuid4()))
    answers = await storm(sandbox, "/capture", body, [key] * AT_ONCE)
    (retried,) = await storm(sandbox, "/capture", body, [key])
    assert {*codes(answers)} <= {(200, "GTW_1000"), (429, "GTW_9999")}
    assert {retried.content} == approvals(answers)
    order = shop.get("/order", id=hold["orderId"])
    types = sorted(each["transactionType"] for each in order["transactions"])
    assert types == ["AUTHORIZATION", "CAPTURE"]
