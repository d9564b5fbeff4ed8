"""Inquiry for who has lost an answer: by every name, in time, and the same body for ever."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest

from running import CARD, DECLINED_CARD, Merchant, Sandbox, fresh_order

WAIT_S = 2.0
"""The setting `inquiry_wait_s` as it is by default."""
PLACES = 100
"""Half of the sandbox's setting `inquiries_waiting_max`: what one client may hold."""
PARTIAL = 5010
"""The bank approves 5010.00 with field 39 = 10: a part of it."""


def eventually(look, expected, seconds=12):
    """Look again and again until it is as expected; the last sight otherwise fails the test."""
    end = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


def status(shop, number):
    return shop.get("/transaction", id=number)["status"]


def same(shop, told, **names):
    """Whether the inquiry holds every field of the answer with its value."""
    asked = shop.get("/inquiry", **names)
    return {name: asked.get(name) for name in told} == told and asked.keys() >= {
        "amount",
        "currency",
    }


def keyed(shop, path, key, **body):
    """A POST with an Idempotency-Key."""
    answer = shop.http.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


def charges(shop):
    """Answers of all kinds, with the name of each one's order."""
    orders = [fresh_order() for _ in range(5)]
    sold = shop.sale(100, clientOrderId=orders[0])
    held = shop.authorize(100, clientOrderId=orders[1])
    declined = shop.sale(12.5, clientOrderId=orders[2], cardNumber=DECLINED_CARD)
    indicator = {"partialAuthorizationIndicator": "true"}
    part = shop.sale(PARTIAL, clientOrderId=orders[3], additionalData=indicator)
    again = shop.post(
        "/rebill", transactionID=sold["transactionID"], amount=7, clientOrderId=orders[4]
    )
    return dict(zip(orders, (sold, held, declined, part, again), strict=True))


def test_the_lost_answer_is_told_field_for_field_whatever_has_happened_since(tmp_path):
    sandbox = Sandbox(tmp_path).start()
    try:
        with sandbox.client() as http:
            shop = Merchant(http)
            told = charges(shop)
            sold, held, *_ = told.values()
            key = uuid4().hex
            captured = keyed(shop, "/capture", key, transactionID=held["transactionID"], amount=100)
            for refund in (sold, held):
                shop.post("/refund", transactionID=refund["transactionID"], amount=30)
            assert captured["responseCode"] == "GTW_1000"
        sandbox.interrupt()
        sandbox.start()
        with sandbox.client() as http:
            shop = Merchant(http)
            for order, answer in told.items():
                assert same(shop, answer, clientOrderId=order)
                assert same(shop, answer, transactionId=answer["transactionID"])
            assert same(shop, captured, idempotencyKey=key)
            assert {each["responseCode"] for each in told.values()} == {"GTW_1000", "BNK_2005"}
    finally:
        sandbox.interrupt()


def test_what_timed_out_says_so_for_ever_and_its_status_moves_on(shop):
    order = fresh_order()
    told = shop.sale(6015, clientOrderId=order)
    assert told["responseCode"] == "GTW_2054"
    assert status(shop, told["transactionID"]) in {"Failed", "Reversed"}
    assert same(shop, told, clientOrderId=order)
    eventually(lambda: status(shop, told["transactionID"]), "Reversed")
    assert same(shop, told, clientOrderId=order)


@pytest.mark.parametrize("posted", [False, True])
def test_every_name_leads_to_it_and_all_must_agree(shop, posted):
    order, key = fresh_order(), uuid4().hex
    hold = shop.authorize(100, clientOrderId=order)
    captured = keyed(shop, "/capture", key, transactionID=hold["transactionID"], amount=100)
    other = shop.sale(5)

    def asked(headers=None, **names):
        if posted:
            return shop.http.post("/inquiry", json=names, headers=headers)
        return shop.http.get("/inquiry", params=names, headers=headers)

    def number(headers=None, **names):
        return asked(headers, **names).json()["transactionID"]

    capture, header = captured["transactionID"], {"Idempotency-Key": key}
    assert number(clientOrderId=order) == hold["transactionID"]
    assert number(idempotencyKey=key) == number(header) == capture
    assert number(header, transactionId=capture, clientOrderId=order) == capture
    assert number(header, idempotencyKey=key) == capture
    fresh = {"Idempotency-Key": uuid4().hex}
    assert number(fresh, transactionId=capture) == capture  # of a client that keys every request
    for headers, names in (
        (None, {"transactionId": other["transactionID"], "clientOrderId": order}),
        (None, {"transactionId": hold["transactionID"], "idempotencyKey": key}),
        (None, {"idempotencyKey": uuid4().hex, "transactionId": capture}),
        (None, {"clientOrderId": fresh_order()}),
        (None, {"idempotencyKey": uuid4().hex}),
        ({"Idempotency-Key": uuid4().hex}, {}),
    ):
        refused = asked(headers, **names)
        assert (refused.status_code, refused.json()["responseCode"]) == (404, "GTW_2103")


@pytest.mark.parametrize("names", [{}, {"clientOrderId": ""}, {"idempotencyKey": ""}])
def test_an_inquiry_names_something(shop, names):
    for answer in (
        shop.http.get("/inquiry", params=names),
        shop.http.post("/inquiry", json=names),
    ):
        assert answer.status_code == 400
        assert [each["responseCode"] for each in answer.json()] == ["GTW_2048"]
        assert "field = transactionId " in answer.json()[0]["responseMessage"]


def test_a_key_that_is_none_is_refused_by_its_name(shop):
    answer = shop.http.get("/inquiry", headers={"Idempotency-Key": "a b"})
    assert answer.status_code == 400
    assert "field = Idempotency-Key " in answer.json()[0]["responseMessage"]


def test_a_pending_answer_is_waited_for_and_says_when_to_ask_again(shop):
    hold = shop.authorize(7000)["transactionID"]
    final = {"amount": 6001, "captureOptions": {"finalCapture": True}}
    capture = shop.http.post("/capture", json={"transactionID": hold, **final})
    assert (capture.status_code, capture.json()["responseCode"]) == (200, "GTW_1002")
    assert int(capture.headers["Retry-After"]) >= 1
    number = capture.json()["transactionID"]
    seconds = []

    def asked():
        began = time.monotonic()
        answer = shop.http.get("/inquiry", params={"transactionId": number})
        assert WAIT_S - 0.2 < time.monotonic() - began < WAIT_S + 1
        assert (answer.status_code, answer.json()["responseCode"]) == (200, "GTW_1002")
        seconds.append(int(answer.headers["Retry-After"]))
        return max(seconds) > 2

    eventually(asked, True, 30)
    assert min(seconds) >= 1


async def test_a_crowd_that_waits_leaves_room_for_payments(sandbox, shop):
    hold = shop.authorize(7000)["transactionID"]
    final = {"amount": 6001, "captureOptions": {"finalCapture": True}}
    number = shop.post("/capture", transactionID=hold, **final)["transactionID"]
    above = 20

    async with sandbox.async_client(PLACES + above) as http:

        async def asked():
            began = time.monotonic()
            answer = await http.get("/inquiry", params={"transactionId": number})
            assert (answer.status_code, answer.json()["responseCode"]) == (200, "GTW_1002")
            assert int(answer.headers["Retry-After"]) >= 1
            return time.monotonic() - began

        crowd = asyncio.gather(*(asked() for _ in range(PLACES + above)))
        await asyncio.sleep(1)
        assert (await asyncio.to_thread(shop.sale, 5))["responseCode"] == "GTW_1000"
        seconds = sorted(await crowd)
    assert seconds[above - 1] < WAIT_S - 0.2 < seconds[above]


def test_an_outcome_that_comes_in_time_is_waited_for(shop):
    hold = shop.authorize(6114)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=6114)
    assert told["responseCode"] == "GTW_1002"
    asked = shop.http.get("/inquiry", params={"transactionId": told["transactionID"]})
    assert asked.json()["responseCode"] == "GTW_1000"
    assert "Retry-After" not in asked.headers


def test_a_sale_under_way_is_found_by_its_order_as_soon_as_it_is_durable(sandbox):
    order = fresh_order()
    sale = {"midId": 1, "amount": 6001, "currency": "USD", "clientOrderId": order, **CARD}
    with sandbox.client() as http:
        assert http.get("/inquiry", params={"clientOrderId": order}).status_code == 404
        with pytest.raises(httpx.ReadTimeout):
            http.post("/sale", json=sale, timeout=0.5)
        asked = http.get("/inquiry", params={"clientOrderId": order})
        assert asked.json()["responseCode"] == "GTW_2054"
