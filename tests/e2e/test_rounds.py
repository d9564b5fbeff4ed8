"""Nothing is lost whatever breaks: a handful of rounds of harm; and that a round would tell.

`make rounds` plays as many as one likes (docs/testing.md).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from e2e.rounds.call import Call
from e2e.rounds.harms.every import HARMS
from e2e.rounds.harms.harm import Answered, Harm
from e2e.rounds.round import play
from e2e.rounds.station import Station
from e2e.rounds.stored import Stored, repeated, untold
from e2e.rounds.truth import (
    book_of,
    charged_twice,
    odd_ends,
    two_for_one_key,
    untrue_answers,
    untrue_refusals,
)
from netvalve.domain.bank_book import BookLine, BookState
from netvalve.domain.bank_message import BankOperation

RRN = "632613000042"
SOLD = {"transactionID": 7, "responseCode": "GTW_1000", "bankTransactionId": RRN, "amount": 12.5}
LOST = {**SOLD, "responseCode": "GTW_2054"}
WAITS = {"transactionID": 7, "responseCode": "GTW_1002"}
SALE = {"clientOrderId": "a-1", "amount": 12.5}


FULL_DISK = pytest.param("full disk", marks=pytest.mark.only_on("sqlite"))
"""Of the gateway's machine, where PostgreSQL's rows are not."""


@pytest.mark.parametrize("name", ["kill both", "cut line", FULL_DISK, "stop", "stall"])
async def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    result = await play(HARMS[name], f"test {name}", tmp_path)
    assert result.breaches == []
    assert result.approved > 0


class Dies(Harm):
    async def strike(self, station: Station, chance: Random) -> None:
        del chance
        await station.gateway.kill()


async def test_a_gateway_that_stays_away_is_told(tmp_path: Path) -> None:
    breaches = (await play(Dies(), "dies", tmp_path)).breaches
    assert any(each.startswith("not recovered") for each in breaches)
    assert any(each.startswith("serve has ended") for each in breaches)
    assert any("had no answer" in each for each in breaches)


def line(amount_minor: int = 1250, rrn: str = RRN) -> BookLine:
    return BookLine(rrn, "T1", BankOperation.SALE, "USD", amount_minor, BookState.CAPTURED)


async def breaches_of(
    told: Mapping[str, Any], now: Mapping[str, Any], lines: Sequence[BookLine], status: str = "-"
) -> list[str]:
    """What is untrue of one sale, by what the merchant was told and what is there now."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json=now if request.url.path == "/inquiry" else {"status": status}
        )

    calls = [Call("/sale", SALE, 0.1, status=200, answer=told)]
    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        return [each async for each in untrue_answers(calls, book_of(lines), http)]


@pytest.mark.parametrize(
    ("told", "now", "lines", "status"),
    [(SOLD, SOLD, [line()], "-"), (LOST, LOST, [], "Reversed"), (WAITS, SOLD, [line()], "-")],
)
async def test_what_is_true_is_no_breach(
    told: Mapping[str, Any], now: Mapping[str, Any], lines: Sequence[BookLine], status: str
) -> None:
    assert await breaches_of(told, now, lines, status) == []


@pytest.mark.parametrize(
    ("told", "now", "lines", "says"),
    [
        (SOLD, LOST, [], "said responseCode GTW_1000, says GTW_2054"),
        (SOLD, SOLD, [], "has 0 lines in the bank's book"),
        (SOLD, SOLD, [line(), line()], "has 2 lines in the bank's book"),
        (SOLD, SOLD, [line(1249)], "was asked for 1250, and the bank has booked 1249"),
        (SOLD, {**SOLD, "amount": 12.4}, [line()], "was asked for 1250, and says 12.4"),
        (LOST, LOST, [line()], "says GTW_2054, and the bank has SALE CAPTURED 12.50 USD"),
        (LOST, LOST, [], "reads -"),
        (WAITS, WAITS, [], "is still pending"),
    ],
)
async def test_what_is_untrue_is_a_breach(
    told: Mapping[str, Any], now: Mapping[str, Any], lines: Sequence[BookLine], says: str
) -> None:
    breaches = await breaches_of(told, now, lines)
    assert any(each.endswith(says) for each in breaches), breaches


async def test_a_payment_that_was_refused_as_not_begun_and_stands_is_a_breach() -> None:
    refused = Call("/sale", SALE, 0.1, status=503, answer={"responseCode": "GTW_9999"})
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, json={**SOLD, "status": "Purchased"})
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        (breach,) = [each async for each in untrue_refusals([refused], http)]
    assert breach == "a-1 was refused as not begun, and reads Purchased"


def test_an_order_with_two_charges_in_the_book_is_a_breach() -> None:
    stored = [Stored(place, "SALE", "APPROVED", f"{place}", "a-1", place) for place in (1, 2)]
    once, twice = book_of([line(rrn="1")]), book_of([line(rrn="1"), line(rrn="2")])
    assert list(charged_twice(stored, once)) == []
    assert list(charged_twice(stored, twice)) == ["a-1 is charged 2 times"]


def test_money_that_moved_and_was_told_to_nobody_is_a_breach() -> None:
    told = [Call("/sale", SALE, 0.1, status=200, answer=SOLD)]
    assert list(untold([Stored(7, "SALE", "APPROVED", RRN, "a-1", 7)], told)) == []
    assert len(list(untold([Stored(8, "SALE", "REVERSED", RRN, "a-2", 8)], told))) == 1


def test_a_request_with_a_key_that_was_done_twice_is_a_breach() -> None:
    asked = [Call("/refund", {"transactionID": 7}, 0.1, key="k-1", broken="ReadError")] * 2
    done = [Stored(number, "REFUND", "APPROVED", f"{number}", None, 7) for number in (8, 9)]
    assert list(repeated(done[:1], asked)) == []
    assert len(list(repeated(done, asked))) == 1


def test_a_key_that_named_two_transactions_is_a_breach() -> None:
    told = [Call("/sale", SALE, 0.1, key="k-1", answer={"transactionID": 7}) for _ in range(2)]
    other = Call("/sale", SALE, 0.1, key="k-1", answer={"transactionID": 8})
    assert list(two_for_one_key(told)) == []
    assert len(list(two_for_one_key([*told, other]))) == 1


def test_a_request_left_hanging_is_a_breach_whatever_was_done() -> None:
    hanging = Call("/sale", SALE, 20.0, broken="ReadTimeout")
    cut = Call("/sale", SALE, 0.1, broken="ReadError")
    assert len(list(odd_ends([hanging, cut], Answered.NOT_ALL))) == 1
    assert len(list(odd_ends([hanging, cut], Answered.ALL))) == 2
