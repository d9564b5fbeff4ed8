"""One round: a station under load, a harm at some moment, recovery, and then the questions."""

import asyncio
import io
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from e2e.rounds.call import APPROVED, NOT_BEGUN, Call
from e2e.rounds.harms.harm import POSTGRESQL, Answered, Harm
from e2e.rounds.merchant import Merchant
from e2e.rounds.station import Station, running_station
from e2e.rounds.stored import repeated, stored_in, untold
from e2e.rounds.truth import (
    book_of,
    charged_twice,
    odd_ends,
    two_for_one_key,
    untrue_answers,
    untrue_refusals,
)
from netvalve.domain.bank_book import book_lines
from stores import PROGRAM_STORES, Databases

MERCHANTS = 12
BEFORE_S = (0.3, 1.0)
"""How long the load runs unharmed; and how long after the harm."""
AFTER_S = 0.5
BANK_BACK_S = 15.0
ENDED_S = 60.0
SERVED_AGAIN_S = 15.0


@dataclass(slots=True)
class Result:
    """What a round has seen."""

    seed: str
    harm: str
    requests: int = 0
    approved: int = 0
    transactions: int = 0
    refused: int = 0
    """Answered 503."""
    left_open: int = 0
    """Answered 504."""
    answers_lost: int = 0
    served_again_s: float = 0.0
    """From when the database was back until a charge was approved."""
    unknown_s: float = 0.0
    """From when the bank could be reached until nothing was unknown any more."""
    slowest_s: float = 0.0
    took_s: float = 0.0
    breaches: list[str] = field(default_factory=list)
    evidence: Path | None = None
    """The folder of a round with breaches, kept: the store, the bank's book, the logs."""


async def play(
    harm: Harm, seed: str, folder: Path | None = None, databases: Databases | None = None
) -> Result:
    """One round in a folder of its own; what it found. Its choices follow from the seed.

    It stores where the programs under test do, unless it is given databases.
    """
    began_s = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="netvalve-round-", dir=folder))
    stores = databases or PROGRAM_STORES.databases
    async with running_station(place, harm.small, stores, by_line=harm.by_line) as station:
        result = await endure(station, harm, seed)
        if result.breaches:
            result.evidence = place
            await asyncio.to_thread(station.keep_evidence, place / "evidence")
    if result.evidence is None:
        shutil.rmtree(place)
    result.took_s = time.monotonic() - began_s
    return result


async def endure(station: Station, harm: Harm, seed: str) -> Result:
    """One harm under load on a station that runs, and all the questions after it.

    A station may endure one harm after the other, each once.
    """
    result, chance = Result(seed, harm.name), Random(seed)  # noqa: S311  # a seed must replay it
    calls = await _under_load(station, harm, chance, result)
    _count(calls, result)
    result.breaches += odd_ends(calls, harm.answered)
    result.breaches += harm.unmet(calls)
    try:
        result.unknown_s = await _recovered(station)
    except (TimeoutError, httpx.HTTPError) as error:
        result.breaches.append(f"not recovered: {type(error).__name__} {error}")
    result.breaches += [each async for each in _asked(station, harm, calls, result)]
    return result


async def _under_load(
    station: Station, harm: Harm, chance: Random, result: Result
) -> Sequence[Call]:
    """All calls of a load during which the harm has happened."""
    stop = asyncio.Event()
    async with station.client() as http:
        await station.until_bank_is_ready(BANK_BACK_S)
        merchants = [
            Merchant(http, _name(harm, f"{place}"), Random(f"{result.seed} {place}"))  # noqa: S311
            for place in range(MERCHANTS)
        ]
        working = [asyncio.create_task(each.work(stop)) for each in merchants]
        await asyncio.sleep(chance.uniform(*BEFORE_S))
        try:
            await harm.strike(station, chance)
            if harm.store == POSTGRESQL:
                result.served_again_s = await _served_again(station, merchants)
        except (AssertionError, RuntimeError, TimeoutError) as error:
            result.breaches.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(AFTER_S)
        stop.set()
        await asyncio.gather(*working)
    return [call for each in merchants for call in each.calls]


async def _served_again(station: Station, merchants: Sequence[Merchant]) -> float:
    """Seconds from when the database was back until a charge was approved."""
    back_s = station.database.back_s
    assert back_s is not None
    async with asyncio.timeout_at(asyncio.get_running_loop().time() + SERVED_AGAIN_S):
        while True:
            for call in (call for each in merchants for call in each.calls):
                if call.charged and call.ended_s > back_s:
                    return call.ended_s - back_s
            await asyncio.sleep(0.05)


async def _recovered(station: Station) -> float:
    await station.until_bank_is_ready(BANK_BACK_S)
    return await station.until_nothing_is_unknown(ENDED_S)


async def _asked(
    station: Station, harm: Harm, calls: Sequence[Call], result: Result
) -> AsyncIterator[str]:
    """Everything that is not as it must be, by whoever can tell."""
    for program in (*station.gateways, station.bank):
        if not program.runs or program.ended_by_itself:
            yield f"{program.name} has ended by itself: {program.ended_by_itself}"
            return
    text = await station.book()
    verified = await station.command("verify")
    if verified.returncode != 0:
        yield f"verify: {verified.stdout}{verified.stderr}"
    reconciled = await station.command("reconcile", "-", text=text)
    if reconciled.returncode != 0 or " 0 are on their way, 0 differ" not in reconciled.stdout:
        yield f"reconcile: {reconciled.stdout}{reconciled.stderr}"
    book = book_of(book_lines(io.StringIO(text)))
    orders = {call.order for call in calls if call.order is not None}
    stored = [each for each in stored_in(station.database_url) if each.order in orders]
    result.transactions = len(stored)
    for breach in (*charged_twice(stored, book), *repeated(stored, calls)):
        yield breach
    for breach in two_for_one_key(calls):
        yield breach
    if harm.answered is not Answered.NOT_ALL:
        for breach in untold(stored, calls):
            yield breach
    async with station.client() as http:
        async for breach in untrue_answers(calls, book, http):
            yield breach
        async for breach in untrue_refusals(calls, http):
            yield breach
        sold = (await Merchant(http, _name(harm, "afterwards"), Random(0)).sell()).code  # noqa: S311
        if sold != APPROVED:
            yield f"a sale afterwards was answered {sold}"


def _count(calls: Sequence[Call], result: Result) -> None:
    result.requests = len(calls)
    result.approved = sum(call.charged for call in calls)
    result.refused = sum(call.status == NOT_BEGUN for call in calls)
    result.left_open = sum(call.left_open for call in calls)
    result.answers_lost = sum(call.answer_lost for call in calls)
    result.slowest_s = max((call.took_s for call in calls), default=0.0)


def _name(harm: Harm, place: str) -> str:
    return f"{harm.name.replace(' ', '-')}-{place}"
