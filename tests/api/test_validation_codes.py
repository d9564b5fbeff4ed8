"""Each validation code by a request, and what of odd input is taken for good."""

from typing import Any

import httpx
import pytest

from running import CARD, fresh_order

SALE = {"midId": 1, "amount": 12.5, "currency": "USD", "paymentType": "CARD", **CARD}
MISSING = object()

REFUSED = [
    ("midId", "one", "GTW_2000"),
    ("amount", MISSING, "GTW_2002"),
    ("amount", None, "GTW_2002"),
    ("amount", "eighty", "GTW_2002"),
    ("amount", True, "GTW_2002"),
    ("amount", 12.505, "GTW_2003"),
    ("amount", "0.001", "GTW_2003"),
    ("amount", 0, "GTW_2004"),
    ("amount", -1, "GTW_2004"),
    ("amount", 10_000_000_000, "GTW_2059"),
    ("currency", MISSING, "GTW_2018"),
    ("currency", "", "GTW_2018"),
    ("currency", "XXX", "GTW_2019"),
    ("currency", "usd", "GTW_2019"),
    ("currency", 840, "GTW_2019"),
    ("orderDesc", "x" * 256, "GTW_2063"),
    ("orderDesc", "a\u0000b", "GTW_2063"),
    ("clientOrderId", "x" * 101, "GTW_2020"),
    ("clientOrderId", "a\nb", "GTW_2063"),
    ("cardSecurityCode", "12", "GTW_2006"),
    ("cardSecurityCode", "12345", "GTW_2006"),
    ("cardSecurityCode", "12x", "GTW_2006"),
    ("cardHolderName", "x" * 129, "GTW_2022"),
    ("cardExpireMonth", MISSING, "GTW_2023"),
    ("cardExpireMonth", "", "GTW_2023"),
    ("cardExpireMonth", "13", "GTW_2024"),
    ("cardExpireMonth", "6", "GTW_2024"),
    ("cardExpireYear", MISSING, "GTW_2035"),
    ("cardExpireYear", "30", "GTW_2066"),
    ("cardExpireYear", "1999", "GTW_2066"),
    ("customerName", "x" * 129, "GTW_2026"),
    ("customerFirstName", "x" * 129, "GTW_2026"),
    ("customerLastName", "x" * 129, "GTW_2037"),
    ("customerAddress", "x" * 129, "GTW_2027"),
    ("customerZipCode", "x" * 11, "GTW_2017"),
    ("customerCity", "x" * 129, "GTW_2014"),
    ("customerState", "x" * 31, "GTW_2015"),
    ("customerCountryCode", "ZZ", "GTW_2030"),
    ("customerCountryCode", "USA", "GTW_2031"),
    ("customerPhone", "1" * 21, "GTW_2016"),
    ("customerPhone", "call me", "GTW_2068"),
    ("customerEmail", "x" * 120 + "@example.com", "GTW_2028"),
    ("customerEmail", "nobody", "GTW_2029"),
    ("customerIp", "300.1.1.1", "GTW_2007"),
    ("customerIp", "fe80::1%eth0", "GTW_2007"),
    ("paymentType", "CASH", "GTW_2093"),
    ("walletType", "PURSE", "GTW_2094"),
    ("applePaySSL", "token", "GTW_2063"),
    ("additionalData", [], "GTW_2063"),
    ("additionalParameters", {str(n): "x" for n in range(51)}, "GTW_2063"),
    ("additionalParameters", {"x": "y" * 256}, "GTW_2063"),
    ("descriptor", "x" * 51, "GTW_2042"),
    ("cardNumber", MISSING, "GTW_2032"),
    ("cardNumber", "", "GTW_2032"),
    ("cardNumber", "4" * 41, "GTW_2033"),
    ("cardNumber", "4012-0000", "GTW_2005"),
    ("cardNumber", "٤٠١٢٠٠٠٠٩٨٧٦٥٤٣٩", "GTW_2005"),
    ("cardNumber", "111111111111", "GTW_2034"),
    ("cardNumber", "0", "GTW_2034"),
    ("3DS", "05", "GTW_2063"),
]
NESTED = [
    ("additionalData.requestTransactionType", "SOON", "GTW_2062"),
    ("additionalData.recurringScheduleType", "DAILY", "GTW_2057"),
    ("additionalData.partialAuthorizationIndicator", "maybe", "GTW_2060"),
    ("additionalData.recurrenceMode", "Once", "GTW_2063"),
    ("additionalData.isLevel2Transaction", "perhaps", "GTW_2063"),
    ("3DS.cavv", "x" * 256, "GTW_2063"),
]
FOLLOWING = [
    ("/capture", {"amount": 1}, [("transactionID", "GTW_2048")]),
    ("/capture", {}, [("amount", "GTW_2002"), ("transactionID", "GTW_2048")]),
    ("/cancel", {"transactionID": 0}, [("transactionID", "GTW_2048")]),
    ("/cancel", {"transactionID": 2**63}, [("transactionID", "GTW_2048")]),
    ("/cancel", {"transactionID": "1 OR 1=1"}, [("transactionID", "GTW_2048")]),
    ("/refund", {"transactionID": True}, [("transactionID", "GTW_2048")]),
    ("/refund", {"transactionID": 1, "amount": -1}, [("amount", "GTW_2004")]),
    ("/rebill", {"transactionID": 1}, [("amount", "GTW_2002")]),
    ("/rebill", {"amount": "1e12", "transactionID": None}, [
        ("amount", "GTW_2002"),
        ("transactionID", "GTW_2048"),
    ]),
    ("/inquiry", {}, [("transactionId", "GTW_2048")]),
]  # fmt: skip


def told(response: httpx.Response) -> list[tuple[str, str]]:
    """The failed fields and their codes, in the answer's order."""
    assert response.status_code == 400, response.text
    return [
        (each["responseMessage"].split(" = ", 1)[1].split("  Message:- ")[0], each["responseCode"])
        for each in response.json()
    ]


def changed(field: str, value: object) -> dict[str, Any]:
    body: dict[str, Any] = {**SALE, field: value}
    return {name: each for name, each in body.items() if each is not MISSING}


@pytest.mark.parametrize(("field", "value", "code"), REFUSED)
def test_field_is_refused_with_its_own_code(
    http: httpx.Client, field: str, value: object, code: str
) -> None:
    assert told(http.post("/sale", json=changed(field, value))) == [(field, code)]
    assert told(http.post("/authorize", json=changed(field, value))) == [(field, code)]


@pytest.mark.parametrize(("path", "value", "code"), NESTED)
def test_nested_field_is_named_by_its_path(
    http: httpx.Client, path: str, value: object, code: str
) -> None:
    outer, inner = path.split(".")
    assert told(http.post("/sale", json=changed(outer, {inner: value}))) == [(path, code)]


@pytest.mark.parametrize(("path", "body", "expected"), FOLLOWING)
def test_operation_on_an_earlier_one_is_refused_with_its_own_codes(
    http: httpx.Client, path: str, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert told(http.post(path, json=body)) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("netvalveMidId", ["x"]), ("siteId", {"id": 1}), ("siteId", "a\u0000b")]
)
def test_selector_that_is_used_is_refused_for_its_shape(
    http: httpx.Client, name: str, value: object
) -> None:
    body = {**changed("midId", MISSING), name: value}
    assert told(http.post("/sale", json=body)) == [(name, "GTW_2000")]


def test_field_error_is_written_as_the_contract_writes_it(http: httpx.Client) -> None:
    response = http.post("/sale", json=changed("cardNumber", "111111111111"))
    assert response.content == (
        b'[{"responseCode":"GTW_2034","responseMessage":"Validation error for field = cardNumber'
        b'  Message:- Card Number Invalid.","responseCodeType":"SOFT DECLINE"}]'
    )


def test_enumeration_names_its_values(http: httpx.Client) -> None:
    message = http.post("/sale", json=changed("paymentType", "CASH")).json()[0]["responseMessage"]
    assert message.endswith("PaymentType must be any of this values [CARD, WALLET, TOKEN]")


def test_all_failed_fields_come_in_the_model_s_order(http: httpx.Client) -> None:
    body = {"3DS": {"eci": 5.5}, "customerIp": "x", "cardNumber": "1", "midId": "x", "amount": 0}
    expected = [
        ("midId", "GTW_2000"),
        ("amount", "GTW_2004"),
        ("currency", "GTW_2018"),
        ("cardExpireMonth", "GTW_2023"),
        ("cardExpireYear", "GTW_2035"),
        ("customerIp", "GTW_2007"),
        ("cardNumber", "GTW_2034"),
        ("3DS.eci", "GTW_2063"),
    ]
    assert told(http.post("/sale", json=body)) == expected
    assert told(http.post("/sale", json=dict(reversed(body.items())))) == expected


def test_wallet_and_token_need_their_own_fields_and_no_card(http: httpx.Client) -> None:
    bare = {"midId": 1, "amount": 1, "currency": "USD"}
    wallet, token = {**bare, "paymentType": "WALLET"}, {**bare, "paymentType": "TOKEN"}
    assert told(http.post("/sale", json=wallet)) == [("walletType", "GTW_2101")]
    assert told(http.post("/sale", json=token)) == [("paymentToken", "GTW_2063")]
    for more in ({**token, "paymentToken": "t"}, {**wallet, "walletType": "GOOGLE_PAY"}):
        response = http.post("/sale", json=more)
        assert (response.status_code, response.json()["responseCode"]) == (403, "GTW_9003")


@pytest.mark.parametrize(
    "odd",
    [
        {"amount": "12.00"},
        {"amount": 7},
        {"netvalveMidId": [], "siteId": "x" * 300},
        {"customerAddress": "1 Main Street\r\nFloor 2", "orderDesc": "Shoes\n\tblack"},
        {"cardSecurityCode": "", "customerIp": "", "customerCountryCode": "", "paymentType": ""},
        {"walletType": "", "3DS": "", "additionalData": {"recurrenceMode": "", "cardUsage": ""}},
        {"additionalParameters": {"gift": True, "price": 1.5, "rows": 2}},
        {"cardSecurityCode": 999},
        {"cardSecurityCode": None},
        {"cardNumber": 4012000098765439, "cardExpireMonth": 12, "cardExpireYear": 2030},
        {"paymentType": None},
        {"midId": "1", "netvalveMidId": "", "siteId": ""},
        {"customerCountryCode": "VA", "customerPhone": "800-1234567"},
        {"customerIp": "2001:db8::1", "customerEmail": "jöhn@exämple.com"},
        {"customerName": "Zoë 🛒 שלום", "customerCity": "'; DROP TABLE orders; --"},
        {"unknown": {"deep": [1, 2]}, "CURRENCY": "EUR"},
        {"additionalData": {"taxAmount": "1.50", "isDirectMarketing": "false"}},
    ],
)
def test_odd_input_with_a_plain_meaning_is_approved(
    http: httpx.Client, odd: dict[str, Any]
) -> None:
    response = http.post("/sale", json={**SALE, **odd, "clientOrderId": fresh_order()})
    assert response.json()["responseCode"] == "GTW_1000", response.text


def test_decimals_are_those_of_the_currency(http: httpx.Client) -> None:
    for currency, amount in (("JPY", 1.5), ("USD", 1.005), ("KWD", 1.0005)):
        body = {**SALE, "currency": currency, "amount": amount}
        assert told(http.post("/sale", json=body)) == [("amount", "GTW_2003")]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=-1", "page"),
        ("pageSize=0", "pageSize"),
        ("pageSize=1001", "pageSize"),
        ("page=99999999999999999999", "page"),
        ("fromDateTime=2024-02-30", "fromDateTime"),
        ("isChargebackOnly=true", "isChargebackOnly"),
        ("isEmptyList=perhaps", "isEmptyList"),
        ("filters=nonsense", "filters"),
    ],
)
def test_wrong_parameter_of_a_listing_is_named(http: httpx.Client, query: str, field: str) -> None:
    for path in ("/orders", "/export"):
        assert told(http.get(f"{path}?{query}")) == [(field, "GTW_2063")]


def test_identifiers_that_cannot_be_are_refused(http: httpx.Client) -> None:
    for value in ("", "0", "-1", "abc", "9223372036854775808", "1' OR '1'='1"):
        asked = http.get("/inquiry", params={"transactionId": value})
        assert told(asked) == [("transactionId", "GTW_2048")]
        assert told(http.get("/transaction", params={"id": value})) == [("id", "GTW_2048")]
