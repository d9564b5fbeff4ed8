"""No interleaving of requests spends money twice; every loser hears its proper code.

Two hundred requests at once over real sockets, at a bank that answers, one that is slow, and one
that stays silent at first. Afterwards the gateway's rows and the bank's book agree.
"""

import asyncio
import csv
import io
import json
import re
import time
from collections import Counter

import httpx
import pytest

from running import CARD, Merchant, Sandbox, fresh_order

ENDS_WITHIN_S = 40
DONE, PENDING = "GTW_1000", "GTW_1002"
CAPTURED, CANCELLED, BUSY = "GTW_2046", "GTW_2047", "GTW_2049"
NOTHING_LEFT, TOO_MUCH, NOTHING_CAPTURED = "GTW_2045", "GTW_2108", "GTW_2013"
MOODS = {"plain": 100, "slow": 6110, "silent at first": 6114}
"""The amount of a charge says how the bank takes what follows it."""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A sandbox of its own, so that its books can be compared."""
    home = tmp_path_factory.mktemp("crowded")
    with Sandbox(home, follow_up_deadline_s=1.5, turn_wait_s=0.8) as running:
        yield running


@pytest.fixture
def shop(crowded):
    with crowded.client() as http:
        yield Merchant(http)


@pytest.fixture(params=MOODS.values(), ids=MOODS)
def amount(request):
    return request.param


async def post_all(sandbox, requests):
    """All of them at once; how often each code came back."""
    async with sandbox.async_client(len(requests)) as client:
        answers = await asyncio.gather(*(client.post(path, json=body) for path, body in requests))
    assert {answer.status_code for answer in answers} == {200}
    return Counter(answer.json()["responseCode"] for answer in answers)


def ended(shop, order_id):
    """The order's transactions once none of them is pending."""
    end = time.monotonic() + ENDS_WITHIN_S
    while True:
        rows = shop.get("/order", id=order_id)["transactions"]
        if all(row["responseCode"] != PENDING for row in rows):
            return rows
        assert time.monotonic() < end, rows
        time.sleep(0.05)


def approved(rows):
    """How many of each type the bank has done."""
    return Counter(row["transactionType"] for row in rows if row["responseCode"] == DONE)


def booked(sandbox, rows):
    """The line of the bank's book that holds the order's money."""
    with httpx.Client(trust_env=False) as http:
        book = csv.DictReader(io.StringIO(http.get(f"{sandbox.admin_url}/book.csv").text))
    opening = next(row for row in rows if row["transactionType"] in {"AUTHORIZATION", "SALE"})
    return next(line for line in book if line["rrn"] == opening["bankTransactionId"])


def pace(sandbox, latency_s):
    """How long the bank thinks from now on."""
    with httpx.Client(trust_env=False) as http:
        http.put(f"{sandbox.admin_url}/pace", json={"latency_s": latency_s}).raise_for_status()


async def test_a_retry_storm_of_one_order_pays_once(crowded):
    sale = {"midId": 1, "amount": 10, "currency": "USD", "clientOrderId": fresh_order(), **CARD}
    codes = await post_all(crowded, [("/sale", sale)] * 200)
    assert codes == {DONE: 1, "GTW_2065": 199}


async def test_200_refunds_give_back_what_was_captured_and_no_more(crowded, shop, amount):
    sale = shop.sale(amount)
    refund = {"transactionID": sale["transactionID"], "amount": amount / 100}
    codes = await post_all(crowded, [("/refund", refund)] * 200)
    assert {*codes} <= {DONE, PENDING, BUSY, NOTHING_LEFT}
    assert bool(codes[NOTHING_LEFT]) <= (codes[DONE] + codes[PENDING] >= 99)
    rows = ended(shop, sale["orderId"])
    refunds = approved(rows)["REFUND"]
    assert codes[DONE] + codes[PENDING] == refunds <= 100
    assert int(booked(crowded, rows)["refunded_minor"]) == refunds * amount
    shown = shop.get("/transaction", id=sale["transactionID"])
    assert shown["refundBalancedAmount"] == pytest.approx(amount - refunds * amount / 100)


async def test_refunds_that_do_not_divide_the_sale_never_exceed_it(crowded, shop):
    sale = shop.sale(100)
    refund = {"transactionID": sale["transactionID"], "amount": 7}
    codes = await post_all(crowded, [("/refund", refund)] * 200)
    assert {*codes} <= {DONE, BUSY, TOO_MUCH}
    assert codes[DONE] <= 14
    assert int(booked(crowded, ended(shop, sale["orderId"]))["refunded_minor"]) == (
        codes[DONE] * 700
    )


async def test_refunds_whose_answers_are_lost_take_part_with_their_repeats(crowded, shop):
    sale = shop.sale(20_000)
    named = {"transactionID": sale["transactionID"]}
    silent, plain = {**named, "amount": 6014}, {**named, "amount": 20}
    codes = await post_all(crowded, [("/refund", silent)] * 3 + [("/refund", plain)] * 197)
    assert {*codes} <= {DONE, PENDING, BUSY, TOO_MUCH}
    assert codes[PENDING] >= 1
    rows = ended(shop, sale["orderId"])
    given_minor = sum(
        round(float(row["amount"]) * 100)
        for row in rows
        if row["transactionType"] == "REFUND" and row["responseCode"] == DONE
    )
    assert 601_400 <= given_minor <= 2_000_000
    assert int(booked(crowded, rows)["refunded_minor"]) == given_minor


@pytest.mark.parametrize(
    ("path", "too_late"),
    [("/capture", CAPTURED), ("/cancel", CANCELLED)],
    ids=["capture", "cancel"],
)
async def test_one_of_200_of_the_same_is_done(crowded, shop, amount, path, too_late):
    hold = shop.authorize(amount)
    body = {"transactionID": hold["transactionID"], "amount": amount}
    codes = await post_all(crowded, [(path, body)] * 200)
    assert {*codes} <= {DONE, PENDING, BUSY, too_late}
    assert codes[DONE] + codes[PENDING] == 1
    kind = path[1:].upper()
    assert approved(ended(shop, hold["orderId"])) == {"AUTHORIZATION": 1, kind: 1}


async def test_an_authorization_is_captured_or_cancelled_and_never_both(crowded, shop, amount):
    hold = shop.authorize(amount)
    body = {"transactionID": hold["transactionID"], "amount": amount}
    codes = await post_all(crowded, [("/capture", body), ("/cancel", body)] * 100)
    assert codes[DONE] + codes[PENDING] == 1
    rows = ended(shop, hold["orderId"])
    winner = approved(rows) - Counter(["AUTHORIZATION"])
    assert winner in ({"CAPTURE": 1}, {"CANCEL": 1})
    too_late = CAPTURED if winner["CAPTURE"] else CANCELLED
    assert {*codes} <= {DONE, PENDING, BUSY, too_late}
    line = booked(crowded, rows)
    assert int(line["captured_minor"]) == winner["CAPTURE"] * amount * 100
    assert line["state"] == ("CAPTURED" if winner["CAPTURE"] else "CANCELLED")


async def test_captures_cancels_and_refunds_of_one_authorization(crowded, shop, amount):
    hold = shop.authorize(amount)
    named = {"transactionID": hold["transactionID"]}
    whole, part = {**named, "amount": amount}, {**named, "amount": amount / 100}
    crowd = [("/capture", whole), ("/cancel", named), ("/refund", part), ("/refund", part)] * 50
    codes = await post_all(crowded, crowd)
    assert {*codes} <= {DONE, PENDING, BUSY, CAPTURED, CANCELLED, NOTHING_CAPTURED, NOTHING_LEFT}
    rows = ended(shop, hold["orderId"])
    done = approved(rows)
    assert done["CAPTURE"] + done["CANCEL"] == 1
    assert bool(codes[CAPTURED]) <= done["CAPTURE"]
    assert bool(codes[CANCELLED]) <= done["CANCEL"]
    assert codes[DONE] + codes[PENDING] == done.total() - 1
    line = booked(crowded, rows)
    assert int(line["captured_minor"]) == done["CAPTURE"] * amount * 100
    assert int(line["refunded_minor"]) == done["REFUND"] * amount


async def test_who_waited_hears_what_the_bank_has_made_of_it_meanwhile(crowded, shop):
    """The bank speaks well before the others' turn is over, and before most have had one."""
    hold = shop.authorize(100)
    pace(crowded, 0.3)
    codes = await post_all(crowded, [("/cancel", {"transactionID": hold["transactionID"]})] * 200)
    pace(crowded, 0)
    assert codes == {DONE: 1, CANCELLED: 199}


def test_afterwards_the_store_and_the_bank_s_book_agree(crowded, tmp_path):
    with crowded.client() as http:
        pending = re.compile(r"^netvalve_transactions_pending(?:\{.*\})? 0\.0$", re.MULTILINE)
        end = time.monotonic() + ENDS_WITHIN_S
        while not pending.search(http.get("/metrics").text):
            assert time.monotonic() < end
            time.sleep(0.1)
    with httpx.Client(trust_env=False) as http:
        book = tmp_path / "book.csv"
        book.write_text(http.get(f"{crowded.admin_url}/book.csv").text)
    verified = crowded.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    reconciled = crowded.command("reconcile", str(book), "--json")
    assert reconciled.returncode == 0, reconciled.stdout + reconciled.stderr
    assert json.loads(reconciled.stdout)["differences"] == []
