"""An idempotency key outlives its process: after kill -9 a retry hears what became of the first."""

import time

import httpx
import pytest

from running import CARD, Merchant, Sandbox, fresh_order

SALE = {"midId": 1, "currency": "USD", **CARD}


def test_after_kill_9_retries_hear_what_was_told_or_how_recovery_ended_it(tmp_path):
    told = {**SALE, "amount": 12.5, "clientOrderId": fresh_order()}
    untold = {**SALE, "amount": 6011, "clientOrderId": fresh_order()}
    sandbox = Sandbox(tmp_path).start()
    with sandbox.client() as http:
        first = http.post("/sale", json=told, headers={"Idempotency-Key": "told"})
        # The bank takes five seconds: it has been asked, and nobody has been answered.
        with pytest.raises(httpx.ReadTimeout):
            http.post("/sale", json=untold, headers={"Idempotency-Key": "untold"}, timeout=0.5)
    sandbox.kill()
    with sandbox, sandbox.client() as http:
        again = http.post("/sale", json=told, headers={"Idempotency-Key": "told"})
        assert again.content == first.content
        assert again.headers["idempotency-status"] == "replayed"
        ended = ended_retry(http, untold, "untold")
        assert ended.json()["responseCode"] == "GTW_2054"
        assert ended.headers["idempotency-status"] == "replayed"
        inquired = Merchant(http).get("/inquiry", transactionId=ended.json()["transactionID"])
        assert {name: inquired[name] for name in ended.json()} == ended.json()
        found = sandbox.command("verify")
        assert found.returncode == 0, found.stdout


def ended_retry(http, body, key):
    """The retry's answer once it is no longer pending."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        answer = http.post("/sale", json=body, headers={"Idempotency-Key": key})
        if answer.json()["responseCode"] != "GTW_1002":
            return answer
        time.sleep(0.1)
    raise AssertionError("it is pending for ever")
