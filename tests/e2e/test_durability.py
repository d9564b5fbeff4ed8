"""What was acknowledged is there after kill -9, and nothing is half written."""

import asyncio
import contextlib
from collections import Counter

import httpx

from running import CARD, Sandbox, fresh_order

ENDED_OR_PENDING = {"Purchased", "Pending", "Failed", "Reversed"}


async def test_kill_9_in_the_middle_of_200_sales_loses_no_acknowledged_sale(tmp_path):
    sandbox = Sandbox(tmp_path, charge_deadline_s=5).start()
    acknowledged: list[int] = []
    enough = asyncio.Event()
    orders = [fresh_order() for _ in range(200)]

    async def pay(client, order, amount):
        sale = {"midId": 1, "amount": amount, "currency": "USD", "clientOrderId": order, **CARD}
        with contextlib.suppress(httpx.HTTPError):
            answer = (await client.post("/sale", json=sale)).json()
            if answer["responseCode"] == "GTW_1000":
                acknowledged.append(answer["transactionID"])
                if len(acknowledged) == 50:
                    enough.set()

    try:
        async with sandbox.async_client(200) as client:
            # Every fourth sale is booked and not answered, so that some are in flight.
            sales = [
                asyncio.create_task(pay(client, order, 6014 if place % 4 == 0 else 10))
                for place, order in enumerate(orders)
            ]
            await enough.wait()
            sandbox.kill()
            await asyncio.gather(*sales)
        sandbox.start()
        with sandbox.client() as http:
            for transaction_id in acknowledged:
                shown = http.get("/inquiry", params={"transactionId": transaction_id}).json()
                assert shown["responseCode"] == "GTW_1000"
            found = [http.get("/order", params={"clientOrderId": order}) for order in orders]
        statuses = Counter(each.json()["status"] for each in found if each.status_code == 200)
        assert {*statuses} <= ENDED_OR_PENDING
        assert statuses["Purchased"] >= len(acknowledged) >= 50
        assert statuses.total() > statuses["Purchased"], "nothing was in flight"
        assert_nothing_is_half_written(sandbox)
    finally:
        sandbox.interrupt()


def assert_nothing_is_half_written(sandbox):
    """Each order has its opening transaction, its name and its history; and nothing has less."""
    orphans = """
        SELECT
          (SELECT count(*) FROM orders o WHERE NOT EXISTS
            (SELECT 1 FROM transactions t
             WHERE t.transaction_id = o.opening_id AND t.order_id = o.order_id)),
          (SELECT count(*) FROM transactions t WHERE NOT EXISTS
            (SELECT 1 FROM orders o WHERE o.order_id = t.order_id)),
          (SELECT count(*) FROM transactions t WHERE NOT EXISTS
            (SELECT 1 FROM events e
             WHERE e.transaction_id = t.transaction_id AND e.event = 'OPENED')),
          (SELECT count(*) FROM order_keys k WHERE NOT EXISTS
            (SELECT 1 FROM orders o WHERE o.order_id = k.order_id)),
          (SELECT count(*) FROM orders o WHERE o.client_order_id IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM order_keys k WHERE k.order_id = o.order_id)),
          (SELECT count(*) FROM orders o WHERE
            (o.state = 'PENDING') <> (o.in_flight_id IS NOT NULL))
    """
    assert sandbox.rows(orphans) == [(0, 0, 0, 0, 0, 0)]


def test_a_second_start_keeps_the_data(tmp_path):
    order = fresh_order()
    sale = {"midId": 1, "amount": 10, "currency": "USD", "clientOrderId": order, **CARD}
    with Sandbox(tmp_path) as first, first.client() as http:
        told = http.post("/sale", json=sale).json()
    with Sandbox(tmp_path) as second, second.client() as http:
        asked = http.get("/inquiry", params={"transactionId": told["transactionID"]}).json()
        assert {name: asked[name] for name in told} == told
        assert http.post("/sale", json=sale).json()["responseCode"] == "GTW_2065"


async def test_ctrl_c_answers_first_what_is_in_flight(tmp_path):
    sandbox = Sandbox(tmp_path).start()
    sale = {"midId": 1, "amount": 6010, "currency": "USD", **CARD}
    async with sandbox.async_client() as client:
        slow = [
            asyncio.create_task(client.post("/sale", json={**sale, "clientOrderId": fresh_order()}))
            for _ in range(20)
        ]
        await asyncio.sleep(0.4)
        status = await asyncio.to_thread(sandbox.interrupt)
        answers = await asyncio.gather(*slow)
    assert [each.json()["responseCode"] for each in answers] == ["GTW_1000"] * 20
    assert status == 0
