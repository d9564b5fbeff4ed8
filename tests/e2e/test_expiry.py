"""An authorization that nobody captures ends with its hold, on both sides; real processes."""

import csv
import io
import json
import time

import httpx
import pytest

from running import Merchant, Sandbox

DAY_S = 0.25
HOLD_S = 7 * DAY_S
ENDS_WITHIN_S = 15


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A sandbox whose days are short."""
    home = tmp_path_factory.mktemp("hasty")
    short = {"sandbox_hold_day_s": DAY_S, "expiry_poll_s": 0.1}
    with Sandbox(home, **short, follow_up_deadline_s=1.0) as running:
        yield running


@pytest.fixture
def shop(hasty):
    with hasty.client() as http:
        yield Merchant(http)


@pytest.fixture
def bank(hasty):
    """The test bank's admin, its standing faults cleared at the end."""
    with httpx.Client(trust_env=False, base_url=hasty.admin_url) as http:
        yield http
        http.delete("/faults").raise_for_status()


def status(shop, told):
    return shop.get("/transaction", id=told["transactionID"])["status"]


def until(shop, told, expected):
    end = time.monotonic() + ENDS_WITHIN_S
    while (seen := status(shop, told)) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


def cancel_of(shop, told):
    (cancel,) = (
        row
        for row in shop.get("/order", id=told["orderId"])["transactions"]
        if row["transactionType"] == "CANCEL"
    )
    return cancel


def at_the_bank(bank, told):
    rows = csv.DictReader(io.StringIO(bank.get("/book.csv").text))
    return next(row["state"] for row in rows if row["rrn"] == told["bankTransactionId"])


def test_an_uncaptured_authorization_is_cancelled_when_its_hold_is_over(hasty, shop, bank):
    hold = shop.authorize(100)
    time.sleep(HOLD_S / 3)
    assert status(shop, hold) == "Authorised"
    until(shop, hold, "Cancelled")
    assert at_the_bank(bank, hold) == "CANCELLED"
    assert shop.get("/order", id=hold["orderId"])["status"] == "Cancelled"
    cancel = cancel_of(shop, hold)
    number = str(cancel["transactionId"])
    shown = json.loads(hasty.command("transaction", "show", number, "--json").stdout)
    assert shown["history"][0]["detail"] == "the hold time is over"
    late = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    assert late["responseCode"] == "GTW_2047"


def test_what_was_captured_in_time_is_left_alone(shop):
    hold = shop.authorize(100)
    shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    time.sleep(HOLD_S + 0.5)
    assert status(shop, hold) == "Captured"


def test_the_account_s_own_hold_goes_before_its_brand_s(hasty, shop):
    assert hasty.command("account", "set", "14", "--hold-days", "365").returncode == 0
    time.sleep(1)
    hold = shop.authorize(100, midId=14)
    time.sleep(HOLD_S + 0.5)
    assert status(shop, hold) == "Authorised"


def test_a_bank_that_cannot_cancel_is_not_asked(hasty, shop):
    hold = shop.authorize(100, midId=12)
    query = "SELECT expires_at_ms FROM orders WHERE order_id = :order_id"
    assert hasty.rows(query, order_id=hold["orderId"]) == [(None,)]


@pytest.mark.parametrize("amount", [6114, 6115, 6106])
def test_an_expiry_without_an_answer_is_repeated_like_any_cancel(shop, bank, amount):
    hold = shop.authorize(amount)
    until(shop, hold, "Cancelled")
    assert at_the_bank(bank, hold) == "CANCELLED"


def test_a_pending_capture_defers_the_end_and_its_refusal_brings_it(shop, bank):
    bank.post("/faults", json={"fault": "lost", "operation": "CAPTURE"}).raise_for_status()
    hold = shop.authorize(100)
    capture = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    assert capture["responseCode"] == "GTW_1002"
    time.sleep(HOLD_S + 0.5)
    assert status(shop, hold) == "Authorised"
    bank.delete("/faults").raise_for_status()
    refusal = {"fault": "code", "response_code": "05", "operation": "CAPTURE"}
    bank.post("/faults", json=refusal).raise_for_status()
    until(shop, capture, "Declined")
    until(shop, hold, "Cancelled")


def test_a_refused_expiry_is_put_off_and_not_asked_again_at_once(shop):
    hold = shop.authorize(5105)
    time.sleep(HOLD_S + 1)
    assert status(shop, hold) == "Authorised"
    assert cancel_of(shop, hold)["responseCode"] == "BNK_2005"


def test_an_end_that_passed_while_no_gateway_ran_comes_with_the_next(tmp_path):
    short = {"sandbox_hold_day_s": 1, "expiry_poll_s": 1}
    with Sandbox(tmp_path, **short) as running, running.client() as http:
        hold = Merchant(http).authorize(100)
        running.kill()
        time.sleep(7)
        running.start()
        with running.client() as again:
            until(Merchant(again), hold, "Cancelled")
    assert running.command("verify").returncode == 0
