"""One key, one payment: what a merchant hears when it sends a request again.

Source: wire contract, section 2, and docs/idempotency.md.
"""

import asyncio
import json
import time
from uuid import uuid4

import httpx
import pytest

from running import CARD, DECLINED_CARD, fresh_order

REPLAYED = "replayed"


def sale(amount=12.5, **fields):
    return {"midId": 1, "amount": amount, "currency": "USD", **CARD, **fields}


class Shop:
    """A merchant's program that names its requests."""

    def __init__(self, http):
        self.http = http

    def send(self, path, body, key=None, **headers):
        """One POST under a key, a new one where none is given."""
        headers = {"Idempotency-Key": key or str(uuid4()), **headers}
        return self.http.post(path, json=body, headers=headers)

    def first(self, path, body):
        """A request that is new, and how to send it again."""
        key = str(uuid4())
        answer = self.send(path, body, key)
        assert answer.status_code == 200
        assert "idempotency-status" not in answer.headers
        return answer, lambda: self.send(path, body, key)

    def told(self, path, **body):
        return self.send(path, body).json()


@pytest.fixture
def keyed(http):
    return Shop(http)


def is_replay(answer, first):
    return answer.content == first.content and answer.headers["idempotency-status"] == REPLAYED


def count(http, client_order_id):
    """How many transactions an order has."""
    return len(http.get("/order", params={"clientOrderId": client_order_id}).json()["transactions"])


FINAL = {"captureOptions": {"finalCapture": True}}
CHARGES = {
    "approved": ("/sale", sale()),
    "declined": ("/sale", sale(cardNumber=DECLINED_CARD)),
    "approved in part": (
        "/sale",
        sale(6012, additionalData={"partialAuthorizationIndicator": "true"}),
    ),
    "not answered": ("/sale", sale(6004)),
    "not sent": ("/sale", sale(midId=16)),
    "held": ("/authorize", sale(100)),
}
FOLLOW_UPS = {
    "captured": ("/authorize", "/capture", {"amount": 100}),
    "captured in part": ("/authorize", "/capture", {"amount": 40, **FINAL}),
    "cancelled": ("/authorize", "/cancel", {}),
    "refunded": ("/sale", "/refund", {"amount": 2}),
    "rebilled": ("/sale", "/rebill", {"amount": 3}),
}


@pytest.mark.parametrize(("path", "body"), CHARGES.values(), ids=CHARGES)
def test_a_charge_sent_again_gets_its_first_answer_byte_for_byte(keyed, path, body):
    first, again = keyed.first(path, body)
    for _ in range(2):
        assert is_replay(again(), first)


@pytest.mark.parametrize(("parent", "path", "body"), FOLLOW_UPS.values(), ids=FOLLOW_UPS)
def test_a_follow_up_sent_again_gets_its_first_answer_byte_for_byte(keyed, parent, path, body):
    transaction_id = keyed.told(parent, **sale(100))["transactionID"]
    first, again = keyed.first(path, {"transactionID": transaction_id, **body})
    assert first.json()["responseCode"] == "GTW_1000"
    for _ in range(2):
        assert is_replay(again(), first)


def test_the_first_answer_stands_whatever_has_happened_since(keyed):
    sold, sold_again = keyed.first("/sale", sale())
    held, held_again = keyed.first("/authorize", sale(100))
    keyed.told("/refund", transactionID=sold.json()["transactionID"])
    keyed.told("/capture", transactionID=held.json()["transactionID"], amount=40, **FINAL)
    assert is_replay(sold_again(), sold)
    assert is_replay(held_again(), held)


def test_after_gtw_2054_the_answer_is_the_same_before_and_after_the_reversal(keyed, shop):
    first, again = keyed.first("/sale", sale(6004))
    assert first.json()["responseCode"] == "GTW_2054"
    end = time.monotonic() + 12
    seen = set()
    while "Reversed" not in seen and time.monotonic() < end:
        assert is_replay(again(), first)
        seen.add(shop.get("/transaction", id=first.json()["transactionID"])["status"])
        time.sleep(0.1)
    assert "Reversed" in seen
    assert is_replay(again(), first)


def test_a_pending_answer_is_replayed_until_the_final_one_is_there(keyed):
    hold = keyed.told("/authorize", **sale(7000))["transactionID"]
    body = {"transactionID": hold, "amount": 6014, **FINAL}
    first, again = keyed.first("/capture", body)
    assert first.json()["responseCode"] == "GTW_1002"
    codes, end = [], time.monotonic() + 12
    while "GTW_1000" not in codes and time.monotonic() < end:
        answer = again()
        assert answer.headers["idempotency-status"] == REPLAYED
        assert answer.json()["transactionID"] == first.json()["transactionID"]
        codes.append(answer.json()["responseCode"])
        time.sleep(0.1)
    assert codes[0] == "GTW_1002"
    assert sorted({*codes}) == ["GTW_1000", "GTW_1002"]
    assert again().content == again().content


def test_a_replay_charges_nothing(keyed, http):
    order = fresh_order()
    _, again = keyed.first("/sale", sale(clientOrderId=order))
    again()
    assert count(http, order) == 1
    hold = keyed.told("/authorize", **sale(100, clientOrderId=fresh_order()))
    _, again = keyed.first("/capture", {"transactionID": hold["transactionID"], "amount": 100})
    again()
    shown = http.get("/order", params={"id": hold["orderId"]}).json()
    assert len(shown["transactions"]) == 2


def test_the_same_body_spelled_otherwise_is_the_same_request(keyed):
    key, order = str(uuid4()), fresh_order()
    first = keyed.send("/sale", sale(12.5, clientOrderId=order), key)
    others = (
        sale("12.50", clientOrderId=order, midId="1", cardNumber=int(CARD["cardNumber"])),
        dict(reversed(sale(12.50, clientOrderId=order, orderDesc=None, siteId="").items())),
        sale(12.5, clientOrderId=order, cardSecurityCode="123", unknown="property"),
    )
    for other in others:
        assert is_replay(keyed.send("/sale", other, key), first)


def test_another_body_under_the_same_key_is_422_and_names_the_fields(keyed, http):
    key, order = str(uuid4()), fresh_order()
    keyed.send("/sale", sale(clientOrderId=order, orderDesc="shoes"), key)
    other = sale(13, clientOrderId=order, customerEmail="a@b.se", cardNumber="371449635392376")
    answer = keyed.send("/sale", other, key)
    assert answer.status_code == 422
    body = answer.json()
    assert body["differingFields"] == ["amount", "cardNumber", "customerEmail", "orderDesc"]
    assert [*body] == [
        "traceID",
        "responseTimestamp",
        "responseCode",
        "responseMessage",
        "responseCodeType",
        "differingFields",
    ]
    assert body["responseCode"] == "GTW_2013"
    assert "idempotency-status" not in answer.headers
    assert count(http, order) == 1


def test_a_key_is_of_one_operation(keyed):
    key = str(uuid4())
    keyed.send("/sale", sale(), key)
    answer = keyed.send("/authorize", sale(), key)
    assert (answer.status_code, answer.json()["differingFields"]) == (422, ["operation"])


def test_a_replay_depends_on_none_of_todays_rules(keyed, sandbox):
    """The account takes no payment any more; what it took is told all the same."""
    first, again = keyed.first("/sale", sale(midId=3, currency="GBP"))
    try:
        assert sandbox.command("account", "set", "3", "--disabled").returncode == 0
        end = time.monotonic() + 5
        while keyed.send("/sale", sale(midId=3, currency="GBP")).json()["responseCode"] != (
            "GTW_2000"
        ):
            assert time.monotonic() < end
        assert is_replay(again(), first)
    finally:
        sandbox.command("account", "set", "3", "--enabled")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (sale("eighty"), 400),
        (sale(midId=999), 200),
        (sale(midId=15), 403),
    ],
)
def test_a_refusal_keeps_nothing_and_leaves_the_key_free(keyed, body, status):
    key = str(uuid4())
    refused = keyed.send("/sale", body, key)
    assert (refused.status_code, "transactionID" in refused.text) == (status, False)
    assert keyed.send("/sale", sale(), key).json()["responseCode"] == "GTW_1000"


def test_a_body_that_is_wrong_under_a_known_key_is_another_body(keyed):
    key = str(uuid4())
    keyed.send("/sale", sale(), key)
    assert keyed.send("/sale", sale("eighty"), key).status_code == 422
    headers = {"Idempotency-Key": key}
    assert keyed.http.post("/sale", content=b"{", headers=headers).status_code == 400


def test_a_second_order_under_a_used_client_order_id_is_refused_under_any_key(keyed):
    body = sale(clientOrderId=fresh_order())
    first, again = keyed.first("/sale", body)
    for _ in range(2):
        assert keyed.send("/sale", body).json()["responseCode"] == "GTW_2065"
    assert is_replay(again(), first)


async def test_a_request_is_busy_while_its_first_one_is_being_answered(sandbox):
    body, headers = sale(6010), {"Idempotency-Key": str(uuid4())}
    async with sandbox.async_client() as client:

        async def send(**changes):
            return await client.post("/sale", json=body | changes, headers=headers)

        first = asyncio.create_task(send())
        await asyncio.sleep(0.3)
        busy, other = await send(), await send(orderDesc="boots")
        told = await first
        again = await send()
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "1")
    assert busy.json()["responseCode"] == "GTW_9999"
    assert (other.status_code, other.json()["differingFields"]) == (422, ["orderDesc"])
    assert told.json()["responseCode"] == "GTW_1000"
    assert is_replay(again, told)


@pytest.mark.parametrize(
    "headers",
    [
        [("Idempotency-Key", "")],
        [("Idempotency-Key", "two words")],
        [("Idempotency-Key", "a" * 256)],
        [("Idempotency-Key", "one"), ("Idempotency-Key", "two")],
    ],
)
def test_a_key_that_breaks_the_rules_is_a_failed_field(http, headers):
    answer = http.post("/sale", json=sale(), headers=headers)
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "responseCode": "GTW_2063",
            "responseMessage": "Validation error for field = Idempotency-Key  "
            "Message:- Invalid Value / Null Value",
            "responseCodeType": "SOFT DECLINE",
        }
    ]


def test_another_clients_key_is_another_key(keyed, sandbox):
    added = json.loads(sandbox.command("client", "add", "Neighbour", "--json").stdout)
    made = sandbox.command("key", "add", str(added["client_id"]), "--json").stdout
    headers = {
        "netvalve-client-id": added["netvalve_client_id"],
        "netvalve-api-key": json.loads(made)["api_key"],
    }
    key = str(uuid4())
    keyed.send("/sale", sale(), key)
    with httpx.Client(base_url=sandbox.base_url, headers=headers, trust_env=False) as http:
        end = time.monotonic() + 5
        while (answer := Shop(http).send("/sale", sale(), key)).status_code == 401:
            assert time.monotonic() < end
    assert (answer.status_code, answer.json()["responseCode"]) == (200, "GTW_2000")


def test_nothing_of_a_body_or_its_key_is_in_the_store_in_clear(keyed, sandbox):
    key = str(uuid4())
    secret = "a description that is nowhere else"
    paid = keyed.send("/sale", sale(amount=41.93, orderDesc=secret, cardSecurityCode="741"), key)
    ((name, digests, operation),) = sandbox.rows(
        "SELECT idempotency_key, digests, operation FROM idempotency_keys"
        " WHERE transaction_id = :number",
        number=paid.json()["transactionID"],
    )
    assert operation == "/sale"
    assert key not in name
    said = json.loads(digests)
    assert "cardSecurityCode" not in said
    assert {"amount", "cardNumber", "orderDesc"} <= said.keys()
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in said.values())
