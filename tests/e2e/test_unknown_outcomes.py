"""An unknown outcome ends by itself, in something true on both sides: gateway and bank.

Real processes and sockets; the faults are those of docs/sandbox.md.
"""

import asyncio
import contextlib
import csv
import io
import time

import httpx
import pytest

from running import CARD, Merchant, Sandbox, fresh_order

ENDS_WITHIN_S = 12


def eventually(look, expected, seconds=ENDS_WITHIN_S):
    """Look again and again until it is as expected; the last sight otherwise fails the test."""
    end = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


def status(shop, transaction_id):
    return shop.get("/transaction", id=transaction_id)["status"]


def book(sandbox):
    """The bank's own book, by RRN."""
    with httpx.Client(trust_env=False) as http:
        text = http.get(f"{sandbox.admin_url}/book.csv").text
    return {row["rrn"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize(
    ("amount", "at_the_bank"),
    [(6001, "REVERSED"), (6004, "REVERSED"), (6007, "REVERSED"), (6008, "REVERSED")],
)
def test_a_charge_without_a_valid_answer_is_reversed_at_the_bank(
    shop, sandbox, amount, at_the_bank
):
    told = shop.sale(amount)
    eventually(lambda: status(shop, told["transactionID"]), "Reversed")
    asked = shop.get("/inquiry", transactionId=told["transactionID"])
    assert {name: asked[name] for name in told} == told
    booked = book(sandbox)[told["bankTransactionId"]]
    assert booked["state"] == at_the_bank


@pytest.mark.parametrize("amount", [6006, 6015])
def test_a_charge_the_bank_never_booked_is_reversed_all_the_same(shop, sandbox, amount):
    told = shop.authorize(amount)
    assert told["responseCode"] == "GTW_2054"
    eventually(lambda: status(shop, told["transactionID"]), "Reversed")
    history = sandbox.command("transaction", "show", str(told["transactionID"])).stdout
    assert "REVERSAL_ACKNOWLEDGED" in history
    assert "25" in history


@pytest.mark.parametrize("amount", [6104, 6106, 6107, 6114, 6115])
def test_a_follow_up_without_an_answer_is_done_by_its_repeat(shop, amount):
    hold = shop.authorize(amount)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=amount)
    assert told["responseCode"] == "GTW_1002"
    eventually(lambda: status(shop, told["transactionID"]), "Captured")
    assert status(shop, hold) == "Captured"
    asked = shop.get("/inquiry", transactionId=told["transactionID"])
    assert asked["responseCode"] == "GTW_1000"
    assert shop.post("/cancel", transactionID=hold)["responseCode"] == "GTW_2046"


@pytest.mark.parametrize(("path", "ends_as"), [("/cancel", "Cancelled"), ("/refund", "Refunded")])
def test_cancels_and_refunds_are_repeated_too(shop, sandbox, path, ends_as):
    opened = shop.authorize(6114) if path == "/cancel" else shop.sale(6114)
    told = shop.post(path, transactionID=opened["transactionID"])
    assert told["responseCode"] == "GTW_1002"
    eventually(lambda: status(shop, told["transactionID"]), ends_as)
    assert status(shop, opened["transactionID"]) == ends_as
    done = [
        row
        for row in book(sandbox).values()
        if row["rrn"]
        == shop.get("/inquiry", transactionId=told["transactionID"])["bankTransactionId"]
    ]
    assert [row["response_code"] for row in done] == ["00"]


def test_a_refused_repeat_frees_the_order(shop):
    hold = shop.authorize(5191)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=5191)
    assert told["responseCode"] == "GTW_1002"
    eventually(lambda: status(shop, told["transactionID"]), "Captured")


async def test_what_kill_9_left_open_ends_on_both_sides(tmp_path):
    sandbox = Sandbox(tmp_path, charge_deadline_s=5).start()
    orders = [fresh_order() for _ in range(60)]
    enough = asyncio.Event()
    approved: set[str] = set()

    async def pay(client, order, amount):
        sale = {"midId": 1, "amount": amount, "currency": "USD", "clientOrderId": order, **CARD}
        with contextlib.suppress(httpx.HTTPError):
            if (await client.post("/sale", json=sale)).json()["responseCode"] == "GTW_1000":
                approved.add(order)
                if len(approved) == 10:
                    enough.set()

    try:
        async with sandbox.async_client(60) as client:
            # Every other sale is booked and not answered.
            sales = [
                asyncio.create_task(pay(client, order, 6014 if place % 2 else 10))
                for place, order in enumerate(orders)
            ]
            await enough.wait()
            sandbox.kill()
            await asyncio.gather(*sales)
        sandbox.start()
        with sandbox.client() as http:
            shop = Merchant(http)

            def statuses():
                found = (http.get("/order", params={"clientOrderId": each}) for each in orders)
                return {each.json()["status"] for each in found if each.status_code == 200}

            eventually(lambda: statuses() <= {"Purchased", "Reversed"}, True)
            for order in approved:
                assert shop.get("/order", clientOrderId=order)["status"] == "Purchased"
        assert_books_agree(sandbox, book(sandbox))
    finally:
        sandbox.interrupt()


def assert_books_agree(sandbox, booked):
    """Every sale is captured at the bank where it is purchased here, and nowhere else."""
    rows = sandbox.rows("SELECT rrn, state FROM transactions WHERE type = 'SALE'")
    here = {rrn for rrn, state in rows if state == "APPROVED"}
    there = {rrn for rrn, row in booked.items() if row["state"] == "CAPTURED"}
    assert here == there
    assert len(rows) > len(here)
