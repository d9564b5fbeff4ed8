"""`netvalve serve --workers`: several gateways on one port and one store, each a node by itself."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.served import PATIENCE_S, Served
from netvalve.storage.key_ring import KeyRing
from running import CARD, fresh_order

APPROVED = "GTW_1000"
SLOW = 6010
"""The bank takes a second for a charge of this amount."""


def sale(order: str, amount: float = 12.5) -> dict[str, Any]:
    return {"midId": 1, "amount": amount, "currency": "USD", "clientOrderId": order, **CARD}


Answers = dict[str, httpx.Response | None]
"""By order; None where there was none."""


async def pay(
    client: httpx.AsyncClient,
    count: int,
    *,
    slow_every: int,
    after: int = 0,
    harm: Callable[[], None] = lambda: None,
) -> Answers:
    """So many sales, some slow; right after so many answers the harm is done."""
    answers: Answers = {}

    async def one(order: str, amount: float) -> None:
        try:
            answers[order] = await client.post("/sale", json=sale(order, amount))
        except httpx.HTTPError:
            answers[order] = None
        if len(answers) == after:
            harm()

    amounts = (SLOW if place % slow_every == 0 else 10 for place in range(count))
    await asyncio.gather(*(one(fresh_order(), amount) for amount in amounts))
    return answers


def approved(answers: Answers) -> list[str]:
    return [
        order
        for order, answer in answers.items()
        if answer is not None and answer.json()["responseCode"] == APPROVED
    ]


async def statuses(client: httpx.AsyncClient, orders: list[str]) -> Counter[str]:
    """How orders read now; one that was never begun counts as absent."""
    found = [await client.get("/order", params={"clientOrderId": order}) for order in orders]
    return Counter(each.json()["status"] if each.status_code == 200 else "absent" for each in found)


async def test_all_workers_pay_and_any_of_them_tells_the_metrics_of_all(
    tmp_path: Path, postgres_url: str
) -> None:
    with Served(tmp_path, postgres_url, workers=3) as gateway:
        async with gateway.async_client(60) as client:
            answers = await pay(client, 300, slow_every=1000)
        assert len(approved(answers)) == 300
        answered = [
            line for line in gateway.lines("answered") if line["operation"] == "saleOperation"
        ]
        assert len({line["node"] for line in answered}) == 3
        assert {int(line["node"].rpartition("-")[2]) for line in answered} == {*gateway.workers()}
        metrics = gateway.metrics()
        assert 'netvalve_outcomes_total{code="GTW_1000",type="SALE"} 300.0' in metrics
        assert "netvalve_workers 3.0" in metrics
        gateway.assert_the_books_agree()


async def test_kill_9_of_a_worker_under_load_loses_no_payment(
    tmp_path: Path, postgres_url: str
) -> None:
    with Served(tmp_path, postgres_url, workers=2, lease_s=2, charge_deadline_s=5) as gateway:
        victim = gateway.workers()[0]
        async with gateway.async_client(60) as client:
            answers = await pay(
                client, 200, slow_every=2, after=40, harm=partial(os.kill, victim, signal.SIGKILL)
            )
            await until(lambda: len(gateway.lines("gateway_started")) >= 3)
            assert victim not in gateway.workers()
            gateway.until_all_is_ended()
            acknowledged = approved(answers)
            lost = [order for order, answer in answers.items() if answer is None]
            assert lost, "nothing was in flight"
            assert len(acknowledged) >= 40
            assert await statuses(client, acknowledged) == {"Purchased": len(acknowledged)}
            ends = await statuses(client, lost)
            assert {*ends} <= {"Purchased", "Failed", "Reversed", "absent"}, ends
        gateway.assert_the_books_agree()


async def test_sigterm_under_load_answers_everything_that_was_taken(
    tmp_path: Path, postgres_url: str
) -> None:
    with Served(tmp_path, postgres_url, workers=2) as gateway:
        async with gateway.async_client(40) as client:
            answers = await pay(client, 200, slow_every=2, after=40, harm=gateway.process.terminate)
        assert gateway.process.wait(PATIENCE_S) == 0
        assert gateway.lines("worker_ended") == gateway.lines("worker_unfinished") == []
        assert [line["payments_left_open"] for line in gateway.lines("gateway_stopped")] == [0, 0]
        unanswered = [order for order, answer in answers.items() if answer is None]
        assert unanswered, "all was answered before the end"
        gateway.restart()
        async with gateway.async_client(40) as client:
            done = approved(answers)
            assert await statuses(client, done) == {"Purchased": len(done)}
            assert await statuses(client, unanswered) == {"absent": len(unanswered)}
        gateway.assert_the_books_agree()


async def test_workers_answer_what_they_have_taken_when_their_supervisor_is_killed(
    tmp_path: Path, postgres_url: str
) -> None:
    with Served(tmp_path, postgres_url, workers=2) as gateway:
        async with gateway.async_client(20) as client:
            paying = asyncio.create_task(pay(client, 20, slow_every=1))
            await asyncio.sleep(0.5)
            gateway.process.kill()
            answers = await paying
        assert len(approved(answers)) == 20
        await until(lambda: len(gateway.lines("gateway_stopped")) >= 2)
        gateway.assert_the_books_agree()


async def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.02)


def serve(home: Path, *options: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """`netvalve serve`, which is to refuse."""
    environment = {f"NETVALVE_{name.upper()}": str(each) for name, each in settings.items()}
    KeyRing.generate().save(home / "keyring.json")
    return subprocess.run(
        [sys.executable, "-m", "netvalve.cli", "serve", *options],
        env={**os.environ, "NETVALVE_HOME": str(home), "NETVALVE_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "settings"),
    [(["--workers", "3"], {}), ([], {"workers": 3}), (["--workers", "3"], {"workers": 1})],
)
def test_sqlite_is_refused_to_several_workers(
    tmp_path: Path, options: list[str], settings: dict[str, object]
) -> None:
    done = serve(tmp_path, *options, **settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"netvalve: 3 workers need PostgreSQL \(NETVALVE_DATABASE=postgresql://…\); "
        r"a SQLite database is for one process\n",
        done.stderr,
    )


def test_database_without_tables_is_told_once_by_all_workers(
    tmp_path: Path, databases: Any
) -> None:
    done = serve(tmp_path, "--workers", "3", database=databases.empty(), log_file=tmp_path / "log")
    assert done.returncode == 1
    assert re.fullmatch(r"netvalve: [^\n]*migrate[^\n]*\n", done.stderr), done.stderr
