"""After every operation and fault the store agrees with itself, and with the bank's book.

Real processes and sockets; the sandbox runs on while it is looked through.
"""

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from running import DECLINED_CARD, Merchant, Sandbox
from stores import PROGRAM_STORES, change

ENDS_WITHIN_S = 40
CHARGES_WITH_FAULTS = (5005, 6001, 6003, 6004, 6005, 6006, 6007, 6008, 6009, 6012, 6013, 6014, 6015)
FOLLOW_UPS_WITH_FAULTS = (5191, 5196, 5105, 6103, 6104, 6105, 6106, 6107, 6113, 6114, 6115)
_BACKLOG = re.compile(
    r"^netvalve_(?:transactions_pending|reversals_waiting)(?:\{.*\})? (\S+)$", re.MULTILINE
)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own that has seen everything, and has nothing left to end."""
    home = tmp_path_factory.mktemp("busy")
    with Sandbox(home, charge_deadline_s=1.5, follow_up_deadline_s=1.2) as running:
        with running.client() as http:
            shop = Merchant(http)
            plain_operations(shop)
            faulty_operations(shop)
            until_all_is_ended(http)
        yield running


def plain_operations(shop: Merchant) -> None:
    held = shop.authorize(100)["transactionID"]
    shop.post("/capture", transactionID=held, amount=60.5, captureOptions={"finalCapture": True})
    shop.post("/refund", transactionID=held, amount=10.25)
    shop.post("/refund", transactionID=held)
    whole = shop.authorize(20)["transactionID"]
    shop.post("/capture", transactionID=whole, amount=20)
    shop.post("/cancel", transactionID=shop.authorize(30)["transactionID"])
    shop.authorize(40)
    sold = shop.sale(50)["transactionID"]
    shop.post("/refund", transactionID=sold, amount=5)
    shop.post("/rebill", transactionID=sold, amount=15)
    shop.sale(12.5, cardNumber=DECLINED_CARD)
    shop.sale(6012, additionalData={"partialAuthorizationIndicator": True})
    shop.sale(120, midId=4, currency="JPY")
    shop.sale(7, midId=2, currency="EUR")
    shop.sale(7, midId=16)


def faulty_operations(shop: Merchant) -> None:
    """Each fault in each operation, all at once: every silence takes a deadline."""

    def charge(amount: int) -> None:
        shop.sale(amount)
        shop.authorize(amount)

    def follow(amount: int) -> None:
        shop.post("/capture", transactionID=shop.authorize(amount)["transactionID"], amount=amount)
        shop.post("/cancel", transactionID=shop.authorize(amount)["transactionID"])
        shop.post("/refund", transactionID=shop.sale(amount)["transactionID"], amount=amount)

    with ThreadPoolExecutor(16) as callers:
        list(callers.map(charge, CHARGES_WITH_FAULTS))
        list(callers.map(follow, FOLLOW_UPS_WITH_FAULTS))


def until_all_is_ended(http: httpx.Client) -> None:
    end = time.monotonic() + ENDS_WITHIN_S
    while (backlog := _BACKLOG.findall(http.get("/metrics").text)) != ["0.0", "0.0"]:
        assert time.monotonic() < end, backlog
        time.sleep(0.1)


@pytest.fixture
def book(busy: Sandbox, tmp_path: Path) -> Path:
    """The bank's book as its admin gives it."""
    with httpx.Client(trust_env=False) as http:
        file = tmp_path / "book.csv"
        file.write_text(http.get(f"{busy.admin_url}/book.csv").text)
        return file


def changed(book: Path, rrn: str, **values: object) -> Path:
    """The book with other values in one line."""
    rows = list(csv.DictReader(io.StringIO(book.read_text())))
    for row in rows:
        if row["rrn"] == rrn:
            row.update({name: str(each) for name, each in values.items()})
    with book.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return book


def told(done: subprocess.CompletedProcess[str]) -> object:
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


def test_a_running_store_verifies_after_every_operation_and_fault(busy: Sandbox) -> None:
    done = busy.command("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(
        r"\d+ orders, \d+ transactions, \d+ events, \d+ forwards, \d+ cards: all agree\n",
        done.stdout,
    )


def test_a_running_gateway_reconciles_after_every_operation_and_fault(
    busy: Sandbox, book: Path
) -> None:
    done = busy.command("reconcile", str(book))
    assert done.returncode == 0, done.stdout + done.stderr
    found = told(busy.command("reconcile", str(book), "--json"))
    assert isinstance(found, dict)
    assert (found["waiting"], found["differences"]) == ([], [])
    assert found["agreed"] > 80
    for sums in found["money"].values():
        for kind in ("captured_minor", "refunded_minor", "held_minor"):
            assert sums["here"][kind] == sums["there"][kind]


def test_the_book_may_come_through_a_pipe(busy: Sandbox, book: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netvalve.cli", "reconcile", "-"],
        env=busy.environment, input=book.read_text(), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_amount_changed_by_hand_is_found_with_what_it_should_be(
    busy: Sandbox, tmp_path: Path
) -> None:
    busy_copy = Sandbox(tmp_path, database=PROGRAM_STORES.copy(busy.database_url, tmp_path))
    ((number,),) = busy_copy.rows(
        "SELECT order_id FROM orders WHERE state = 'APPROVED' AND type = 'SALE' LIMIT 1"
    )
    change(
        busy_copy.database_url,
        "UPDATE orders SET captured_minor = captured_minor - 1 WHERE order_id = :number",
        number=number,
    )
    done = busy_copy.command("verify", "--json")
    assert done.returncode == 1
    found = told(done)
    assert isinstance(found, dict)
    (breach,) = found["breaches"]
    assert (breach["subject"], breach["number"]) == ("order", number)
    assert int(breach["expected"]) == int(breach["found"]) + 1


def test_a_book_that_says_otherwise_ends_with_status_1_and_says_what_to_do(
    busy: Sandbox, book: Path
) -> None:
    with busy.client() as http:
        sale = Merchant(http).sale(33)
    with httpx.Client(trust_env=False) as admin:
        book.write_text(admin.get(f"{busy.admin_url}/book.csv").text)
    rrn = sale["bankTransactionId"]
    done = busy.command("reconcile", str(changed(book, rrn, amount_minor=3299)))
    assert done.returncode == 1
    (line,) = [each for each in done.stdout.splitlines() if rrn in each]
    assert str(sale["transactionID"]) in line
    assert "33.00 USD" in line
    assert "32.99 USD" in line
    assert "Settle the amount" in line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("rrn,terminal\n", "no column operation"),
        (
            "rrn,terminal,operation,currency,amount_minor,state\n1,2,SALE,USD,x,CAPTURED\n",
            "line 2 of the book",
        ),
    ],
)
def test_a_book_that_cannot_be_read_is_told_in_one_line(
    busy: Sandbox, tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "broken.csv"
    file.write_text(content)
    done = busy.command("reconcile", str(file))
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_only_the_named_banks_transactions_have_to_be_in_its_book(
    busy: Sandbox, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("rrn,terminal,operation,currency,amount_minor,state\n")
    assert busy.command("reconcile", str(empty), "--bank", "TSYS").returncode == 0
    assert busy.command("reconcile", str(empty), "--bank", "RYVYL").returncode == 1
    assert "there is no bank" in busy.command("reconcile", str(empty), "--bank", "No").stderr


def test_only_what_was_opened_in_the_period_has_to_be_in_the_book(
    busy: Sandbox, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("rrn,terminal,operation,currency,amount_minor,state\n")
    assert busy.command("reconcile", str(empty), "--until", "2020-01-01").returncode == 0
    assert busy.command("reconcile", str(empty), "--since", "2020-01-01").returncode == 1
