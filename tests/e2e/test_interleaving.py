"""No interleaving of requests spends money twice; every loser hears its proper code."""

import asyncio
from collections import Counter

from running import CARD, fresh_order


async def post_all(sandbox, requests):
    """All of them at once; how often each code came back."""
    async with sandbox.async_client(100) as client:
        answers = await asyncio.gather(*(client.post(path, json=body) for path, body in requests))
    return Counter(answer.json()["responseCode"] for answer in answers)


async def test_a_retry_storm_of_one_order_pays_once(sandbox):
    sale = {"midId": 1, "amount": 10, "currency": "USD", "clientOrderId": fresh_order(), **CARD}
    codes = await post_all(sandbox, [("/sale", sale)] * 200)
    assert codes == {"GTW_1000": 1, "GTW_2065": 199}


async def test_200_refunds_at_once_give_back_what_was_captured_and_no_more(sandbox, shop):
    sale = shop.sale(100)["transactionID"]
    codes = await post_all(sandbox, [("/refund", {"transactionID": sale, "amount": 7})] * 200)
    assert codes["GTW_1000"] <= 14
    assert {*codes} <= {"GTW_1000", "GTW_2108", "GTW_2049"}
    shown = shop.get("/transaction", id=sale)
    assert shown["refundBalancedAmount"] == 100 - 7 * codes["GTW_1000"]


async def test_an_authorization_is_captured_or_cancelled_and_never_both(sandbox, shop):
    for _ in range(5):
        hold = shop.authorize(50)
        reference = {"transactionID": hold["transactionID"], "amount": 50}
        codes = await post_all(sandbox, [("/capture", reference), ("/cancel", reference)] * 20)
        assert codes["GTW_1000"] == 1
        assert {*codes} <= {"GTW_1000", "GTW_2046", "GTW_2047", "GTW_2049"}
        order = shop.get("/order", id=hold["orderId"])
        approved = [
            row["transactionType"]
            for row in order["transactions"]
            if row["responseCode"] == "GTW_1000"
        ]
        assert sorted(approved) in (["AUTHORIZATION", "CANCEL"], ["AUTHORIZATION", "CAPTURE"])
