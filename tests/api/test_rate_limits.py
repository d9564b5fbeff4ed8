"""A client over its limit is told to come again; nobody else notices."""

import json
import time

import httpx
import pytest

LIMIT = 5
SEEN_WITHIN_S = 1.0
BURST = 40


@pytest.fixture(scope="module")
def eager_id(sandbox):
    """Another client of the same gateway, by its number."""
    added = json.loads(sandbox.command("client", "add", "Eager", "--json").stdout)
    return str(added["client_id"])


@pytest.fixture
def set_limit(sandbox, eager_id):
    """Sets the eager client's limit by the command line."""

    def limited(requests_per_s):
        return sandbox.command("client", "set", eager_id, "--requests-per-s", requests_per_s)

    return limited


@pytest.fixture(scope="module")
def eager(sandbox, eager_id):
    """The eager client's program."""
    key = json.loads(sandbox.command("key", "add", eager_id, "--json").stdout)
    clients = json.loads(sandbox.command("client", "list", "--json").stdout)
    uuids = {str(each["client_id"]): each["netvalve_client_id"] for each in clients}
    headers = {"netvalve-client-id": uuids[eager_id], "netvalve-api-key": key["api_key"]}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, trust_env=False) as http:
        yield http


@pytest.fixture
def limited(eager, set_limit):
    """The same with a limit that the gateway has seen."""
    set_limit(str(LIMIT))
    time.sleep(SEEN_WITHIN_S)
    return eager


def statuses(http, count=BURST):
    """What so many requests hear, one after the other."""
    return [http.get("/orders").status_code for _ in range(count)]


def test_a_limit_holds_a_second_after_it_was_set_and_goes_as_fast(eager, set_limit):
    set_limit("none")
    time.sleep(SEEN_WITHIN_S)
    assert set(statuses(eager)) == {200}
    set_limit(str(LIMIT))
    time.sleep(SEEN_WITHIN_S)
    began_s = time.monotonic()
    heard = statuses(eager)
    seconds_begun = int(time.monotonic() - began_s) + 2
    assert LIMIT <= heard.count(200) <= LIMIT * seconds_begun
    assert heard.count(200) + heard.count(429) == BURST
    set_limit("0")
    time.sleep(SEEN_WITHIN_S)
    assert set(statuses(eager)) == {200}


def test_a_request_over_the_limit_is_refused_before_it_is_read(limited):
    answers = [limited.post("/sale", content=b"{") for _ in range(BURST)]
    assert {each.status_code for each in answers} == {400, 429}
    refused = [each for each in answers if each.status_code == 429]
    assert {each.headers["retry-after"] for each in refused} == {"1"}
    body = refused[0].json()
    assert (body["responseCode"], body["responseCodeType"]) == ("GTW_9999", "SOFT DECLINE")
    assert body["traceID"]
    time.sleep(1)
    assert limited.get("/orders").status_code == 200


def test_another_client_is_not_touched(limited, http):
    heard = [
        (limited.get("/orders").status_code, http.get("/orders").status_code) for _ in "x" * 20
    ]
    assert {others for _, others in heard} == {200}
    assert 429 in {own for own, _ in heard}


def test_what_is_open_to_everybody_has_no_limit(limited):
    assert 429 in statuses(limited, 20)
    for path in ("/health/live", "/metrics", "/api"):
        assert limited.get(path).status_code == 200


def test_refusals_are_counted_for_all_clients_together_and_told_once_a_second(limited, sandbox):
    assert 429 in statuses(limited)
    (sample,) = (
        line
        for line in limited.get("/metrics").text.splitlines()
        if line.startswith("netvalve_requests_limited_total")
    )
    assert sample.startswith('netvalve_requests_limited_total{result="refused"} ')
    time.sleep(0.1)  # a log line leaves by a thread of its own
    lines = sandbox.log.read_text().splitlines()
    told = [json.loads(line) for line in lines if "rate_limit_reached" in line]
    assert told[-1]["requests_per_s"] == LIMIT
    assert len(told) < float(sample.split()[1])


def test_a_limit_is_listed_with_its_client(sandbox, set_limit, eager_id):
    assert "requests per s      7" in set_limit("7").stdout
    listed = json.loads(sandbox.command("client", "list", "--json").stdout)
    limits = {str(each["client_id"]): each["requests_per_s"] for each in listed}
    assert (limits[eager_id], limits["1"]) == (7, None)


@pytest.mark.parametrize("limit", ["many", "1.5", "1000001"])
def test_what_is_no_limit_is_refused(set_limit, limit):
    refused = set_limit(limit)
    assert (refused.returncode, "requests" in refused.stderr) == (1, True)
