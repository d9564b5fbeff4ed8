"""The sandbox as a person uses it: the real program, its two processes, the printed curl."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from running import CARD, Merchant, Sandbox, fresh_order

STOP_S = 20.0

Create = Callable[..., Sandbox]


@pytest.fixture
def create(tmp_path: Path) -> Iterator[Create]:
    """Makes sandboxes of one home, and leaves none running."""
    made: list[Sandbox] = []

    def one(**settings: object) -> Sandbox:
        made.append(Sandbox(tmp_path / "home", **settings))
        return made[-1]

    yield one
    for sandbox in made:
        sandbox.interrupt()


def said(sandbox: Sandbox) -> str:
    return sandbox.log.read_text()


def refused(sandbox: Sandbox) -> str:
    """What a sandbox that does not start says; its status must be 1."""
    with pytest.raises(RuntimeError) as caught:
        sandbox.start()
    assert sandbox._process is not None
    assert sandbox._process.wait(STOP_S) == 1
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def bank_address(sandbox: Sandbox) -> tuple[str, int]:
    host, port = re.findall(r"test bank +(\S+):(\d+),", said(sandbox))[-1]
    return host, int(port)


def listens(address: tuple[str, int]) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(address) == 0


def until_silent(address: tuple[str, int]) -> None:
    end = time.monotonic() + STOP_S
    while listens(address):
        assert time.monotonic() < end, "the bank still listens"
        time.sleep(0.02)


def test_the_printed_sale_is_approved_when_pasted_and_a_second_run_keeps_it(
    create: Create,
) -> None:
    first = create().start()
    command = said(first).split("curl -s", 1)[1].split("Ctrl-C", 1)[0].strip()
    pasted = subprocess.run(
        ["bash", "-c", f"curl -s {command}"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    sale = json.loads(pasted.stdout)
    assert sale["responseCode"] == "GTW_1000", pasted.stdout
    assert first.interrupt() == 0, said(first)

    with create().start().client() as http:
        found = http.get("/transaction", params={"id": sale["transactionID"]})
        assert found.json()["status"] == "Purchased"


def test_the_file_for_programs_says_what_the_screen_says_and_only_its_owner_reads_it(
    sandbox: Sandbox,
) -> None:
    file = sandbox.home / "sandbox.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = json.loads(file.read_text())
    assert list(content) == [
        "base_url", "client_id", "api_key", "basic_user", "basic_password", "site_id", "accounts",
    ]  # fmt: skip
    for name in ("base_url", "client_id", "api_key", "basic_user", "basic_password"):
        assert content[name] in said(sandbox)
    assert [account["mid_id"] for account in content["accounts"]] == list(range(1, 17))
    assert content["accounts"][0] == {
        "mid_id": 1, "netvalve_mid_id": "5a4db0c0-0003-4000-8000-000000000001",
        "currency": "USD", "bank": "Mock Bank", "name": "US dollar",
    }  # fmt: skip


def test_the_announced_reference_page_and_basic_user_work(sandbox: Sandbox) -> None:
    user = (sandbox.facts["basic_user"], sandbox.facts["basic_password"])
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
        assert http.get("/api", follow_redirects=True).status_code == 200
        assert http.get("/transaction", params={"id": 1}, auth=user).status_code == 404
        assert http.get("/transaction", params={"id": 1}).status_code == 401


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"midId": 2, "currency": "EUR"}, "GTW_1000"),
        ({"midId": 3, "currency": "GBP"}, "GTW_1000"),
        ({"midId": 4, "currency": "JPY"}, "GTW_1000"),
        ({"midId": 4, "currency": "JPY", "amount": 12.5}, "GTW_2003"),
        ({"midId": 5, "currency": "KWD", "amount": 1.234}, "GTW_1000"),
        ({"midId": 6, "cardSecurityCode": None}, "GTW_2001"),
        ({"midId": 7, "amount": 9.99}, "GTW_2008"),
        ({"midId": 7, "amount": 100.01}, "GTW_2009"),
        ({"midId": 11}, "GTW_2021"),
        ({"midId": 12}, "GTW_1000"),
        ({"midId": 13}, "GTW_2000"),
        ({"midId": 14, "descriptor": "SHOP ORDER 7"}, "GTW_1000"),
        ({"midId": 14}, "GTW_1000"),
        ({"midId": 15}, "GTW_9003"),
        ({"midId": 16}, "GTW_2052"),
        ({"midId": None, "siteId": "5a4db0c0-0002-4000-8000-000000000001"}, "GTW_1000"),
    ],
)
def test_each_account_gives_the_answer_it_is_there_for(
    http: httpx.Client, fields: dict[str, object], code: str
) -> None:
    sale = {"amount": 12, "currency": "USD", "clientOrderId": fresh_order(), **CARD, **fields}
    answer = http.post(
        "/sale", json={name: each for name, each in sale.items() if each is not None}
    )
    body = answer.json()
    assert (body[0] if isinstance(body, list) else body)["responseCode"] == code


def test_each_account_refuses_the_follow_up_it_is_there_for(shop: Merchant) -> None:
    whole = shop.authorize(100, midId=8)["transactionID"]
    part = {"transactionID": whole, "amount": 40, "captureOptions": {"finalCapture": True}}
    assert shop.post("/capture", **part)["responseCode"] == "GTW_2123"
    sale = shop.sale(100, midId=8)["transactionID"]
    refund = shop.post("/refund", transactionID=sale, amount=40)
    assert refund["responseCode"] == "GTW_2107"

    plain = shop.authorize(100, midId=12)["transactionID"]
    assert shop.post("/cancel", transactionID=plain)["responseCode"] == "GTW_2100"

    for mid_id, code in ((9, "GTW_2081"), (10, "GTW_2100"), (1, "GTW_1000")):
        parent = shop.sale(10, midId=mid_id)["transactionID"]
        rebill = shop.post("/rebill", transactionID=parent, amount=10, clientOrderId=fresh_order())
        assert rebill["responseCode"] == code


def test_control_c_ends_both_processes_cleanly(create: Create) -> None:
    sandbox = create().start()
    bank = bank_address(sandbox)
    assert listens(bank)
    assert sandbox.interrupt() == 0, said(sandbox)
    assert not listens(bank)
    assert "Traceback" not in said(sandbox)


def test_a_killed_sandbox_leaves_no_bank_behind(create: Create) -> None:
    sandbox = create().start()
    bank = bank_address(sandbox)
    sandbox.kill()
    until_silent(bank)


def test_a_bank_that_dies_ends_the_sandbox_with_status_one(create: Create) -> None:
    sandbox = create().start()
    children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    assert sandbox._process is not None
    assert sandbox._process.wait(STOP_S) == 1
    assert "the test bank has ended" in said(sandbox)


@pytest.mark.parametrize("setting", ["port", "bank_port", "bank_admin_port"])
def test_a_port_in_use_is_said_with_its_setting(create: Create, setting: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        line = refused(create(**{setting: port}))
    assert str(port) in line
    assert f"NETVALVE_{setting.upper()}" in line


def test_a_second_sandbox_in_the_same_home_says_so(create: Create) -> None:
    create().start()
    assert "another" in refused(create())


def test_public_credentials_are_not_served_beyond_loopback_by_accident(
    create: Create, tmp_path: Path
) -> None:
    file = tmp_path / "netvalve.toml"
    file.write_text('host = "0.0.0.0"\n')
    assert "NETVALVE_HOST=0.0.0.0" in refused(create(settings=file))
