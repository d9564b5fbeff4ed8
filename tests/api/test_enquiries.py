"""The enquiries over real sockets. Source: wire contract, section 4."""

import csv
import io
import json
from uuid import UUID

import pytest

from running import DECLINED_CARD, fresh_order


def test_inquiry_is_the_original_answer_field_for_field(shop):
    answer = shop.sale(12.5)
    asked = shop.get("/inquiry", transactionId=answer["transactionID"])
    assert {name: asked[name] for name in answer} == answer
    assert (asked["amount"], asked["currency"]) == (12.5, "USD")
    posted = shop.post("/inquiry", transactionId=answer["transactionID"])
    assert posted == asked


def test_inquiry_of_a_decline_is_the_decline(shop):
    answer = shop.sale(12.5, cardNumber=DECLINED_CARD)
    asked = shop.get("/inquiry", transactionId=answer["transactionID"])
    assert {name: asked[name] for name in answer} == answer


def test_a_transaction_shows_what_was_sent_and_what_the_bank_said(shop):
    order = fresh_order()
    answer = shop.authorize(
        77.7,
        clientOrderId=order,
        cardHolderName="Ada Lovelace",
        customerFirstName="Ada",
        customerLastName="Lovelace",
        customerEmail="ada@example.com",
        customerIp="2001:db8::1",
        customerAddress="12 St James's Square",
        customerZipCode="SW1Y",
        customerCity="London",
        customerCountryCode="GB",
        customerPhone="+44 20 7946 0000",
        **{
            "3DS": {
                "eci": "05",
                "cavv": "AAABBBCCC=",
                "dsTransactionId": "ds-1",
                "version": "2.2.0",
            }
        },
    )
    shown = shop.get("/transaction", id=answer["transactionID"], collectBillingInfo=True)
    expected = {
        "status": "Authorised",
        "transactionType": "AUTHORIZATION",
        "clientOrderId": order,
        "amount": 77.7,
        "currency": "USD",
        "cardNumber": "401200******5439",
        "cardholderName": "Ada Lovelace",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "customerEmail": "ada@example.com",
        "ipAddress": "2001:db8::1",
        "countryCode": "GB",
        "city": "London",
        "authCode": answer["authCode"],
        "bankTransactionId": answer["bankTransactionId"],
        "bankName": "Mock Bank",
        "accountName": "US dollar",
        "sourceOfTransaction": "API",
        "threeDsTransaction": True,
        "responseCode": "GTW_1000",
    }
    assert {name: shown.get(name) for name in expected} == expected
    assert shown["threeDomainsSecureData"]["cavv"] == "AAABBBCCC="
    assert {*shown["allowedActions"]} >= {"CAPTURE", "CANCEL"}
    assert shown["billingDetails"]["billingCity"] == "London"
    assert None not in shown.values()


def test_billing_is_shown_only_when_it_is_asked_for(shop):
    answer = shop.sale(1, customerCity="London")
    assert "billingDetails" not in shop.get("/transaction", id=answer["transactionID"])


@pytest.mark.parametrize(
    ("steps", "actions"),
    [
        ([], {"CAPTURE", "CANCEL", "REBILL"}),
        ([("/capture", 100)], {"REFUND", "REBILL"}),
        ([("/capture", 100), ("/refund", 100)], {"REBILL"}),
        ([("/cancel", None)], {"REBILL"}),
    ],
)
def test_allowed_actions_are_those_that_may_follow(shop, steps, actions):
    hold = shop.authorize(100)["transactionID"]
    for path, amount in steps:
        body = {"transactionID": hold, **({"amount": amount} if amount else {})}
        assert shop.post(path, **body)["responseCode"] == "GTW_1000"
    assert {*shop.get("/transaction", id=hold)["allowedActions"]} == actions


def test_an_order_is_found_by_every_name_it_has(shop):
    name = fresh_order()
    answer = shop.sale(5, clientOrderId=name)
    by_number = shop.get("/order", id=answer["orderId"])
    for query in (
        {"orderId": answer["orderId"]},
        {"clientOrderId": name},
        {"transactionId": answer["transactionID"]},
        {"clientOrderId": name, "netvalveMidId": answer["netvalveMidId"]},
    ):
        assert shop.get("/order", **query) == by_number
    assert by_number["id"] == by_number["orderId"] == answer["orderId"]
    assert by_number["transactionID"] == answer["transactionID"]
    assert by_number["netvalveMidId"] == answer["netvalveMidId"]
    assert by_number["status"] == "Purchased"
    row = by_number["transactions"][0]
    assert row["transactionId"] == answer["transactionID"]
    assert (row["transactionType"], row["responseCode"]) == ("SALE", "GTW_1000")


def test_an_account_alone_names_its_newest_order(shop):
    for _ in range(2):
        newest = shop.sale(5, midId=3, currency="GBP")
        found = shop.get("/order", netvalveMidId=newest["netvalveMidId"].upper())
        assert found == shop.get("/order", id=newest["orderId"])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/transaction", {"id": 9_007_199_254_740_000}),
        ("/order", {"id": 9_007_199_254_740_000}),
        ("/order", {"clientOrderId": "nobody's"}),
        ("/order", {"netvalveMidId": "5a4db0c0-0003-4000-8000-000000000099"}),
        ("/inquiry", {"transactionId": 9_007_199_254_740_000}),
    ],
)
def test_an_unknown_id_is_not_found(http, path, query):
    answer = http.get(path, params=query)
    assert answer.status_code == 404
    assert answer.json()["responseCode"] == "GTW_2103"
    UUID(answer.json()["traceID"])


@pytest.mark.parametrize("path", ["/transaction", "/order", "/inquiry"])
def test_a_missing_id_is_a_field_error(http, path):
    assert http.get(path).status_code == 400


@pytest.fixture(scope="module")
def crowd(sandbox):
    """Orders of one e-mail address that differ in what filters look at."""
    from running import Merchant

    address = f"{fresh_order()}@example.com"
    with sandbox.client() as client:
        shop = Merchant(client)
        plain = {"customerEmail": address}
        hold = shop.authorize(30, **plain, customerLastName="Zuse", customerCountryCode="DE")
        shop.post("/capture", transactionID=hold["transactionID"], amount=30)
        rows = {
            "sale": shop.sale(10, **plain, customerName="Grace", customerLastName="Hopper"),
            "euros": shop.sale(20, **plain, midId=2, currency="EUR", cardHolderName="G"),
            "captured": hold,
            "declined": shop.sale(40, **plain, cardNumber=DECLINED_CARD),
            "amex": shop.sale(50, **plain, cardNumber="371449635392376", cardSecurityCode="9997"),
            "secure": shop.sale(60, **plain, **{"3DS": {"eci": "05", "cavv": "A="}}),
        }
    return address, rows


UNASKED = {
    "includeReorders": False,
    "includeAllStatuses": False,
    "includeAllAuthorizations": False,
    "includeOnlySettled": False,
    "isEmptyList": False,
    "isChargebackOnly": False,
    "isFraudOnly": False,
    "clientName": "",
}
"""What asks for nothing."""

FILTERS = [
    ({"currency": "EUR"}, {"euros"}),
    ({"midId": 2}, {"euros"}),
    ({"netvalveMidId": "5a4db0c0-0003-4000-8000-000000000002"}, {"euros"}),
    ({"siteId": "5A4DB0C0-0002-4000-8000-000000000001", "midId": 2}, {"euros"}),
    ({"siteId": 5}, set()),
    ({"siteName": "SANDBOX shop", "midId": 2}, {"euros"}),
    ({"siteName": "Sandbox"}, set()),
    ({"bankId": 2}, {"euros"}),
    ({"bankId": 1}, {"sale", "captured", "declined", "amex", "secure"}),
    ({"merchantName": "sandbox merchant", "bankId": 2}, {"euros"}),
    ({"merchantName": "Another Merchant"}, set()),
    ({"transactionStatus": "Captured"}, {"captured"}),
    ({"transactionStatus": "Declined"}, {"declined"}),
    ({"walletType": "GOOGLE_PAY"}, set()),
    ({**UNASKED, "currency": "EUR"}, {"euros"}),
    ({"status": "Captured"}, {"captured"}),
    ({"orderStatus": "declined"}, {"declined"}),
    ({"status": "Purchased"}, {"sale", "euros", "amex", "secure"}),
    ({"cardType": "AMEX"}, {"amex"}),
    ({"ccFirstSix": "371449"}, {"amex"}),
    ({"ccLastFour": "8940"}, {"declined"}),
    ({"bin": "3714"}, {"amex"}),
    ({"firstName": "grace"}, {"sale"}),
    ({"lastName": "Zuse"}, {"captured"}),
    ({"countryCode": "DE"}, {"captured"}),
    ({"minAmount": 40}, {"declined", "amex", "secure"}),
    ({"maxAmount": 10}, {"sale"}),
    ({"minAmount": 20, "maxAmount": 30}, {"euros", "captured"}),
    ({"transactionType": "CAPTURE"}, {"captured"}),
    ({"transactionTypes": "CAPTURE,AUTHORIZATION"}, {"captured"}),
    ({"withThreeDs": True}, {"secure"}),
    ({"paymentType": "CARD", "currency": "EUR"}, {"euros"}),
    ({"paymentType": "WALLET"}, set()),
    ({"fromDateTime": "2020-01-01T00:00:00Z", "toDateTime": "2020-02-01"}, set()),
    ({"fromDateTime": "2020-01-01", "currency": "EUR"}, {"euros"}),
    ({"status": "no such status"}, set()),
]


@pytest.mark.parametrize("form", ["separate", "json"])
@pytest.mark.parametrize(("asked", "names"), FILTERS)
def test_orders_are_filtered_in_both_forms(shop, crowd, form, asked, names):
    address, rows = crowd
    wanted = {"emailAddress": address, **asked}
    query = wanted if form == "separate" else {"filters": json.dumps(wanted)}
    page = shop.get("/orders", page=0, pageSize=50, **query)
    assert {row["id"] for row in page["content"]} == {rows[name]["orderId"] for name in names}
    assert page["totalElements"] == len(names)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("bankTransactionId", "bankTransactionId"),
        ("bankAuthCode", "authCode"),
        ("correlationId", "traceID"),
        ("transactionId", "transactionID"),
        ("orderId", "orderId"),
    ],
)
def test_transactions_are_found_by_what_the_answer_showed(shop, crowd, field, name):
    address, rows = crowd
    query = {"emailAddress": address, field: rows["sale"][name]}
    page = shop.get("/export", page=0, pageSize=50, **query)
    assert [row["id"] for row in page["content"]] == [rows["sale"]["transactionID"]]


def test_a_transaction_is_found_by_the_one_it_refers_to(shop, crowd):
    address, rows = crowd
    hold = rows["captured"]["transactionID"]
    asked = {"emailAddress": address, "transactionReferenceId": hold}
    page = shop.get("/export", page=0, pageSize=50, **asked)
    assert [row["transactionType"] for row in page["content"]] == ["CAPTURE"]
    orders = shop.get("/orders", page=0, pageSize=50, **asked)
    assert [row["id"] for row in orders["content"]] == [rows["captured"]["orderId"]]


def test_a_transaction_is_found_by_the_card_schemes_id(shop, sandbox, crowd):
    _, rows = crowd
    sale = rows["sale"]["transactionID"]
    ((scheme_id,),) = sandbox.rows(
        "SELECT scheme_transaction_id FROM transactions WHERE transaction_id = :sale", sale=sale
    )
    page = shop.get("/export", tsysTransId=scheme_id, page=0, pageSize=50)
    assert [row["id"] for row in page["content"]] == [sale]


def test_a_page_has_the_contracts_envelope(shop, crowd):
    address, rows = crowd
    page = shop.get("/orders", emailAddress=address, page=1, pageSize=4)
    assert {name: page[name] for name in ("totalPages", "totalElements", "size", "number")} == {
        "totalPages": 2,
        "totalElements": 6,
        "size": 4,
        "number": 1,
    }
    assert (page["first"], page["last"], page["empty"]) == (False, True, False)
    assert page["numberOfElements"] == len(page["content"]) == 2
    first = shop.get("/orders", emailAddress=address, page=0, pageSize=4)
    newest = [row["id"] for row in first["content"] + page["content"]]
    assert newest == sorted((row["orderId"] for row in rows.values()), reverse=True)
    assert first["content"][0]["amount"] == "60.00"


def test_an_export_page_shows_transactions(shop, crowd):
    address, rows = crowd
    page = shop.get("/export", emailAddress=address, page=0, pageSize=50)
    assert page["totalElements"] == 7
    captured = next(row for row in page["content"] if row["transactionType"] == "CAPTURE")
    assert captured["transactionReference"] == rows["captured"]["transactionID"]
    assert captured["orderId"] == str(rows["captured"]["orderId"])
    assert captured["status"] == "Captured"


@pytest.mark.parametrize(
    ("accept", "read"),
    [
        ("text/csv", lambda text: list(csv.DictReader(io.StringIO(text)))),
        ("application/x-ndjson", lambda text: [json.loads(line) for line in text.splitlines()]),
    ],
)
def test_the_whole_result_streams(http, crowd, accept, read):
    address, _ = crowd
    answer = http.get("/export", params={"emailAddress": address}, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(accept)
    rows = read(answer.text)
    assert len(rows) == 7
    assert {row["transactionType"] for row in rows} == {"SALE", "AUTHORIZATION", "CAPTURE"}


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(shop, http):
    name = f"=HYPERLINK(1)+{fresh_order()}"
    shop.sale(1, clientOrderId=name)
    answer = http.get("/export", params={"clientOrderId": name}, headers={"accept": "text/csv"})
    row = next(iter(csv.DictReader(io.StringIO(answer.text))))
    assert row["clientOrderId"] == "'" + name


@pytest.mark.parametrize(
    "query",
    [
        {"page": -1},
        {"pageSize": 0},
        {"pageSize": 1001},
        {"fromDateTime": "2024-02-30"},
        {"resellerId": 1},
        {"isChargebackOnly": True},
        {"filters": "not json"},
        {"filters": json.dumps({"cbTransactionType": "RDR"})},
        {"transactionType": "SALES"},
        {"reportIncrement": "DAILY"},
        {"paymentStatus": "PAID"},
        {"threeDsProviderId": 1},
        {"serviceName": "a"},
        {"maxLimit": 10},
        {"additionalParameters": "a"},
        {"cbTransactionTypeEnum": "CHARGEBACK"},
    ],
)
@pytest.mark.parametrize("path", ["/orders", "/export"])
def test_a_filter_that_cannot_be_used_is_a_field_error(http, path, query):
    answer = http.get(path, params=query)
    assert answer.status_code == 400
    assert answer.json()[0]["responseMessage"].startswith("Validation error for field = ")
