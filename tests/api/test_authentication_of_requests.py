"""Credentials as clients send them, over the wire."""

import base64

import httpx
import pytest

from running import Sandbox


def test_header_names_are_taken_in_any_case(sandbox: Sandbox) -> None:
    headers = {name.upper(): value for name, value in sandbox.headers().items()}
    response = httpx.get(f"{sandbox.base_url}/orders", headers=headers, trust_env=False)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/sale", "/refund", "/orders", "/inquiry?transactionId=1"])
def test_nobody_is_refused_before_anything_is_looked_at(sandbox: Sandbox, path: str) -> None:
    method = "POST" if path in {"/sale", "/refund"} else "GET"
    response = httpx.request(method, sandbox.base_url + path, trust_env=False)
    assert response.status_code == 401
    assert response.json()["responseCode"] == "GTW_9001"
    assert response.json()["responseMessage"] == (
        "Authentication failure! Kindly contact NetValve support."
    )


def test_wrong_key_and_wrong_password_look_the_same(sandbox: Sandbox) -> None:
    wrong = base64.b64encode(b"sandbox:wrong").decode()
    answers = [
        httpx.get(f"{sandbox.base_url}/orders", headers=headers, trust_env=False)
        for headers in (
            {**sandbox.headers(), "netvalve-api-key": "wrong"},
            {**sandbox.headers(), "netvalve-client-id": "00000000-0000-4000-8000-000000000000"},
            {"authorization": f"Basic {wrong}"},
            {},
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1
    assert len({answer.json()["responseMessage"] for answer in answers}) == 1


def test_basic_user_is_let_in_with_and_without_its_client_id(sandbox: Sandbox) -> None:
    user = (sandbox.facts["basic_user"], sandbox.facts["basic_password"])
    own = {"netvalve-client-id": sandbox.facts["client_id"]}
    another = {"netvalve-client-id": "00000000-0000-4000-8000-000000000000"}
    statuses = [
        httpx.get(
            f"{sandbox.base_url}/orders", auth=user, headers=headers, trust_env=False
        ).status_code
        for headers in ({}, own, another)
    ]
    assert statuses == [200, 200, 401]
