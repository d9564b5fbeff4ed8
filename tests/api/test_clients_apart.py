"""One client can neither see nor touch what is another's, by any id.

Source: wire contract, sections 1 and 2.
"""

import json
import time

import httpx
import pytest

from running import CARD, Merchant, fresh_order


@pytest.fixture(scope="module")
def stranger(sandbox):
    """Another client of the same gateway, made by the command line while it runs."""
    added = json.loads(sandbox.command("client", "add", "Stranger", "--json").stdout)
    client_id = str(added["client_id"])
    key = json.loads(sandbox.command("key", "add", client_id, "--json").stdout)
    headers = {
        "netvalve-client-id": added["netvalve_client_id"],
        "netvalve-api-key": key["api_key"],
    }
    with httpx.Client(base_url=sandbox.base_url, headers=headers, trust_env=False) as http:
        for _ in range(40):
            if http.get("/orders").status_code == 200:
                break
            time.sleep(0.05)
        yield http


@pytest.fixture(scope="module")
def owned(sandbox):
    """A payment of the sandbox's merchant."""
    order = fresh_order()
    with sandbox.client() as http:
        shop = Merchant(http)
        return {
            "order": order,
            "hold": shop.authorize(10, clientOrderId=order),
            "sale": shop.sale(9),
        }


def body_of(answer):
    return {
        name: value
        for name, value in answer.json().items()
        if name not in {"traceID", "responseTimestamp"}
    }


def test_enquiries_answer_as_if_it_did_not_exist(stranger, owned):
    known = owned["hold"]
    for path, query, unknown in (
        ("/transaction", {"id": known["transactionID"]}, {"id": 9_007_199_254_740_000}),
        ("/inquiry", {"transactionId": known["transactionID"]}, {"transactionId": 9_007_199}),
        ("/order", {"id": known["orderId"]}, {"id": 9_007_199_254_740_000}),
        ("/order", {"clientOrderId": owned["order"]}, {"clientOrderId": "nobody's"}),
        ("/order", {"transactionId": known["transactionID"]}, {"transactionId": 9_007_199}),
    ):
        answer, nothing = stranger.get(path, params=query), stranger.get(path, params=unknown)
        assert answer.status_code == nothing.status_code == 404
        assert body_of(answer) == body_of(nothing)


def test_follow_ups_answer_as_if_it_did_not_exist(stranger, owned):
    for path, code in (
        ("/capture", "GTW_2103"),
        ("/cancel", "GTW_2103"),
        ("/refund", "GTW_2103"),
        ("/rebill", "GTW_2000"),
    ):
        kind = "sale" if path in {"/refund", "/rebill"} else "hold"
        asked = {"transactionID": owned[kind]["transactionID"], "amount": 1}
        unknown = {"transactionID": 9_007_199_254_740_000, "amount": 1}
        answer, nothing = stranger.post(path, json=asked), stranger.post(path, json=unknown)
        assert answer.json()["responseCode"] == code
        assert body_of(answer) == body_of(nothing)


def test_lists_show_nothing_of_it(stranger, owned):
    for path in ("/orders", "/export"):
        for query in ({}, {"orderId": owned["hold"]["orderId"]}, {"midId": 1}, {"clientId": 1}):
            assert stranger.get(path, params=query).json()["totalElements"] == 0


def test_its_accounts_cannot_be_used(stranger, sandbox):
    for named in (
        {"midId": 1},
        {"netvalveMidId": sandbox.facts["accounts"][0]["netvalve_mid_id"]},
        {"siteId": sandbox.facts["site_id"]},
    ):
        answer = stranger.post("/sale", json={**named, "amount": 1, "currency": "USD", **CARD})
        assert answer.json()["responseCode"] == "GTW_2000"


def test_its_order_names_are_free_to_others(stranger, owned):
    answer = stranger.get("/order", params={"clientOrderId": owned["order"]})
    assert answer.status_code == 404


def test_its_key_does_not_open_another_client(stranger, sandbox):
    mixed = {**dict(stranger.headers), "netvalve-client-id": sandbox.facts["client_id"]}
    assert stranger.get("/orders", headers=mixed).status_code == 401
