"""Two gateways on one PostgreSQL and one bank: every request goes to either, by chance.

What no interleaving within one gateway can spoil (test_interleaving.py) none between two can.
"""

import asyncio
import csv
import io
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from random import Random, shuffle
from typing import Any

import pytest
import pytest_asyncio

from e2e.rounds.harms.harm import POSTGRESQL, Answered, Harm
from e2e.rounds.round import endure
from e2e.rounds.station import Station, running_station
from running import CARD, fresh_order
from stores import Databases, rows_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

DONE, PENDING, DUPLICATE, BUSY = "GTW_1000", "GTW_1002", "GTW_2065", "GTW_2049"
CAPTURED, CANCELLED, DISABLED = "GTW_2046", "GTW_2047", "GTW_2000"
NOTHING_LEFT, TOO_MUCH, NOTHING_CAPTURED = "GTW_2045", "GTW_2108", "GTW_2013"
BOTH = (0, 1)
SEEN_S = 1.0
"""How soon a change of the configuration is seen everywhere."""
TAKEN_OVER_S = 15.0
_DEAD = "SELECT epoch FROM nodes WHERE node LIKE :name"
_LEFT = """
SELECT (SELECT count(*) FROM transactions WHERE state = 'PENDING' AND owner_epoch = :epoch)
    + (SELECT count(*) FROM forwards WHERE done_at_ms IS NULL AND owner_epoch = :epoch)
"""

Answer = tuple[int, Mapping[str, Any]]
Request = tuple[str, Mapping[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def station(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> AsyncIterator[Station]:
    """Both, and at the end everything that must agree."""
    folder, silent = tmp_path_factory.mktemp("two"), databases.server.log.stat().st_size
    async with running_station(
        folder,
        databases=databases,
        nodes=2,
        charge_deadline_s=6,
        follow_up_deadline_s=6,
        lease_s=4,
    ) as station:
        await station.until_bank_is_ready(30)
        yield station
        await station.until_nothing_is_unknown(30)
        await assert_the_books_agree(station)
    assert b"deadlock" not in databases.server.log.read_bytes()[silent:]


async def assert_the_books_agree(station: Station) -> None:
    """The store with itself, and with the bank's book."""
    verified = await station.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    reconciled = await station.command("reconcile", "-", text=await station.book())
    assert " 0 are on their way, 0 differ" in reconciled.stdout, reconciled.stdout


def charge(amount: float = 100, **fields: Any) -> dict[str, Any]:
    return {
        "midId": 1, "amount": amount, "currency": "USD", "clientOrderId": fresh_order(), **CARD,
        **fields,
    }  # fmt: skip


async def post(station: Station, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One request that is approved."""
    ((status, answer),) = await post_all(station, [(path, body)])
    assert (status, answer["responseCode"]) == (200, DONE), answer
    return dict(answer)


async def post_all(
    station: Station, requests: Sequence[Request], key: str | None = None
) -> list[Answer]:
    """All of them at once, to either gateway; the answers in the order of the requests."""
    headers = {"Idempotency-Key": key} if key else None
    async with station.client(connections=100) as http:
        answers = await asyncio.gather(
            *(http.post(path, json=body, headers=headers) for path, body in requests)
        )
    return [(answer.status_code, answer.json()) for answer in answers]


def codes_of(answers: Sequence[Answer]) -> Counter[str]:
    assert {status for status, _ in answers} == {200}, answers
    return Counter(answer["responseCode"] for _, answer in answers)


async def ended(station: Station, order_id: int) -> list[dict[str, Any]]:
    """The order's transactions once none of them is pending."""
    async with station.client() as http, asyncio.timeout(30):
        while True:
            rows = (await http.get("/order", params={"id": order_id})).json()["transactions"]
            if all(row["responseCode"] != PENDING for row in rows):
                return list(rows)
            await asyncio.sleep(0.1)


async def booked(station: Station, told: Mapping[str, Any]) -> Mapping[str, str]:
    """The line of the bank's book that holds the money of a charge."""
    book = csv.DictReader(io.StringIO(await station.book()))
    return next(line for line in book if line["rrn"] == told["bankTransactionId"])


async def test_an_order_is_charged_once_whichever_gateway_hears_of_it(station: Station) -> None:
    sales = [("/sale", charge(12.5)) for _ in range(25)]
    crowd = sales * 6
    shuffle(crowd)
    answers = await post_all(station, crowd)
    assert codes_of(answers) == {DONE: 25, DUPLICATE: 125}
    charged = Counter(
        body["clientOrderId"]
        for (_, body), (_, answer) in zip(crowd, answers, strict=True)
        if answer["responseCode"] == DONE
    )
    assert {*charged.values()} == {1}


async def test_a_key_is_done_once_and_names_one_request_at_both(station: Station) -> None:
    async def storm(key: str) -> None:
        body = charge(12.5)
        other = {**body, "amount": 13}
        answers = await post_all(station, [("/sale", body), ("/sale", other)] * 8, key)
        assert {status for status, _ in answers} <= {200, 422, 429}
        told = [answer for status, answer in answers if status == 200]
        assert len({answer["transactionID"] for answer in told}) <= 1
        ((first, _),) = await post_all(station, [("/sale", body)], key)
        ((second, _),) = await post_all(station, [("/sale", other)], key)
        assert sorted((first, second)) == [200, 422]

    await asyncio.gather(*(storm(fresh_order()) for _ in range(12)))


async def test_refunds_give_back_what_was_captured_and_no_more(station: Station) -> None:
    async def crowd(sale: Mapping[str, Any]) -> None:
        refund = {"transactionID": sale["transactionID"], "amount": 7}
        codes = codes_of(await post_all(station, [("/refund", refund)] * 50))
        assert {*codes} <= {DONE, BUSY, TOO_MUCH}
        assert 1 <= codes[DONE] <= 14
        assert int((await booked(station, sale))["refunded_minor"]) == codes[DONE] * 700

    sales = await asyncio.gather(*(post(station, "/sale", charge()) for _ in range(6)))
    await asyncio.gather(*map(crowd, sales))


async def test_an_authorization_is_captured_or_cancelled_and_refunded_within(
    station: Station,
) -> None:
    async def crowd(hold: Mapping[str, Any]) -> None:
        named = {"transactionID": hold["transactionID"]}
        whole, part = {**named, "amount": 100}, {**named, "amount": 1}
        requests = [("/capture", whole), ("/cancel", named), ("/refund", part), ("/refund", part)]
        codes = codes_of(await post_all(station, requests * 15))
        assert {*codes} <= {DONE, BUSY, CAPTURED, CANCELLED, NOTHING_CAPTURED, NOTHING_LEFT}
        rows = await ended(station, hold["orderId"])
        done = Counter(row["transactionType"] for row in rows if row["responseCode"] == DONE)
        assert done["CAPTURE"] + done["CANCEL"] == 1
        assert codes[DONE] == done.total() - 1
        line = await booked(station, hold)
        assert int(line["captured_minor"]) == done["CAPTURE"] * 10_000
        assert int(line["refunded_minor"]) == done["REFUND"] * 100

    holds = await asyncio.gather(*(post(station, "/authorize", charge()) for _ in range(6)))
    await asyncio.gather(*map(crowd, holds))


async def until_both(seen_s: float, answers: Any) -> float:
    """Seconds until both gateways answer as they should."""
    began_s = time.monotonic()
    for node in BOTH:
        while not await answers(node):
            assert time.monotonic() - began_s < seen_s, f"gateway {node} has not noticed"
            await asyncio.sleep(0.02)
    return time.monotonic() - began_s


async def test_a_key_that_is_revoked_opens_neither_gateway(station: Station) -> None:
    made = json.loads((await station.command("key", "add", "1", "--json")).stdout)

    async def status(node: int) -> int:
        async with station.client(node) as http:
            headers = {"netvalve-api-key": made["api_key"]}
            return (await http.get("/orders", headers=headers)).status_code

    async def opens(node: int) -> bool:
        return await status(node) == 200

    async def refuses(node: int) -> bool:
        return await status(node) == 401

    await until_both(SEEN_S, opens)
    assert (await station.command("key", "revoke", str(made["key_id"]))).returncode == 0
    await until_both(SEEN_S, refuses)


async def test_an_account_that_is_disabled_takes_no_payment_at_either(station: Station) -> None:
    async def code(node: int) -> str:
        async with station.client(node) as http:
            sale = charge(1, midId=3, currency="GBP")
            return str((await http.post("/sale", json=sale)).json()["responseCode"])

    async def takes(node: int) -> bool:
        return await code(node) == DONE

    async def refuses(node: int) -> bool:
        return await code(node) == DISABLED

    await until_both(SEEN_S, takes)
    await station.command("account", "set", "3", "--disabled")
    await until_both(SEEN_S, refuses)
    await station.command("account", "set", "3", "--enabled")
    await until_both(SEEN_S, takes)


class KillOne(Harm):
    """One of them dies with messages at a bank that is silent; the other ends what it left."""

    name = "kill one gateway"
    store = POSTGRESQL
    answered = Answered.NOT_ALL
    left = 0
    taken_over_s = 0.0

    async def strike(self, station: Station, chance: Random) -> None:
        """Kill it, wait for the other, start it again."""
        del chance
        station.proxy.flows.clear()
        await asyncio.sleep(0.3)
        dead = station.gateways[1]
        pid = dead.pid
        await dead.kill()
        station.proxy.flows.set()
        ((epoch,),) = rows_of(station.database_url, _DEAD, name=f"%-{pid}")
        killed_s = time.monotonic()
        self.left = left = _left(station, epoch)
        while left:
            assert time.monotonic() - killed_s < TAKEN_OVER_S, f"{left} are left"
            await asyncio.sleep(0.1)
            left = await asyncio.to_thread(_left, station, epoch)
        self.taken_over_s = time.monotonic() - killed_s
        await station.start_gateway(1)
        station.database.is_back()


def _left(station: Station, epoch: int) -> int:
    ((count,),) = rows_of(station.database_url, _LEFT, epoch=epoch)
    return int(count)


async def test_kill_9_of_one_leaves_everything_to_the_other(station: Station) -> None:
    harm = KillOne()
    result = await endure(station, harm, "one of two")
    assert result.breaches == []
    assert harm.left > 0
    assert result.approved > 0
