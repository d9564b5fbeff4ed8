"""Open load: sales by schedule, whatever has been answered; latency from the scheduled moment.

A generator that waits for answers slows down with the gateway and hides how long its merchants
would have waited. This one does not: who comes when every connection is in use opens another.
"""

import asyncio
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from netvalve.cli.event_loop import run_until_done

_SALE: Final = Path(__file__).with_name("sale.json").read_text().strip()
APPROVED: Final = "GTW_1000"
UNANSWERED: Final = "GTW_2054"
"""What a merchant hears of a charge whose bank did not answer."""
_CODE: Final = b'"responseCode":"'
_LENGTH: Final = b"content-length: "
_ANSWERS_S: Final = 40.0
"""Longer than any payment may take."""
_SAMPLE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Offered:
    """Where to, as whom, how often, how long, under which order names."""

    base_url: str
    client_id: str
    api_key: str
    per_s: float
    seconds: float
    prefix: str


@dataclass(frozen=True, slots=True)
class Open:
    """What came of it; the times are those of approved payments, in milliseconds."""

    offered: int
    codes: dict[str, int]
    """How many ended with which response code, or status where there was none."""
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    in_flight_mean: float
    in_flight_max: int

    @property
    def healthy(self) -> int:
        """Payments that were approved."""
        return self.codes.get(APPROVED, 0)

    @property
    def unanswered(self) -> int:
        """Payments that the bank left without an answer."""
        return self.codes.get(UNANSWERED, 0)

    @property
    def refused(self) -> int:
        """All others, and those that got no answer at all."""
        return self.offered - self.healthy - self.unanswered


def open_load(offered: Offered) -> Open:
    """Load a gateway, and wait for what is still on its way."""
    return run_until_done(_Generator(offered).run())


class _Generator:
    """Keeps to the schedule and counts."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        address = urlsplit(offered.base_url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._head = (
            f"POST /sale HTTP/1.1\r\nhost: {address.netloc}\r\n"
            f"netvalve-client-id: {offered.client_id}\r\nnetvalve-api-key: {offered.api_key}\r\n"
            "content-type: application/json\r\ncontent-length: "
        )
        self._free: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._begun = self._in_flight = 0
        self._samples: list[int] = []
        self._codes: Counter[str] = Counter()
        self._took_ms: list[float] = []
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self) -> Open:
        """Send everything, then wait for the answers."""
        sampling = asyncio.create_task(self._sample())
        await self._send_by_schedule()
        sampling.cancel()
        await self._wait_for_answers()
        for connection in self._all:
            connection.close()
        return self._seen()

    async def _send_by_schedule(self) -> None:
        loop = asyncio.get_running_loop()
        began_s, number = loop.time(), 0
        total = int(self._offered.per_s * self._offered.seconds)
        while number < total:
            due = min(int((loop.time() - began_s) * self._offered.per_s) + 1, total)
            for each in range(number, due):
                self._begin(each, began_s + each / self._offered.per_s)
            number = due
            await asyncio.sleep(began_s + number / self._offered.per_s - loop.time())

    def _begin(self, number: int, scheduled_s: float) -> None:
        self._begun += 1
        self._in_flight += 1
        body = _SALE % f"{self._offered.prefix}-{number}"
        request = f"{self._head}{len(body)}\r\n\r\n{body}".encode()
        if self._free:
            self._free.pop().ask(request, scheduled_s)
            return
        opening = asyncio.get_running_loop().create_task(self._connect(request, scheduled_s))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _connect(self, request: bytes, scheduled_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self), self._host, self._port
            )
        except OSError:
            self._in_flight -= 1
            return
        self._all.add(connection)
        connection.ask(request, scheduled_s)

    def answered(self, connection: "_Connection", code: str, took_s: float) -> None:
        """One payment has ended; its connection is free."""
        self._in_flight -= 1
        self._codes[code] += 1
        if code == APPROVED:
            self._took_ms.append(took_s * 1000)
        self._free.append(connection)

    def lost(self, connection: "_Connection", *, asked: bool) -> None:
        """A connection was closed, perhaps under a payment."""
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        self._in_flight -= asked

    async def _sample(self) -> None:
        while True:
            self._samples.append(self._in_flight)
            await asyncio.sleep(_SAMPLE_S)

    async def _wait_for_answers(self) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + _ANSWERS_S
        while self._in_flight and loop.time() < end_s:  # noqa: ASYNC110  # it is not measured
            await asyncio.sleep(_SAMPLE_S)

    def _seen(self) -> Open:
        took_ms = sorted(self._took_ms)
        return Open(
            offered=self._begun,
            codes=dict(self._codes),
            seconds=self._offered.seconds,
            p50_ms=_percentile(took_ms, 50),
            p99_ms=_percentile(took_ms, 99),
            p999_ms=_percentile(took_ms, 99.9),
            max_ms=_percentile(took_ms, 100),
            in_flight_mean=sum(self._samples) / max(len(self._samples), 1),
            in_flight_max=max(self._samples, default=0),
        )


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection with one request at a time; reads as much as its count needs."""

    _transport: asyncio.Transport

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._loop = asyncio.get_running_loop()
        self._scheduled_s: float | None = None
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, scheduled_s: float) -> None:
        """Send a request that was due at a moment."""
        self._scheduled_s, self._answer = scheduled_s, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        code = code_of(self._answer)
        if code is None or self._scheduled_s is None:
            return
        took_s, self._scheduled_s = self._loop.time() - self._scheduled_s, None
        self._generator.answered(self, code, took_s)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._generator.lost(self, asked=self._scheduled_s is not None)
        self._scheduled_s = None

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


def code_of(answer: bytes) -> str | None:
    """The response code of a whole answer, or its status where it has none; None until it is whole.

    Answers come with their length.
    """
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return None
    _, _, length = head.lower().partition(_LENGTH)
    if len(body) < int(length.partition(b"\r\n")[0]):
        return None
    _, found, rest = body.partition(_CODE)
    return (rest.partition(b'"')[0] if found else head.split(b" ", 2)[1]).decode()


def _percentile(ordered: list[float], percent: float) -> float:
    return ordered[math.ceil((len(ordered) - 1) * percent / 100)] if ordered else 0.0
