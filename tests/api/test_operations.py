"""The six operations over real sockets to a real bank. Source: wire contract, sections 1 to 3."""

import re

import pytest

from running import CARD, DECLINED_CARD, fresh_order

APPROVED = {
    "responseCode": "GTW_1000",
    "responseMessage": "Transaction Approved/ Request Successful.",
    "responseCodeType": "APPROVED",
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


def holds(answer, **facts):
    return {name: answer.get(name) for name in facts} == facts


def test_a_sale_is_approved_with_every_field_of_the_contracts_sample(shop):
    answer = shop.sale(12.0)
    assert holds(
        answer,
        **APPROVED,
        paymentMethod="CARD",
        cardNumber="401200******5439",
        cardType="VISA",
        midId=1,
        bankResponseCode="00",
        bankResponseMessage="SUCCESS",
        transactionType="SALE",
        cardExpiryMonth="12",
        cardExpiryYear="2030",
    )
    assert list(answer)[:6] == [
        "traceID",
        "responseTimestamp",
        "transactionID",
        "responseCode",
        "responseMessage",
        "responseCodeType",
    ]
    assert TIMESTAMP.fullmatch(answer["responseTimestamp"])
    assert re.fullmatch(r"\d{12}", answer["bankTransactionId"])
    assert re.fullmatch(r"[A-Z0-9]{6}", answer["authCode"])
    assert isinstance(answer["transactionID"], int)
    assert isinstance(answer["orderId"], int)
    assert None not in answer.values()


def test_the_observed_minimal_sale_is_approved(shop):
    answer = shop.post(
        "/sale",
        netvalveMidId="5a4db0c0-0003-4000-8000-000000000002",
        midId="",
        amount="43.1",
        currency="EUR",
        clientOrderId=int(fresh_order().split("-")[1], 16),
        customerCountryCode="VA",
        customerPhone="800-1234567",
        surprise={"unknown": "properties are ignored"},
        **{name: each for name, each in CARD.items() if name != "cardSecurityCode"},
    )
    assert holds(answer, **APPROVED, midId=2)


def test_a_declined_card_keeps_the_banks_answer_and_shows_no_auth_code(shop):
    answer = shop.sale(1, cardNumber=DECLINED_CARD)
    assert holds(
        answer,
        responseCode="BNK_2005",
        responseMessage="Do not honour",
        responseCodeType="SOFT DECLINE",
        bankResponseCode="05",
    )
    assert isinstance(answer["isRetryAllowed"], bool)
    assert "authCode" not in answer


@pytest.mark.parametrize("value", ["08", "11", "16", "85", "87"])
def test_every_approving_value_of_a_bank_shows_as_00_and_is_kept_in_the_history(
    shop, sandbox, value
):
    answer = shop.sale(float(f"50{value}"))
    shown = {"bankResponseCode": "00", "bankResponseMessage": "SUCCESS"}
    assert holds(answer, **APPROVED, **shown)
    number = answer["transactionID"]
    assert holds(shop.get("/inquiry", transactionId=number), **APPROVED, **shown)
    assert holds(shop.get("/transaction", id=number), **shown)
    assert holds(shop.get("/order", id=answer["orderId"])["transactions"][0], **shown)
    assert holds(shop.get("/export", transactionId=number)["content"][0], **shown)
    history = sandbox.command("transaction", "show", str(number), "--json").stdout
    assert f'"field_39": "{value}"' in history


def test_a_partial_approval_that_was_asked_for_shows_the_banks_own_value(shop):
    answer = shop.sale(5010, additionalData={"partialAuthorizationIndicator": True})
    assert holds(answer, **APPROVED, bankResponseCode="10", bankResponseMessage="PARTIAL APPROVAL")
    assert answer["amount"] < 5010


def test_an_authorization_is_captured_whole(shop):
    hold = shop.authorize(100)
    assert holds(hold, **APPROVED, transactionType="AUTHORIZATION")
    capture = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    assert holds(capture, **APPROVED, transactionType="CAPTURE", orderId=hold["orderId"])
    assert capture["transactionID"] != hold["transactionID"]
    assert shop.get("/transaction", id=hold["transactionID"])["status"] == "Captured"
    again = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    assert again["responseCode"] == "GTW_2046"
    assert "transactionID" not in again


def test_a_final_capture_of_a_part_releases_the_rest_with_a_cancel(shop):
    hold = shop.authorize(100)
    shop.post(
        "/capture",
        transactionID=str(hold["transactionID"]),
        amount=40,
        captureOptions={"finalCapture": True},
    )
    order = shop.get("/order", id=hold["orderId"])
    rows = {row["transactionType"]: row for row in order["transactions"]}
    assert rows["AUTHORIZATION"]["status"] == "PARTIALLY_SETTLED"
    assert holds(rows["CANCEL"], amount=60, status="Cancelled")
    assert rows["CAPTURE"]["amount"] == 40
    cancel = shop.post("/cancel", transactionID=hold["transactionID"])
    assert cancel["responseCode"] == "GTW_2046"


def test_a_part_without_the_final_flag_is_a_validation_error(shop, http):
    hold = shop.authorize(100)
    answer = http.post("/capture", json={"transactionID": hold["transactionID"], "amount": 40})
    assert answer.status_code == 400
    assert answer.json()[0]["responseCode"] == "GTW_2038"
    assert "field = amount  Message:- " in answer.json()[0]["responseMessage"]


def test_an_authorization_is_cancelled_once(shop):
    hold = shop.authorize(100)
    cancel = shop.post("/cancel", transactionID=hold["transactionID"])
    assert holds(cancel, **APPROVED, transactionType="CANCEL")
    assert shop.get("/transaction", id=hold["transactionID"])["status"] == "Cancelled"
    assert shop.post("/cancel", transactionID=hold["transactionID"])["responseCode"] == "GTW_2047"
    capture = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    assert capture["responseCode"] == "GTW_2047"


def test_refunds_take_parts_until_nothing_is_left(shop):
    sale = shop.sale(100)
    part = shop.post("/refund", transactionID=sale["transactionID"], amount=30)
    assert holds(part, **APPROVED, transactionType="REFUND")
    shown = shop.get("/transaction", id=sale["transactionID"])
    assert holds(shown, status="Partially Refunded", refundBalancedAmount=70)
    over = shop.post("/refund", transactionID=sale["transactionID"], amount=70.01)
    assert over["responseCode"] == "GTW_2108"
    assert shop.post("/refund", transactionID=sale["transactionID"])["responseCode"] == "GTW_1000"
    assert shop.get("/transaction", id=sale["transactionID"])["status"] == "Refunded"
    left = shop.post("/refund", transactionID=sale["transactionID"], amount=0.01)
    assert left["responseCode"] == "GTW_2045"


def test_one_balance_counts_whichever_transaction_of_the_order_is_named(shop):
    hold = shop.authorize(100)
    capture = shop.post("/capture", transactionID=hold["transactionID"], amount=100)
    shop.post("/refund", transactionID=hold["transactionID"], amount=60)
    over = shop.post("/refund", transactionID=capture["transactionID"], amount=41)
    assert over["responseCode"] == "GTW_2108"
    rest = shop.post("/refund", transactionID=capture["transactionID"], amount=40)
    assert rest["responseCode"] == "GTW_1000"


def test_a_rebill_opens_an_order_of_its_own_that_refers_to_its_parent(shop):
    sale = shop.sale(20)
    order = fresh_order()
    rebill = shop.post(
        "/rebill",
        transactionID=sale["transactionID"],
        amount=15,
        clientOrderId=order,
        currency="USD",
        siteId="ignored",
    )
    assert holds(rebill, **APPROVED, transactionType="REBILL", cardNumber="401200******5439")
    assert rebill["orderId"] != sale["orderId"]
    shown = shop.get("/order", clientOrderId=order)
    assert shown["transactions"][0]["transactionReference"] == sale["transactionID"]
    assert shown["transactions"][0]["status"] == "Rebilled"
    assert shop.post("/refund", transactionID=rebill["transactionID"])["responseCode"] == "GTW_1000"


@pytest.mark.parametrize(
    ("mid_id", "currency", "amount"), [(4, "JPY", 1234), (5, "KWD", 12.345), (3, "GBP", 7)]
)
def test_every_currency_keeps_its_own_decimals(shop, mid_id, currency, amount):
    sale = shop.sale(amount, midId=mid_id, currency=currency)
    assert sale["responseCode"] == "GTW_1000"
    assert shop.get("/transaction", id=sale["transactionID"])["amount"] == amount


def test_a_site_chooses_its_account_by_the_currency(shop, sandbox):
    sale = shop.sale(10, midId=None, siteId=sandbox.facts["site_id"], currency="EUR")
    assert holds(sale, **APPROVED, midId=2, siteId=sandbox.facts["site_id"])


def test_avs_and_cvv_results_come_back(shop):
    sale = shop.sale(10, customerAddress="1 Main Street", customerZipCode="10001")
    shown = shop.get("/transaction", id=sale["transactionID"])
    assert shown["avsData"]["code"] == "Y"
    assert shown["cvvVerificationData"]["code"] == "M"
    assert shown["avsData"]["description"]


def test_the_same_client_order_never_pays_twice(shop):
    order = fresh_order()
    assert shop.sale(10, clientOrderId=order)["responseCode"] == "GTW_1000"
    again = shop.sale(10, clientOrderId=order)
    assert holds(
        again,
        responseCode="GTW_2065",
        responseMessage="Client Order Id Duplicate or Invalid . Kindly contact NetValve support.",
        responseCodeType="SOFT DECLINE",
    )
    assert "transactionID" not in again


def test_a_declined_order_is_used_up_and_a_refused_one_is_free(shop):
    declined, refused = fresh_order(), fresh_order()
    shop.sale(10, clientOrderId=declined, cardNumber=DECLINED_CARD)
    assert shop.sale(10, clientOrderId=declined)["responseCode"] == "GTW_2065"
    assert shop.sale(10, clientOrderId=refused, currency="EUR")["responseCode"] == "GTW_2019"
    assert shop.sale(10, clientOrderId=refused)["responseCode"] == "GTW_1000"


REFUSED_CHARGES = [
    ("GTW_2000", {"midId": 999}),
    ("GTW_2000", {"midId": None}),
    ("GTW_2000", {"midId": 13}),
    ("GTW_2000", {"midId": None, "siteId": "5a4db0c0-dead-4000-8000-000000000001"}),
    ("GTW_2008", {"midId": 7, "amount": 9.99}),
    ("GTW_2009", {"midId": 7, "amount": 100.01}),
    ("GTW_2019", {"currency": "EUR"}),
]


@pytest.mark.parametrize(("code", "fields"), REFUSED_CHARGES)
@pytest.mark.parametrize("path", ["/sale", "/authorize"])
def test_a_refused_charge_opens_nothing(shop, path, code, fields):
    order = fresh_order()
    plain = {"midId": 1, "amount": 10, "currency": "USD", "clientOrderId": order, **CARD}
    body = {name: each for name, each in {**plain, **fields}.items() if each is not None}
    answer = shop.post(path, **body)
    assert answer["responseCode"] == code
    assert answer["responseCodeType"] == "SOFT DECLINE"
    assert "transactionID" not in answer
    assert shop.http.get("/order", params={"clientOrderId": order}).status_code == 404


ACCOUNT_FIELDS = [
    ("cardHolderName", "GTW_2021"),
    ("customerName", "GTW_2025"),
    ("customerLastName", "GTW_2036"),
    ("customerAddress", "GTW_2010"),
    ("customerZipCode", "GTW_2011"),
    ("customerCountryCode", "GTW_2012"),
]


def test_what_an_account_asks_for_comes_back_whole_in_one_array(http):
    body = {"midId": 11, "amount": 10, "currency": "USD", **CARD}
    answer = http.post("/sale", json=body)
    assert answer.status_code == 400
    assert [
        (re.search(r"field = (\w+)  Message:- ", each["responseMessage"])[1], each["responseCode"])
        for each in answer.json()
    ] == ACCOUNT_FIELDS


def test_an_account_may_require_the_security_code(http):
    card = {name: each for name, each in CARD.items() if name != "cardSecurityCode"}
    answer = http.post("/sale", json={"midId": 6, "amount": 10, "currency": "USD", **card})
    assert answer.status_code == 400
    assert [each["responseCode"] for each in answer.json()] == ["GTW_2001"]


@pytest.mark.parametrize(
    "fields",
    [
        {"midId": 15},
        {"descriptor": "SHOP*1"},
        {"paymentType": "WALLET", "walletType": "GOOGLE_PAY"},
        {"paymentType": "TOKEN", "paymentToken": "tok"},
        {"paymentToken": "tok"},
    ],
)
def test_a_channel_that_is_not_enabled_is_forbidden(http, fields):
    answer = http.post(
        "/sale", json={"midId": 1, "amount": 10, "currency": "USD", **CARD, **fields}
    )
    assert answer.status_code == 403
    assert answer.json()["responseCode"] == "GTW_9003"


def test_a_dynamic_descriptor_goes_where_its_channel_is_enabled(shop):
    sale = shop.sale(10, midId=14, descriptor="SHOP*A LONG DESCRIPTOR OF MORE THAN 22")
    shown = shop.get("/transaction", id=sale["transactionID"])
    assert shown["descriptor"] == "SHOP*A LONG DESCRIPTOR OF MORE THAN 22"


@pytest.mark.parametrize("path", ["/capture", "/cancel", "/refund"])
def test_an_unknown_reference_is_not_found(shop, path):
    answer = shop.post(path, transactionID=9_007_199_254_740_000, amount=1)
    assert holds(
        answer, responseCode="GTW_2103", responseMessage="Reference Transaction Not Found ."
    )


def test_an_unknown_parent_of_a_rebill_is_an_invalid_merchant(shop):
    answer = shop.post("/rebill", transactionID=9_007_199_254_740_000, amount=1)
    assert answer["responseCode"] == "GTW_2000"


def test_the_wrong_type_of_reference_is_an_invalid_operation(shop):
    sale = shop.sale(10)["transactionID"]
    hold = shop.authorize(10)["transactionID"]
    rebill = shop.post("/rebill", transactionID=sale, amount=10)["transactionID"]
    for path, reference in (
        ("/capture", sale),
        ("/cancel", sale),
        ("/refund", hold),
        ("/rebill", rebill),
    ):
        answer = shop.post(path, transactionID=reference, amount=10)
        assert (path, answer["responseCode"]) == (path, "GTW_2013")


def test_amounts_above_what_was_authorised_are_refused(shop):
    hold = shop.authorize(10)["transactionID"]
    answer = shop.post("/capture", transactionID=hold, amount=10.01)
    assert holds(
        answer,
        responseCode="GTW_2124",
        responseMessage="Partial capture amount should not exceed the authorized amount.",
    )


def test_an_account_for_whole_amounts_takes_no_parts(shop):
    hold = shop.authorize(10, midId=8)["transactionID"]
    final = {"finalCapture": True}
    part = shop.post("/capture", transactionID=hold, amount=5, captureOptions=final)
    assert part["responseCode"] == "GTW_2123"
    sale = shop.sale(10, midId=8)["transactionID"]
    assert shop.post("/refund", transactionID=sale, amount=5)["responseCode"] == "GTW_2107"
    assert shop.post("/refund", transactionID=sale)["responseCode"] == "GTW_1000"


def test_rebills_ask_for_the_marker_where_the_account_does(shop):
    plain = shop.sale(10, midId=9)["transactionID"]
    assert shop.post("/rebill", transactionID=plain, amount=10)["responseCode"] == "GTW_2081"
    marked = shop.sale(10, midId=9, additionalData={"requestTransactionType": "RECURRING"})
    answer = shop.post("/rebill", transactionID=marked["transactionID"], amount=10)
    assert answer["responseCode"] == "GTW_1000"


def test_what_account_or_bank_cannot_do_is_refused(shop):
    kept = shop.sale(10, midId=10)["transactionID"]
    assert shop.post("/rebill", transactionID=kept, amount=10)["responseCode"] == "GTW_2100"
    plain = shop.sale(10, midId=12)["transactionID"]
    assert shop.post("/refund", transactionID=plain)["responseCode"] == "GTW_2100"
    assert shop.post("/rebill", transactionID=plain, amount=1)["responseCode"] == "GTW_2100"
    hold = shop.authorize(10, midId=12)["transactionID"]
    assert shop.post("/cancel", transactionID=hold)["responseCode"] == "GTW_2100"


def test_amounts_of_follow_ups_keep_the_parents_decimals(http, shop):
    hold = shop.authorize(10)["transactionID"]
    for path in ("/capture", "/refund", "/rebill"):
        reference = hold if path != "/refund" else shop.sale(10)["transactionID"]
        answer = http.post(path, json={"transactionID": reference, "amount": 1.001})
        assert answer.status_code == 400
        assert [each["responseCode"] for each in answer.json()] == ["GTW_2003"]


def test_a_sale_above_twelve_digits_is_refused(http):
    answer = http.post(
        "/sale", json={"midId": 1, "amount": 10_000_000_000, "currency": "USD", **CARD}
    )
    assert answer.status_code == 400
    assert [each["responseCode"] for each in answer.json()] == ["GTW_2059"]


def test_what_the_account_asks_for_stands_beside_what_is_wrong(http):
    card = {name: each for name, each in CARD.items() if name != "cardSecurityCode"}
    body = {"midId": "6", "amount": 10, "currency": "USD", "customerEmail": "bad", **card}
    answer = http.post("/sale", json=body)
    assert answer.status_code == 400
    assert [each["responseCode"] for each in answer.json()] == ["GTW_2001", "GTW_2029"]


def test_without_a_usable_account_only_what_is_wrong_comes_back(http):
    body = {"midId": 999, "amount": 10, "currency": "USD", "customerEmail": "bad", **CARD}
    answer = http.post("/sale", json=body)
    assert [each["responseCode"] for each in answer.json()] == ["GTW_2029"]
