"""The commands as an operator uses them: real processes, most of them beside a running gateway."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from running import CARD, Merchant, Sandbox, fresh_order

PROGRAM = (sys.executable, "-m", "netvalve.cli")


def facts(sandbox: Sandbox, *arguments: str) -> Any:
    """What a command says to a program."""
    done = sandbox.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def netvalve(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "NETVALVE" not in name}
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=folder, env={**environment, **settings},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def answer_to_sale(http: httpx.Client, **fields: object) -> httpx.Response:
    sale = {"midId": 1, "amount": 12, "currency": "USD", "clientOrderId": fresh_order(), **CARD}
    return http.post("/sale", json={**sale, **fields})


def until(condition: Callable[[], bool], limit_s: float) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_a_new_merchant_can_pay_within_a_second_of_being_added(sandbox: Sandbox) -> None:
    client = facts(sandbox, "client", "add", "Second Merchant")
    number = str(client["client_id"])
    account = facts(
        sandbox, "account", "add", number, "1", "--name", "Dollars", "--currency", "usd",
        "--bank-merchant-id", "42", "--descriptor", "SECOND", "--mcc", "5999", "--country", "us",
    )  # fmt: skip
    key = facts(sandbox, "key", "add", number)
    headers = {
        "netvalve-client-id": client["netvalve_client_id"],
        "netvalve-api-key": key["api_key"],
    }
    with httpx.Client(base_url=sandbox.base_url, headers=headers, trust_env=False) as http:
        mid_id = account["mid_id"]
        until(lambda: answer_to_sale(http, midId=mid_id).status_code == 200, 1)
        assert answer_to_sale(http, midId=mid_id).json()["responseCode"] == "GTW_1000"
        assert answer_to_sale(http, midId=1).json()["responseCode"] == "GTW_2000"
        assert sandbox.command("key", "revoke", str(key["key_id"])).returncode == 0
        until(lambda: answer_to_sale(http, midId=mid_id).status_code == 401, 1)


def test_a_limit_set_in_major_units_refuses_what_is_above(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    changed = facts(sandbox, "account", "set", "2", "--amount-max", "50.00")
    assert changed["amount_max"] == "50.00"

    def code() -> str:
        answer = answer_to_sale(http, midId=2, currency="EUR", amount=50.01)
        return str(answer.json()["responseCode"])

    until(lambda: code() == "GTW_2009", 1)
    assert facts(sandbox, "account", "set", "2", "--amount-max", "none")["amount_max"] is None
    until(lambda: code() == "GTW_1000", 1)


def test_a_key_and_a_password_are_shown_once_and_never_listed(sandbox: Sandbox) -> None:
    key = facts(sandbox, "key", "add", "1")
    user = facts(sandbox, "user", "add", "1", "counter")
    listed = json.dumps([facts(sandbox, "key", "list"), facts(sandbox, "user", "list")])
    assert str(key["key_id"]) in listed
    assert "counter" in listed
    assert key["api_key"] not in listed
    assert user["password"] not in listed
    for file in filter(Path.is_file, sandbox.home.iterdir()):
        assert key["api_key"].encode() not in file.read_bytes()


def test_a_transaction_is_shown_with_its_history_and_no_card_number(
    sandbox: Sandbox, shop: Merchant
) -> None:
    sale = shop.sale(12)
    number = str(sale["transactionID"])
    shown = facts(sandbox, "transaction", "show", number)
    assert (shown["type"], shown["state"], shown["amount"]) == ("SALE", "APPROVED", "12.00 USD")
    assert shown["rrn"] == sale["bankTransactionId"]
    opened, approved = shown["history"]
    assert (opened["event"], opened["message_type"]) == ("OPENED", "0200")
    assert opened["stan"] == shown["stan"]
    assert (approved["event"], approved["field_39"]) == ("APPROVED", "00")

    text = sandbox.command("transaction", "show", number).stdout
    assert "401200******5439" in text
    assert CARD["cardNumber"] not in text
    assert "OPENED" in text


def test_an_order_is_shown_with_all_its_transactions(sandbox: Sandbox, shop: Merchant) -> None:
    sale = shop.sale(12)
    refund = shop.post("/refund", transactionID=sale["transactionID"], amount=2)
    shown = facts(sandbox, "order", "show", str(sale["orderId"]))
    both = [sale["transactionID"], refund["transactionID"]]
    assert (shown["captured"], shown["refunded"]) == ("12.00 USD", "2.00 USD")
    assert [each["transaction_id"] for each in shown["transactions"]] == both
    assert {each["transaction_id"] for each in shown["history"]} == set(both)


@pytest.mark.parametrize("command", ["client", "site", "bank-profile", "account", "key", "user"])
def test_every_list_is_a_table_for_people_and_json_for_programs(
    sandbox: Sandbox, command: str
) -> None:
    rows = facts(sandbox, command, "list")
    table = sandbox.command(command, "list").stdout.splitlines()
    assert len(table) == len(rows) + 2
    assert table[0].split("  ")[0].strip().replace(" ", "_") == next(iter(rows[0]))


def test_check_names_the_bank_out_of_reach_and_nothing_else(sandbox: Sandbox) -> None:
    done = sandbox.command("check", "--json")
    rows = json.loads(done.stdout)
    assert [row["name"] for row in rows if not row["ok"]] == ["bank TSYS"]
    assert len(rows) > 5
    assert done.returncode == 1


@pytest.mark.only_on("sqlite")
def test_a_second_gateway_on_the_same_store_is_told_so(sandbox: Sandbox) -> None:
    done = sandbox.command("serve")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("netvalve: another gateway runs on")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("transaction", "show", "99999999"), ("order", "show", "99999999"),
        ("client", "disable", "77"), ("key", "revoke", "77"), ("user", "revoke", "nobody"),
        ("account", "set", "77", "--disabled"), ("account", "set", "77", "--amount-min", "1"),
        ("account", "set", "1", "--amount-min", "lots"),
        ("account", "set", "1", "--channels", "API,PIGEON"),
        ("site", "add", "77", "Nobody's"), ("keyring", "new"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_on_standard_error_and_status_one(
    sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    done = sandbox.command(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("netvalve: ")


def test_a_command_that_is_not_understood_is_status_two(tmp_path: Path) -> None:
    assert netvalve(tmp_path, "frobnicate").returncode == 2
    assert netvalve(tmp_path, "transaction", "show", "many").returncode == 2


def test_without_a_store_each_step_says_what_to_do_next(tmp_path: Path) -> None:
    assert "netvalve keyring new" in netvalve(tmp_path, "client", "list").stderr
    assert netvalve(tmp_path, "keyring", "new").returncode == 0
    file = tmp_path / "var" / "keyring.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "netvalve migrate" in netvalve(tmp_path, "client", "list").stderr
    assert netvalve(tmp_path, "migrate").returncode == 0
    assert netvalve(tmp_path, "migrate").stdout == "the database is current\n"
    assert netvalve(tmp_path, "client", "list", "--json").stdout == "[]\n"


def test_a_database_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    netvalve(tmp_path, "keyring", "new")
    (tmp_path / "var" / "netvalve.sqlite3").write_text("not a database")
    for command in (("client", "list"), ("serve",)):
        done = netvalve(tmp_path, *command)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("netvalve: the database refuses")


@pytest.mark.parametrize("command", [("migrate",), ("client", "list"), ("serve",), ("verify",)])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://nv:hidden@db/nv", "neither a SQLite file"),
        ("postgresql://nv:hidden@127.0.0.1:1,[::1]:1/nv", "the database cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_had_is_said_in_one_line_without_its_password(
    tmp_path: Path, url: str, says: str, command: tuple[str, ...]
) -> None:
    netvalve(tmp_path, "keyring", "new")
    done = netvalve(tmp_path, *command, NETVALVE_DATABASE=url)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hidden" not in done.stderr


def test_serve_says_where_it_listens_and_ends_with_status_zero(tmp_path: Path) -> None:
    netvalve(tmp_path, "keyring", "new")
    environment = {name: value for name, value in os.environ.items() if "NETVALVE" not in name}
    with subprocess.Popen(
        [*PROGRAM, "serve"], cwd=tmp_path, env={**environment, "NETVALVE_PORT": "0"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as serving:  # fmt: skip
        assert serving.stdout is not None
        url = serving.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
        serving.terminate()
        assert serving.wait(20) == 0


def test_rotating_the_key_ring_keeps_the_older_key(tmp_path: Path) -> None:
    netvalve(tmp_path, "keyring", "new")
    file = tmp_path / "var" / "keyring.json"
    before = json.loads(file.read_text())
    assert netvalve(tmp_path, "keyring", "rotate").returncode == 0
    after = json.loads(file.read_text())
    assert after["active"] != before["active"]
    assert before["cipher_keys"].items() <= after["cipher_keys"].items()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_wrong_setting_is_named_and_no_traceback_is_shown(tmp_path: Path) -> None:
    done = netvalve(tmp_path, "settings", NETVALVE_LOG_LEVEL="loud")
    assert done.returncode == 1
    assert done.stderr.startswith("netvalve: setting log_level (NETVALVE_LOG_LEVEL)")
    assert len(done.stderr.splitlines()) == 1


def test_settings_are_listed_as_json(tmp_path: Path) -> None:
    rows = json.loads(netvalve(tmp_path, "settings", "--json", NETVALVE_PORT="9").stdout)
    port = next(row for row in rows if row["name"] == "port")
    assert (port["value"], port["source"]) == ("9", "environment")


def test_help_is_quick_for_it_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys, netvalve.cli.main; heavy = {'sqlalchemy', 'pydantic', 'uvicorn', 'cffi'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
    assert "sandbox" in netvalve(tmp_path, "--help").stdout


def test_generated_pages_are_current() -> None:
    project = Path(__file__).parents[2]
    done = netvalve(project, "docs", "--check")
    assert done.returncode == 0, done.stderr
