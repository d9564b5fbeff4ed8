"""What becomes of a payment when the bank or the line misbehaves, over real sockets.

Source: wire contract, section 2; the faults are those of docs/sandbox.md.
"""

import json
import time

import httpx
import pytest

from netvalve.banks.testbank.cards import CARDS
from netvalve.banks.testbank.misbehaviour import FAULTS
from netvalve.banks.testbank.pace import LATE_S
from netvalve.banks.testbank.pages import cards_section
from running import Merchant, Sandbox, fresh_order

NO_ANSWER = (6001, 6002, 6004, 6005, 6006, 6007, 6014, 6015)
"""Silent, late, garbled, half, cut before and after booking, silent once, lost."""


DOCUMENTED = {
    cells[0].strip("` "): cells[-1].strip("` ")
    for cells in (line.strip("| \n").split("|") for line in cards_section().splitlines()[2:])
}
"""The answer to each card of docs/sandbox.md."""


def status(shop, transaction_id):
    return shop.get("/transaction", id=transaction_id)["status"]


def eventually(look, expected, seconds=12):
    """Look again and again until it is as expected; the last sight otherwise fails the test."""
    end = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


@pytest.fixture(scope="module")
def patient_shop(tmp_path_factory):
    """A merchant of a gateway that waits longer than the slowest answer takes."""
    home = tmp_path_factory.mktemp("patient")
    patient = Sandbox(home, charge_deadline_s=8, follow_up_deadline_s=8)
    with patient, patient.client() as http:
        yield Merchant(http)


@pytest.fixture
def soon_late(sandbox):
    """Late answers come after four seconds: past the first reversal, within a test."""
    with httpx.Client(base_url=sandbox.admin_url, trust_env=False) as admin:
        assert admin.put("/pace", json={"late_s": 4}).status_code == 200
        yield
        admin.put("/pace", json={"late_s": LATE_S})


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.outcome)
def test_each_card_gets_its_documented_answer(shop, card):
    answer = shop.sale(
        12.5,
        cardNumber=card.number,
        cardExpireMonth=card.expiry_month,
        cardExpireYear=card.expiry_year,
        cardSecurityCode=card.security_code,
    )
    assert answer["responseCode"] == DOCUMENTED[card.number]
    if card.misbehaviour and card.misbehaviour.response_code:
        assert answer["bankResponseCode"] == card.misbehaviour.response_code


@pytest.mark.usefixtures("soon_late")
def test_a_late_approval_of_a_reversed_charge_is_reversed_again(shop, sandbox):
    told = shop.sale(6002)
    assert told["responseCode"] == "GTW_2054"

    def states():
        show = sandbox.command("transaction", "show", str(told["transactionID"]), "--json")
        return [each["state"] for each in json.loads(show.stdout)["history"]]

    eventually(states, ["PENDING", "REVERSING", "REVERSED", "REVERSING", "REVERSED"])
    assert status(shop, told["transactionID"]) == "Reversed"


@pytest.mark.parametrize("amount", [6102, 6105])
def test_a_follow_up_whose_answer_is_lost_is_done_by_its_repeat(shop, amount):
    hold = shop.authorize(amount)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=amount)
    assert told["responseCode"] == "GTW_1002"
    eventually(lambda: status(shop, told["transactionID"]), "Captured")


def test_a_doubled_answer_to_a_follow_up_counts_once(shop):
    hold = shop.authorize(6103)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=6103)
    assert told["responseCode"] == "GTW_1000"
    assert shop.get("/transaction", id=hold)["refundBalancedAmount"] == 6103


def test_an_unlisted_field_39_declines_a_follow_up(shop):
    hold = shop.authorize(6113)["transactionID"]
    told = shop.post("/capture", transactionID=hold, amount=6113)
    assert (told["responseCode"], told["bankResponseCode"]) == ("BNK_2003", "ZZ")
    assert status(shop, told["transactionID"]) == "Declined"
    assert status(shop, hold) == "Authorised"


@pytest.mark.parametrize("last_digits", ["10", "11"])
def test_a_slow_answer_within_the_deadline_counts(patient_shop, last_digits):
    delay_s = FAULTS[last_digits].misbehaviour.delay_s
    began = time.monotonic()
    sale = patient_shop.sale(int(f"60{last_digits}"))
    assert sale["responseCode"] == "GTW_1000"
    assert delay_s <= time.monotonic() - began < 8
    hold = patient_shop.authorize(int(f"61{last_digits}"))["transactionID"]
    began = time.monotonic()
    capture = patient_shop.post("/capture", transactionID=hold, amount=int(f"61{last_digits}"))
    assert capture["responseCode"] == "GTW_1000"
    assert delay_s <= time.monotonic() - began < 8


@pytest.mark.parametrize("amount", [5010, 5032])
def test_a_partial_approval_nobody_asked_for_is_declined_and_reversed(shop, amount):
    told = shop.sale(amount)
    assert told["responseCode"] == "BNK_2003"
    eventually(lambda: status(shop, told["transactionID"]), "Reversed")


@pytest.mark.parametrize("amount", NO_ANSWER)
@pytest.mark.parametrize("path", ["/sale", "/authorize"])
def test_no_answer_to_a_charge_times_out_and_its_reversal_is_stored(shop, path, amount):
    charge = shop.sale if path == "/sale" else shop.authorize
    answer = charge(amount)
    assert answer["responseCode"] == "GTW_2054"
    assert answer["responseMessage"] == "Transaction Response Timeout."
    assert answer["responseCodeType"] == "SOFT DECLINE"
    assert "authCode" not in answer
    assert status(shop, answer["transactionID"]) in {"Failed", "Reversed"}
    inquiry = shop.get("/inquiry", transactionId=answer["transactionID"])
    assert inquiry["responseCode"] == "GTW_2054"


def test_no_answer_to_a_rebill_times_out(shop):
    sale = shop.sale(10)["transactionID"]
    assert shop.post("/rebill", transactionID=sale, amount=6001)["responseCode"] == "GTW_2054"


def test_no_answer_to_a_follow_up_stays_pending_and_keeps_the_orders_turn(shop):
    amount = 6101  # the bank stays silent to its repeats, too
    hold = shop.authorize(amount)["transactionID"]
    capture = shop.post("/capture", transactionID=hold, amount=amount)
    assert capture["responseCode"] == "GTW_1002"
    assert capture["responseMessage"] == "Transaction status is Pending."
    assert capture["responseCodeType"] == "PENDING"
    assert status(shop, capture["transactionID"]) == "Pending"
    for path in ("/cancel", "/capture"):
        second = shop.post(path, transactionID=hold, amount=amount)
        assert second["responseCode"] == "GTW_2049"
        assert "transactionID" not in second
    asked = shop.http.post("/inquiry", json={"transactionId": capture["transactionID"]}).json()
    assert asked["responseCode"] == "GTW_1002"


@pytest.mark.parametrize("path", ["/cancel", "/refund"])
def test_no_answer_to_a_cancel_or_refund_stays_pending(shop, path):
    opened = shop.authorize(6101) if path == "/cancel" else shop.sale(6101)
    answer = shop.post(path, transactionID=opened["transactionID"])
    assert answer["responseCode"] == "GTW_1002"


@pytest.mark.parametrize("amount", [6008, 6009, 6012])
def test_an_approval_of_something_else_is_declined_and_reversed(shop, amount):
    answer = shop.sale(amount)
    assert answer["responseCode"] == "BNK_2003"
    assert not {"authCode", "bankResponseCode", "bankResponseMessage"} & {*answer}
    assert status(shop, answer["transactionID"]) in {"Failed", "Reversed"}


def test_a_partial_approval_stands_where_it_was_asked_for(shop):
    answer = shop.authorize(6012, additionalData={"partialAuthorizationIndicator": "true"})
    assert answer["responseCode"] == "GTW_1000"
    assert answer["bankResponseCode"] == "10"
    over = shop.post("/capture", transactionID=answer["transactionID"], amount=6012)
    assert over["responseCode"] == "GTW_2124"
    whole = shop.post("/capture", transactionID=answer["transactionID"], amount=3006)
    assert whole["responseCode"] == "GTW_1000"


def test_a_doubled_answer_counts_once(shop):
    answer = shop.sale(6003)
    assert answer["responseCode"] == "GTW_1000"
    assert shop.sale(10)["responseCode"] == "GTW_1000"
    assert status(shop, answer["transactionID"]) == "Purchased"


def test_a_slow_bank_is_waited_for(shop):
    began = time.monotonic()
    assert shop.sale(6010)["responseCode"] == "GTW_1000"
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize(
    ("amount", "value", "code", "kind"),
    [
        (5001, "01", "BNK_2000", "SOFT DECLINE"),
        (5003, "03", "BNK_2009", "SOFT DECLINE"),
        (5005, "05", "BNK_2005", "SOFT DECLINE"),
        (5014, "14", "BNK_2002", "SOFT DECLINE"),
        (5041, "41", "BNK_3002", "HARD DECLINE"),
        (5043, "43", "BNK_3003", "HARD DECLINE"),
        (5051, "51", "BNK_2011", "SOFT DECLINE"),
        (5054, "54", "BNK_2004", "SOFT DECLINE"),
        (5059, "59", "BNK_3004", "HARD DECLINE"),
        (5099, "99", "BNK_2003", "SOFT DECLINE"),
        (6013, "ZZ", "BNK_2003", "SOFT DECLINE"),
    ],
)
def test_field_39_becomes_the_contracts_code_and_keeps_its_value(shop, amount, value, code, kind):
    answer = shop.sale(amount)
    assert (answer["responseCode"], answer["responseCodeType"]) == (code, kind)
    assert answer["bankResponseCode"] == value
    assert status(shop, answer["transactionID"]) == "Declined"


def test_a_wrong_security_code_is_a_mismatch(shop):
    answer = shop.sale(10, cardSecurityCode="000")
    assert (answer["responseCode"], answer["bankResponseCode"]) == ("BNK_3501", "N7")


def test_an_expired_card_is_the_banks_to_refuse(shop):
    answer = shop.sale(10, cardExpireYear="2020")
    assert (answer["responseCode"], answer["bankResponseCode"]) == ("BNK_2004", "54")


def test_a_refused_follow_up_leaves_the_order_as_it_was(shop):
    hold = shop.authorize(5105)["transactionID"]
    capture = shop.post("/capture", transactionID=hold, amount=5105)
    assert capture["responseCode"] == "BNK_2005"
    assert status(shop, hold) == "Authorised"
    assert status(shop, capture["transactionID"]) == "Declined"
    sale = shop.sale(5105)["transactionID"]
    refund = shop.post("/refund", transactionID=sale)
    assert refund["responseCode"] == "BNK_2005"
    assert shop.get("/transaction", id=sale)["refundBalancedAmount"] == 5105


def test_a_link_that_is_down_is_not_sent_and_nothing_stays_pending(shop):
    answer = shop.sale(10, midId=16)
    assert answer["responseCode"] == "GTW_2052"
    assert answer["responseMessage"] == "Transaction Failed On TSYS Server."
    assert answer["responseCodeType"] == "SOFT DECLINE"
    assert status(shop, answer["transactionID"]) == "Failed"


def test_an_issuer_that_is_away_declines_a_charge_and_repeats_a_follow_up(shop):
    assert shop.sale(5091)["responseCode"] == "BNK_2003"
    hold = shop.authorize(5191)["transactionID"]
    assert shop.post("/capture", transactionID=hold, amount=5191)["responseCode"] == "GTW_1002"


def test_a_payment_goes_on_when_its_client_has_gone(shop, sandbox):
    order = fresh_order()
    body = {"midId": 1, "amount": 6010, "currency": "USD", "clientOrderId": order}
    card = {"cardNumber": "4012000098765439", "cardExpireMonth": "12", "cardExpireYear": "2030"}
    with sandbox.client() as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post("/sale", json={**body, **card}, timeout=0.3)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        found = shop.http.get("/order", params={"clientOrderId": order})
        if found.status_code == 200 and found.json()["status"] == "Purchased":
            return
        time.sleep(0.05)
    pytest.fail(f"the order never became Purchased: {found.text}")


def test_the_answer_comes_before_the_deadline_and_its_grace(shop):
    began = time.monotonic()
    shop.sale(6001)
    assert 1.4 < time.monotonic() - began < 3.0
