"""What a bank refuses for good stays listed until an operator ends it; both books are real."""

import json
import re
import time

import httpx
import pytest

from conftest import SHORT
from running import Merchant, Sandbox, fresh_order

REASON = "the bank's letter of 3 May, A. Smith"


def eventually(look, expected, seconds=15):
    """Look again and again until it is as expected; the last sight otherwise fails the test."""
    end = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A sandbox whose bank may be told to misbehave, and is told to stop at the end of a test."""
    with Sandbox(tmp_path_factory.mktemp("resolve"), **SHORT) as running:
        yield running


@pytest.fixture
def till(own):
    with own.client() as http:
        yield Merchant(http)


@pytest.fixture
def reversals_refused(own):
    """The bank answers every reversal with 12."""
    with httpx.Client(base_url=own.admin_url, trust_env=False) as admin:
        order = {"fault": "code", "response_code": "12", "operation": "REVERSAL"}
        assert admin.post("/faults", json=order).status_code == 201
        yield
        admin.delete("/faults")


@pytest.fixture
def captures_answered_late(own):
    """The bank does what it is told to capture, and says so after four seconds."""
    with httpx.Client(base_url=own.admin_url, trust_env=False) as admin:
        order = {"fault": "late", "delay_s": 4, "operation": "CAPTURE"}
        assert admin.post("/faults", json=order).status_code == 201
        yield
        admin.delete("/faults")


def listed(sandbox, which):
    rows = json.loads(sandbox.command("transaction", "list", which, "--json").stdout)
    return {row["transaction_id"]: row for row in rows}


def resolved(sandbox, number, as_, reason=REASON):
    return sandbox.command("transaction", "resolve", str(number), "--as", as_, "--reason", reason)


def shown(sandbox, number):
    return json.loads(sandbox.command("transaction", "show", str(number), "--json").stdout)


def gauge(shop, name):
    found = re.search(rf"^{name} (\S+)$", shop.http.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def a_silent_capture(shop):
    """A hold of 7000.00, and its capture, to which the bank stays silent for ever."""
    hold = shop.authorize(7000)["transactionID"]
    final = {"amount": 6001, "captureOptions": {"finalCapture": True}}
    capture = shop.post("/capture", transactionID=hold, **final)
    assert capture["responseCode"] == "GTW_1002"
    return hold, capture["transactionID"]


def assert_verified(sandbox):
    found = sandbox.command("verify")
    assert found.returncode == 0, found.stdout


@pytest.mark.usefixtures("reversals_refused")
def test_a_refused_reversal_stays_listed_until_it_is_ended_by_hand(own, till):
    told = till.sale(6015)
    number = told["transactionID"]
    assert told["responseCode"] == "GTW_2054"
    eventually(lambda: listed(own, "--refused").get(number, {}).get("refused_with"), "12")
    assert gauge(till, "netvalve_reversals_refused") == 1
    assert gauge(till, 'netvalve_transactions_unknown_oldest_id{state="reversing"}') == number
    assert listed(own, "--pending")[number]["attempts"] >= 1
    assert till.get("/transaction", id=number)["status"] == "Failed"

    ended = resolved(own, number, "reversed")
    assert ended.returncode == 0, ended.stderr
    assert "REVERSED" in ended.stdout
    assert till.get("/transaction", id=number)["status"] == "Reversed"
    assert till.get("/inquiry", transactionId=number)["responseCode"] == "GTW_2054"
    assert listed(own, "--refused") == listed(own, "--pending") == {}
    assert gauge(till, "netvalve_reversals_refused") == 0
    record = shown(own, number)
    assert record["history"][-1]["detail"] == f"by hand: {REASON}"
    (message,) = record["messages"]
    assert (message["refused_with"], message["resolved_as"], message["reason"]) == (
        "12",
        "reversed",
        REASON,
    )
    assert_verified(own)


@pytest.mark.parametrize(
    ("as_", "code", "statuses"),
    [
        ("approved", "GTW_1000", ("Captured", "PARTIALLY_SETTLED")),
        ("declined", "BNK_2003", ("Declined", "Authorised")),
    ],
)
def test_a_pending_capture_ends_as_the_operator_says(own, till, as_, code, statuses):
    hold, capture = a_silent_capture(till)
    assert listed(own, "--pending")[capture]["message"] == "REPEAT"
    ended = resolved(own, capture, as_)
    assert ended.returncode == 0, ended.stderr
    asked = till.get("/inquiry", transactionId=capture)
    assert asked["responseCode"] == code
    assert asked.get("bankResponseCode") == ("00" if as_ == "approved" else None)
    read = [till.get("/transaction", id=each)["status"] for each in (capture, hold)]
    assert tuple(read) == statuses
    assert shown(own, capture)["history"][-1]["detail"] == f"{code} by hand: {REASON}"
    follows = "/refund" if as_ == "approved" else "/cancel"
    assert till.post(follows, transactionID=hold)["responseCode"] != "GTW_2049"
    assert_verified(own)


@pytest.mark.usefixtures("captures_answered_late")
def test_a_bank_that_contradicts_an_operator_is_heard_and_changes_nothing(own, till):
    hold = till.authorize(11)["transactionID"]
    final = {"amount": 11, "captureOptions": {"finalCapture": True}}
    capture = till.post("/capture", transactionID=hold, **final)["transactionID"]
    assert resolved(own, capture, "declined").returncode == 0
    assert till.get("/transaction", id=capture)["status"] == "Declined"

    eventually(lambda: shown(own, capture)["history"][-1]["event"], "CONTRADICTED")
    eventually(lambda: gauge(till, "netvalve_resolutions_contradicted_total") >= 1, True)
    time.sleep(2)
    record = shown(own, capture)
    assert [each["event"] for each in record["history"]].count("CONTRADICTED") == 1
    assert (record["history"][-1]["field_39"], record["state"]) == ("00", "DECLINED")
    assert till.get("/inquiry", transactionId=capture)["responseCode"] == "BNK_2003"
    assert till.get("/transaction", id=hold)["status"] == "Authorised"
    assert_verified(own)


def test_what_makes_no_sense_is_refused_and_changes_nothing(own, till):
    sold = till.sale(5)["transactionID"]
    _, capture = a_silent_capture(till)
    for number, as_, reason, said in (
        (sold, "reversed", REASON, "has ended"),
        (capture, "reversed", REASON, "approved or declined"),
        (capture, "approved", "  ", "reason"),
        (1, "approved", REASON, "there is no transaction 1"),
    ):
        refused = resolved(own, number, as_, reason)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert listed(own, "--pending")[capture]["resolved_as"] is None
    assert own.command("transaction", "list").returncode == 1
    assert resolved(own, capture, "declined").returncode == 0


def test_a_word_given_while_no_gateway_runs_is_carried_out_by_the_next(tmp_path):
    sandbox = Sandbox(tmp_path, **SHORT).start()
    try:
        with sandbox.client() as http:
            order = fresh_order()
            hold, capture = a_silent_capture(Merchant(http))
            assert Merchant(http).sale(3, clientOrderId=order)["responseCode"] == "GTW_1000"
        sandbox.interrupt()
        recorded = resolved(sandbox, capture, "declined")
        assert recorded.returncode == 0, recorded.stderr
        assert "as soon as a gateway runs" in recorded.stdout
        assert "already" in resolved(sandbox, capture, "approved").stderr
        assert listed(sandbox, "--pending")[capture]["resolved_as"] == "declined"
        sandbox.start()
        with sandbox.client() as http:
            shop = Merchant(http)
            eventually(lambda: shop.get("/transaction", id=capture)["status"], "Declined")
            assert shop.get("/transaction", id=hold)["status"] == "Authorised"
        assert_verified(sandbox)
    finally:
        sandbox.interrupt()
