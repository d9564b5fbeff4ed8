"""Answers are the contract's, property by property."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from making import a_transaction, an_order
from netvalve.api.openapi import openapi_document
from netvalve.domain.client import Channel
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Customer, Details, ThreeDS
from netvalve.domain.refusal import ChannelRefused, FieldError, InvalidFields, Refusal
from netvalve.domain.transaction import Outcome, TransactionType
from unit.api.face import Face

SALE = {
    "midId": 1,
    "amount": 12.5,
    "currency": "USD",
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
}
NOW = "2024-11-08T12:38:58.140+00:00"
MORE_PROPERTIES = {
    "TransactionResponseDTO": {"amount", "currency"},
    "OrderOutputDTO": {"id", "transactionID", "netvalveMidId"},
    "TransactionOutputDTO": {"netvalveMidId"},
}
"""Beyond the schema: an inquiry's money, and what deployed clients read of an order."""

DETAILS = Details(
    customer=Customer(
        "Jane", "Doe", "1 Main St", "10001", "New York", "NY", "US", "800-1", "j@d.io"
    ),
    three_ds=ThreeDS(eci="05", cavv="AAAB", frictionless=True),
    description="Shoes",
    additional_parameters={"cart": "9"},
    source=Channel.API,
)


async def test_approved_answer_has_the_contract_s_order(api: httpx.AsyncClient) -> None:
    response = await api.post("/sale", json=SALE)
    assert response.status_code == 200
    assert list(response.json().items()) == [
        ("traceID", "8baeb75c-044f-43bb-a874-ce71049533a6"),
        ("responseTimestamp", "2026-11-18T11:06:40.140+00:00"),
        ("transactionID", 1001),
        ("responseCode", "GTW_1000"),
        ("responseMessage", "Transaction Approved/ Request Successful."),
        ("responseCodeType", "APPROVED"),
        ("paymentMethod", "CARD"),
        ("cardNumber", "401200******5439"),
        ("cardType", "VISA"),
        ("bankTransactionId", "632613000042"),
        ("authCode", "TAS390"),
        ("midId", 1),
        ("netvalveMidId", "289e253d-f955-4e29-a2c7-bb1805883ee0"),
        ("orderId", 5001),
        ("cardExpiryMonth", "12"),
        ("cardExpiryYear", "2030"),
        ("transactionType", "SALE"),
        ("bankResponseCode", "00"),
        ("bankResponseMessage", "SUCCESS"),
    ]


async def test_declined_answer_says_what_the_bank_said(api: httpx.AsyncClient, face: Face) -> None:
    declined = a_transaction(
        TransactionType.SALE, State.DECLINED, outcome=Outcome("BNK_2005", "05")
    )
    face.gateway.answer = (declined, an_order(TransactionType.SALE, State.DECLINED))
    body = (await api.post("/sale", json=SALE)).json()
    assert body["responseCode"] == "BNK_2005"
    assert body["bankResponseCode"] == "05"
    assert body["isRetryAllowed"] is not None
    assert "authCode" not in body


async def test_pending_answer_names_the_transaction_and_its_money(
    api: httpx.AsyncClient, face: Face
) -> None:
    pending = a_transaction(TransactionType.REFUND, State.PENDING)
    face.gateway.answer = (pending, an_order(TransactionType.SALE, State.APPROVED))
    body = (await api.post("/refund", json={"transactionID": 1001})).json()
    assert body["responseCode"] == "GTW_1002"
    assert body["responseCodeType"] == "PENDING"
    assert body["responseTimestamp"] == NOW
    assert (body["transactionID"], body["amount"], body["currency"]) == (1001, 100, "USD")
    assert "bankResponseCode" not in body


async def test_partial_approval_says_how_much(api: httpx.AsyncClient, face: Face) -> None:
    partial = a_transaction(
        TransactionType.SALE, outcome=Outcome("GTW_1000", "10", "A1", approved_minor=4_050)
    )
    face.gateway.answer = (partial, an_order(TransactionType.SALE))
    body = (await api.post("/sale", json=SALE)).json()
    assert (body["amount"], body["currency"]) == (40.5, "USD")
    assert (body["bankResponseCode"], body["bankResponseMessage"]) == ("10", "PARTIAL APPROVAL")


@pytest.mark.parametrize("value", ["00", "08", "11", "16", "85", "87"])
async def test_every_whole_approval_shows_00_and_success(
    api: httpx.AsyncClient, face: Face, value: str
) -> None:
    approved = a_transaction(TransactionType.SALE, outcome=Outcome("GTW_1000", value, "A1"))
    face.store.transaction_ = approved
    face.gateway.answer = (approved, an_order(TransactionType.SALE))
    shown = [
        (await api.post("/sale", json=SALE)).json(),
        (await api.get("/inquiry?transactionId=1001")).json(),
        (await api.get("/transaction?id=1001")).json(),
        *(await api.get("/order?id=5001")).json()["transactions"],
        *(await api.get("/export")).json()["content"],
    ]
    for each in shown:
        assert (each["bankResponseCode"], each["bankResponseMessage"]) == ("00", "SUCCESS")
        assert "isRetryAllowed" not in each


async def test_business_refusal_is_an_object_without_a_transaction(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.gateway.answer = Refusal("GTW_2107", "for the log alone")
    response = await api.post("/refund", json={"transactionID": 1, "amount": 5})
    assert response.status_code == 200
    body = response.json()
    assert len(body.pop("traceID")) == 36
    assert body == {
        "responseTimestamp": NOW,
        "responseCode": "GTW_2107",
        "responseMessage": "Partial refund not allowed for transaction.",
        "responseCodeType": "SOFT DECLINE",
    }


async def test_fields_an_account_asks_for_are_refused_like_any_other(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.gateway.answer = InvalidFields((FieldError("cardHolderName", "GTW_2021"),))
    response = await api.post("/sale", json=SALE)
    assert response.status_code == 400
    assert response.json()[0]["responseMessage"] == (
        "Validation error for field = cardHolderName  Message:- "
        "Card Holder Name Is Missing. This Value Must Be Provided."
    )


async def test_channel_that_is_not_enabled_is_forbidden(api: httpx.AsyncClient, face: Face) -> None:
    face.gateway.answer = ChannelRefused("account has no channel API")
    response = await api.post("/authorize", json=SALE)
    assert (response.status_code, response.json()["responseCode"]) == (403, "GTW_9003")


async def test_store_that_takes_no_writes_asks_to_come_again(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.gateway.answer = StoreUnavailable("disk full")
    response = await api.post("/sale", json=SALE)
    assert (response.status_code, response.json()["responseCode"]) == (503, "GTW_9999")
    assert response.headers["retry-after"] == "1"


async def test_fault_is_told_without_its_cause(api: httpx.AsyncClient, face: Face) -> None:
    face.gateway.answer = RuntimeError("4012000098765439 and all that")
    response = await api.post("/sale", json=SALE)
    assert (response.status_code, response.json()["responseCode"]) == (500, "GTW_9999")
    assert response.json()["traceID"] == face.lines[0]["traceID"]
    assert "4012000098765439" not in response.text + repr(face.lines)


async def test_inquiry_is_the_original_answer_with_its_money(api: httpx.AsyncClient) -> None:
    original = (await api.post("/sale", json=SALE)).json()
    asked = (await api.get("/inquiry", params={"transactionId": "1001"})).json()
    posted = (await api.post("/inquiry", json={"transactionId": "1001"})).json()
    assert asked == posted == {**original, "amount": 100, "currency": "USD"}


@pytest.mark.parametrize(
    "path",
    ["/inquiry?transactionId=2", "/transaction?id=2", "/order?id=2", "/order?id=5001&orderId=7"],
)
async def test_unknown_id_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(path)
    assert (response.status_code, response.json()["responseCode"]) == (404, "GTW_2103")


async def test_order_is_found_by_each_of_its_names(api: httpx.AsyncClient, face: Face) -> None:
    face.store.order_ = replace(face.store.order_, client_order_id="482913")
    for name in ("id=5001", "orderId=5001", "clientOrderId=482913", "transactionId=1001"):
        body = (await api.get(f"/order?{name}")).json()
        assert (body["orderId"], body["transactionID"]) == (5001, 1001), name


async def test_order_without_a_name_is_refused(api: httpx.AsyncClient) -> None:
    response = await api.get("/order")
    assert response.status_code == 400
    assert "field = id " in response.json()[0]["responseMessage"]


async def test_billing_details_are_shown_when_asked_for(api: httpx.AsyncClient, face: Face) -> None:
    face.store.order_ = replace(face.store.order_, details=DETAILS)
    plain = (await api.get("/transaction?id=1001")).json()
    asked = (await api.get("/transaction?id=1001&collectBillingInfo=true")).json()
    assert "billingDetails" not in plain
    assert asked["billingDetails"] == {
        "billingAddress": "1 Main St",
        "billingZipCode": "10001",
        "billingCity": "New York",
        "billingState": "NY",
        "billingCountryCode": "US",
    }


async def test_order_shows_money_status_and_what_may_follow(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.store.order_ = an_order(
        TransactionType.SALE,
        State.PARTIALLY_REFUNDED,
        captured=10_000,
        refunded=2_550,
        details=DETAILS,
    )
    body = (await api.get("/order?id=5001")).json()
    assert body["status"] == "Partially Refunded"
    assert body["amountAndCurrency"] == "100.00 USD"
    assert body["refundBalancedAmount"] == 74.5
    assert body["isPartialRefund"] is True
    assert body["allowedActions"] == ["REFUND", "REBILL"]
    assert body["transactions"][0]["transactionId"] == 1001
    assert body["threeDomainsSecureData"] == {"eci": "05", "cavv": "AAAB", "isFrictionLess": True}
    assert (body["name"], body["orderDesc"]) == ("Jane Doe", "Shoes")
    assert body["additionalParameters"] == {"cart": "9"}


async def test_verification_results_come_with_their_meaning(
    api: httpx.AsyncClient, face: Face
) -> None:
    face.store.transaction_ = a_transaction(
        TransactionType.SALE, outcome=Outcome("GTW_1000", "00", avs_result="Y", cvv2_result="M")
    )
    body = (await api.get("/transaction?id=1001")).json()
    assert body["avsData"]["code"] == "Y"
    assert body["cvvVerificationData"]["code"] == "M"
    assert body["avsData"]["description"] != body["cvvVerificationData"]["description"]


async def test_pages_are_in_spring_s_manner(api: httpx.AsyncClient) -> None:
    body = (await api.get("/orders?page=2&pageSize=20")).json()
    rows, sort = body.pop("content"), body.pop("sort")
    assert rows[0]["amount"] == "100.00"
    assert body == {
        "totalPages": 3,
        "totalElements": 41,
        "pageable": {
            "paged": True,
            "unpaged": False,
            "pageNumber": 2,
            "pageSize": 20,
            "offset": 40,
            "sort": sort,
        },
        "numberOfElements": 1,
        "size": 20,
        "number": 2,
        "first": False,
        "last": True,
        "empty": False,
    }
    exported = (await api.get("/export")).json()["content"][0]
    assert (exported["amount"], exported["orderId"]) == (100, "5001")


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/inquiry?transactionId=1001", "TransactionResponseDTO"),
        ("/transaction?id=1001&collectBillingInfo=true", "TransactionOutputDTO"),
        ("/order?id=5001&collectBillingInfo=true", "OrderOutputDTO"),
        ("/orders", "PageResultOrderDTO"),
        ("/export?collectBillingInfo=true", "PageResultTransactionDTO"),
    ],
)
async def test_answers_hold_what_the_document_says(
    api: httpx.AsyncClient, face: Face, path: str, schema: str
) -> None:
    face.store.order_ = replace(face.store.order_, details=DETAILS, site_id="9")
    body = orjson.loads((await api.get(path)).content)
    assert list(differences(body, schema)) == []


SCHEMAS = openapi_document()["components"]["schemas"]
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}


def differences(body: dict[str, Any], name: str) -> list[str]:
    """What the document does not say of a body, or says otherwise."""
    properties = SCHEMAS[name]["properties"]
    found = [f"{name}.{p}" for p in body.keys() - properties - MORE_PROPERTIES.get(name, set())]
    for each in body.keys() & properties:
        described, value = properties[each], body[each]
        if "$ref" in described:
            found += differences(value, described["$ref"].rsplit("/", 1)[1])
        elif "$ref" in described.get("items", {}):
            for item in value:
                found += differences(item, described["items"]["$ref"].rsplit("/", 1)[1])
        elif not isinstance(value, KINDS.get(described["type"], object)) or (
            value not in described.get("enum", [value])
        ):
            found.append(f"{name}.{each} is {value!r}")
    return found
