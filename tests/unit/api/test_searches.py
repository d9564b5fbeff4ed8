"""Filters: every one of the table lands where it should, or is refused by name."""

from typing import Any

import httpx
import orjson
import pytest

from netvalve.api.filters import FILTERS, STATUS
from netvalve.api.query import NOT_A_QUERY, read_query
from netvalve.api.searches import NothingMatches, read_search
from netvalve.domain.client import Site
from netvalve.domain.directory import Directory
from netvalve.domain.refusal import FieldError, InvalidFields
from netvalve.domain.search import PageRequest, Search, SearchTooBroad
from netvalve.domain.transaction import TransactionType
from unit.api.face import CLIENT, Face

GOOD: dict[str, tuple[str, Any]] = {
    "fromDateTime": ("2024-11-08", 1_731_024_000_000),
    "toDateTime": ("2024-11-08T00:00:00Z", 1_731_024_000_000),
    "ccFirstSix": ("401200", "401200"),
    "ccLastFour": ("5439", "5439"),
    "bin": ("4012", "4012"),
    "orderId": ("5", 5),
    "transactionId": ("5", 5),
    "transactionReferenceId": ("5", 5),
    "midId": ("5", 5),
    "bankId": ("5", 5),
    "transactionType": ("SALE", (TransactionType.SALE,)),
    "transactionTypes": ("SALE,REFUND", (TransactionType.REFUND, TransactionType.SALE)),
    "cardType": ("visa", "VISA"),
    "currency": ("EUR", "EUR"),
    "countryCode": ("VA", "VA"),
    "includeOnlySettled": ("true", True),
    "withThreeDs": ("false", False),
    "minAmount": ("1.50", "1.50"),
    "maxAmount": ("20", "20"),
    "paymentType": ("CARD", "CARD"),
    "walletType": ("GOOGLE_PAY", "GOOGLE_PAY"),
}
SITES = (Site("s-2", 7, "Shop One"), Site("s-1", 7, "SHOP one"), Site("s-3", 8, "Shop Two"))
DIRECTORY = Directory.of(1, clients=(CLIENT,), sites=SITES)
LANDING = [each for each in FILTERS if each.lands_in and each.lands_in in Search.__slots__]


def search(query: str) -> Search | NothingMatches | InvalidFields:
    parameters = read_query(query.encode())
    assert not isinstance(parameters, InvalidFields)
    return read_search(CLIENT, DIRECTORY, parameters, "order_status")


@pytest.mark.parametrize("each", [each for each in LANDING if each.lands_in != "client_id"])
def test_filter_lands_in_its_field_alone(each: Any) -> None:
    raw, expected = GOOD.get(each.name, ("text", "text"))
    assert search(f"{each.name}={raw}") == Search(CLIENT.client_id, **{each.lands_in: expected})
    together = orjson.dumps({each.name: raw}).decode()
    assert search(f"filters={together}") == search(f"{each.name}={raw}")


@pytest.mark.parametrize("each", [each for each in FILTERS if each.rule is None])
def test_filter_without_a_meaning_is_refused_by_name(each: Any) -> None:
    assert search(f"{each.name}=1") == InvalidFields((FieldError(each.name, "GTW_2063"),))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("fromDateTime", "2024-02-30"),
        ("ccFirstSix", "4012"),
        ("bin", "40120000"),
        ("orderId", "9223372036854775808"),
        ("transactionTypes", "SALE,GIFT"),
        ("transactionTypes", "[1]"),
        ("currency", "XXX"),
        ("withThreeDs", "perhaps"),
        ("minAmount", "NaN"),
        ("isChargebackOnly", "true"),
        ("includeAllStatuses", "perhaps"),
        ("filters", "[]"),
        ("filters", "{"),
        ("firstName", "a%00b"),
    ],
)
def test_wrong_value_is_refused_by_name(name: str, raw: str) -> None:
    assert search(f"{name}={raw}") == InvalidFields((FieldError(name, "GTW_2063"),))


FLAGS = [each.name for each in FILTERS if each.schema == {"type": "boolean"}]
NARROWING = {"includeOnlySettled", "withThreeDs"}


@pytest.mark.parametrize("name", sorted({*FLAGS} - NARROWING))
def test_flag_that_asks_for_nothing_leaves_the_listing_whole(name: str) -> None:
    whole = Search(CLIENT.client_id)
    assert search(f"{name}=false") == whole
    assert search(f'filters={{"{name}":false}}') == whole


@pytest.mark.parametrize("each", FILTERS)
def test_filter_without_a_value_is_not_given(each: Any) -> None:
    for value in ("null", '""'):
        assert search(f'filters={{"{each.name}":{value}}}') == Search(CLIENT.client_id)
    assert search(f"{each.name}=") == Search(CLIENT.client_id)


def test_number_in_place_of_a_sites_uuid_is_taken() -> None:
    assert search("siteId=5") == Search(CLIENT.client_id, site_id="5")


def test_name_of_sites_stands_for_the_clients_own_sites_that_have_it() -> None:
    assert search("siteName=shop%20ONE") == Search(CLIENT.client_id, sites=("s-1", "s-2"))


@pytest.mark.parametrize("name", ["Shop%20Two", "Shop", "s-1"])
def test_name_that_no_site_of_the_client_has_matches_nothing(name: str) -> None:
    assert isinstance(search(f"siteName={name}"), NothingMatches)


def test_status_means_the_listing_s_own() -> None:
    assert search("status=Captured") == Search(CLIENT.client_id, order_status="Captured")
    assert STATUS not in Search.__slots__


def test_parameter_of_its_own_stands_before_the_same_name_in_filters() -> None:
    both = 'filters={"currency":"EUR","midId":null,"clientOrderId":""}&currency=USD'
    assert search(both) == Search(CLIENT.client_id, currency="USD")


@pytest.mark.parametrize(
    "query",
    ["transactionTypes=SALE&transactionTypes=REFUND", 'transactionTypes=["SALE","REFUND"]'],
)
def test_types_are_given_in_any_form_of_a_list(query: str) -> None:
    types = (TransactionType.REFUND, TransactionType.SALE)
    assert search(query) == Search(CLIENT.client_id, transaction_types=types)


@pytest.mark.parametrize(
    "query",
    [
        "clientId=8",
        "clientName=Other",
        "orderStatus=Captured&status=Refunded",
        "transactionType=SALE&transactionTypes=REFUND",
    ],
)
def test_contradiction_and_another_client_match_nothing(query: str) -> None:
    assert isinstance(search(query), NothingMatches)


def test_caller_may_name_itself() -> None:
    assert search("clientId=7&merchantName=shop%20ltd") == Search(CLIENT.client_id)


def test_query_that_is_not_text_is_refused() -> None:
    assert read_query(b"a=%ff") == NOT_A_QUERY
    assert read_query("a=ü".encode()) == NOT_A_QUERY
    assert read_query(b"&".join(b"a=1" for _ in range(300))) == NOT_A_QUERY


@pytest.mark.parametrize("path", ["/orders", "/export"])
async def test_search_that_cannot_be_counted_in_time_is_asked_to_say_more(
    api: httpx.AsyncClient, face: Face, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def too_slow(_search: Search, _page: PageRequest) -> None:
        raise SearchTooBroad

    for listing in ("orders", "transactions"):
        monkeypatch.setattr(face.store, listing, too_slow)
    answer = await api.get(path, params={"countryCode": "SE"})
    assert answer.status_code == 422
    assert answer.json()["responseCode"] == "GTW_2013"
    assert "retry-after" not in answer.headers
