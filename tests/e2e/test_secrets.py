"""No card number, security code, key or password is anywhere it could be read."""

import re

import pytest

from netvalve.catalogue.card_brands import brand_of
from netvalve.domain.card import passes_luhn
from running import CARD, Merchant, Sandbox, fresh_order
from stores import contents_of

NUMBERS = {
    "sold": "4111111111111111",
    "held": "5555555555554444",
    "refused": "4012888888881881",
    "unanswered": "6011111111111117",
    "declined": "4532802195368940",
    "badly_sent": "5105105105105100",
}
CODE = "7391"
"""A security code whose digits appear nowhere else by design; four digits are taken as well."""
HOLDER_OF_CODE = re.compile(rb"(?<!\d)7391(?!\d)")
DIGITS = re.compile(rb"(?<![\d.])\d{16}(?!\d)")
"""Not the decimals of a measured time."""
WRONG_KEY = "a-key-that-is-wrong-9f8e7d6c5b4a"


def drive(sandbox):
    """Every operation, good and bad; every text that came back."""
    heard = []
    with sandbox.client(event_hooks={"response": [lambda each: heard.append(each.read())]}) as http:
        shop = Merchant(http)

        def card(which):
            return {"cardNumber": NUMBERS[which], "cardSecurityCode": CODE}

        sale = shop.sale(10, **card("sold"))["transactionID"]
        keyed = {"midId": 1, "amount": 9, "currency": "USD", **CARD, **card("sold")}
        http.post("/sale", json=keyed, headers={"Idempotency-Key": "a key"})
        for amount in (9, 8):
            other = {**keyed, "amount": amount}
            http.post("/sale", json=other, headers={"Idempotency-Key": "a-key"})
        hold = shop.authorize(10, **card("held"))["transactionID"]
        shop.post("/capture", transactionID=hold, amount=10)
        shop.post("/refund", transactionID=sale, amount=5)
        shop.post("/rebill", transactionID=sale, amount=5)
        shop.post("/cancel", transactionID=shop.authorize(9, **card("held"))["transactionID"])
        shop.sale(10, midId=999, **card("refused"))
        shop.sale(6001, **card("unanswered"))
        shop.sale(10, **card("declined"))
        shop.sale(6004, **card("sold"))
        shop.sale(10, midId=16, **card("sold"))
        bad = {"midId": 1, "amount": "eighty", "currency": "US", **CARD, **card("badly_sent")}
        http.post("/sale", json={**bad, "cardExpireMonth": "13", "customerEmail": "x"})
        http.post("/sale", json={**bad, "clientOrderId": NUMBERS["badly_sent"]})
        http.post("/sale", content=b'{"cardNumber": "%s", ' % NUMBERS["badly_sent"].encode())
        http.post(f"/sale/{NUMBERS['badly_sent']}", json={})
        http.get("/order", params={"clientOrderId": fresh_order(), "card": NUMBERS["badly_sent"]})
        http.get("/orders", params={"filters": f'{{"ccFirstSix": "{NUMBERS["badly_sent"]}"}}'})
        http.get("/transaction", params={"id": sale})
        http.get("/order", params={"transactionId": sale})
        http.get("/inquiry", params={"transactionId": hold})
        http.get("/orders")
        http.get("/export", headers={"accept": "text/csv"})
        http.get("/metrics")
        http.post("/sale", json={}, headers={"netvalve-api-key": WRONG_KEY})
        http.get("/orders", auth=("sandbox-merchant", WRONG_KEY))
    return b"\n".join(heard)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Everything a running sandbox leaves behind: name → bytes."""
    home = tmp_path_factory.mktemp("secrets")
    sandbox = Sandbox(home, charge_deadline_s=1, follow_up_deadline_s=1, log_file=home / "log.json")
    with sandbox:
        answers = drive(sandbox)
        ((number,),) = sandbox.rows("SELECT min(transaction_id) FROM transactions")
        shown = sandbox.command("transaction", "show", str(number), "--json").stdout
        stored = contents_of(sandbox.database_url)
        files = {
            str(path.relative_to(home)): path.read_bytes()
            for path in home.rglob("*")
            if path.is_file() and path.name not in {"sandbox.json", "keyring.json", "sandbox.log"}
        }
    store = b"\n".join(stored.values())
    return {**files, "answers": answers, "command": shown.encode(), "store": store}


def test_the_hunt_looks_where_it_should(places):
    assert any("bank" in name for name in places)
    sought = ("answers", "command", "store", "log.json")
    assert all(len(places[name]) > 1000 for name in sought)
    assert b"401200******" in places["answers"] or b"411111******1111" in places["answers"]


def test_no_card_number_is_anywhere(places):
    for name, content in places.items():
        for number in NUMBERS.values():
            assert number.encode() not in content, name
        for run in DIGITS.findall(content):
            digits = run.decode()
            assert not (passes_luhn(digits) and brand_of(digits) != "UNKNOWN"), (name, digits[:6])


def test_no_security_code_is_anywhere(places):
    for name in ("answers", "log.json", "command"):
        assert not HOLDER_OF_CODE.search(places[name]), name


def test_no_key_or_password_is_anywhere(places):
    secrets = [
        b"sandbox-only-N4hQ7vXw2Lr9TzKc5YbJ8mDf3GsAp6Ue",
        b"sandbox-only-W8kR3yMt6ZxBq9Vn",
        WRONG_KEY.encode(),
    ]
    for name, content in places.items():
        for secret in secrets:
            assert secret not in content, name
