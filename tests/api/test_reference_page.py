"""The reference pages come from this host alone, and their examples run as they stand."""

import re

import httpx
import pytest

from netvalve.api.examples import EXAMPLES
from netvalve.api.operations import OPERATIONS
from netvalve.catalogue.response_codes import RESPONSE_CODES

PAGES = ["/api", "/api/response-codes"]


def test_root_leads_to_the_reference(http: httpx.Client) -> None:
    response = http.get("/")
    assert (response.status_code, response.headers["location"]) == (302, "/api")


@pytest.mark.parametrize("path", PAGES)
def test_page_may_reach_nothing_but_its_own_host(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(src|href)=\"(https?:)?//", response.text)


@pytest.mark.parametrize("path", PAGES)
def test_everything_a_page_names_is_there(http: httpx.Client, path: str) -> None:
    named = re.findall(r'(?:src|href)="([^"]+)"', http.get(path).text)
    assert named
    for each in named:
        assert http.get(each).status_code == 200, each


def test_every_response_code_is_on_its_page(http: httpx.Client) -> None:
    page = http.get("/api/response-codes").text
    assert all(f'<tr id="{code}">' in page for code in RESPONSE_CODES)


def test_every_body_has_an_example_that_is_valid(http: httpx.Client) -> None:
    for operation in OPERATIONS:
        if operation.request is not None:
            example = EXAMPLES[operation.operation_id]
            response = http.post(operation.path, json=example)
            assert response.status_code in {200, 404}, (operation.path, response.text)


def test_sale_s_example_is_approved_in_the_sandbox(http: httpx.Client) -> None:
    answer = http.post("/sale", json=EXAMPLES["saleOperation"]).json()
    assert answer["responseCode"] == "GTW_1000"


def test_document_offers_both_ways_to_authorize(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["security"] == [
        {"netvalve-client-id": [], "netvalve-api-key": []},
        {"basic": []},
    ]
    assert set(document["components"]["securitySchemes"]) == {
        "netvalve-client-id",
        "netvalve-api-key",
        "basic",
    }
