"""A gateway's end of the link for tests: messages made with the codec, sent over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx

from netvalve.banks.iso8583.messages import (
    FrameReader,
    Message,
    decode_message,
    encode_message,
    frame,
)
from netvalve.banks.iso8583.specification import LENGTH_HEADER_BYTES, Tag
from netvalve.banks.testbank.program import serve_test_bank

CARD = "4012000098765439"
NO_ANSWER_S = 0.25
"""How long silence is listened to before it counts."""

_numbers = count(1)


@dataclass(frozen=True)
class Asked:
    """A message with what its answer is matched by."""

    fields: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def stan(self) -> str:
        return self.fields["11"]

    @property
    def framed(self) -> bytes:
        return frame(encode_message(self.fields, self.tags))

    def repeated(self) -> "Asked":
        return Asked({**self.fields, "t": f"{self.fields['t'][:3]}1"}, self.tags)


def asked(message_type: str, amount: int, /, **tags: str) -> Asked:
    """A message of the type with an identity never used before."""
    number = next(_numbers)
    fields = {
        "t": message_type,
        "3": "000000",
        "4": f"{amount:012d}",
        "7": f"1122{number // 1_000_000:06d}",
        "11": f"{number % 1_000_000:06d}",
        "32": "400001",
        "37": f"6326{number:08d}",
        "41": "NV000000",
        "42": "000000000000001",
        "49": "840",
    }
    return Asked(fields, tags)


def charge(message_type: str, amount: int, **fields: str) -> Asked:
    """An authorization (0100) or sale (0200); fields are given as `f2`, tags as `t92`."""
    made = asked(message_type, amount)
    own = {"2": CARD, "14": "3012", "22": "010", "25": "59"}
    tags = {Tag.CVV2: "999", **_named("t", fields)}
    given = {tag: value for tag, value in tags.items() if value}
    return Asked({**made.fields, **own, **_named("f", fields)}, given)


def authorize(amount: int = 10_000, **fields: str) -> Asked:
    return charge("0100", amount, **fields)


def sale(amount: int = 10_000, **fields: str) -> Asked:
    return charge("0200", amount, **fields)


def about(original: Asked, message_type: str, amount: int, **fields: str) -> Asked:
    """A capture, cancel, refund or reversal that names its original in field 90."""
    made = asked(message_type, amount, **_named("t", fields))
    of = original.fields
    elements = f"{of['t'][:3]}0{of['11']}{of['7']}{of['32']:0>11}{'0' * 11}"
    own = {"90": elements, "49": of["49"]}
    return Asked({**made.fields, **own, **_named("f", fields)}, made.tags)


def capture(original: Asked, amount: int, *, final: bool = True) -> Asked:
    return about(original, "0220", amount, **({"t31": "1"} if final else {}))


def cancel(original: Asked) -> Asked:
    return about(original, "0400", int(original.fields["4"]))


def refund(original: Asked, amount: int) -> Asked:
    return about(original, "0200", amount, f3="200000")


def reversal(original: Asked) -> Asked:
    return about(original, "0420", int(original.fields["4"]))


def _named(prefix: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {name[1:]: value for name, value in fields.items() if name.startswith(prefix)}


class Line:
    """One connection to the bank."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames = FrameReader()

    @classmethod
    async def to(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def send(self, *messages: Asked) -> None:
        self._writer.write(b"".join(message.framed for message in messages))

    async def ask(self, message: Asked) -> Message:
        """Send and wait for the answer, which must be the next to come."""
        self.send(message)
        answer = await self.answer()
        if answer.fields["11"] != message.stan:
            raise LookupError(f"answered {answer}")
        return answer

    async def code(self, message: Asked) -> str:
        """Field 39 of the answer."""
        return (await self.ask(message)).fields["39"]

    async def answer(self, wait_s: float = 5) -> Message:
        """The next answer."""
        return decode_message(await self.raw(wait_s))

    async def raw(self, wait_s: float = 5) -> bytes:
        """The next frame's content."""
        async with asyncio.timeout(wait_s):
            header = await self._reader.readexactly(LENGTH_HEADER_BYTES)
            return await self._reader.readexactly(int.from_bytes(header, "big"))

    async def silent(self, wait_s: float = NO_ANSWER_S) -> bool:
        """Whether nothing comes, not even the end of the connection."""
        try:
            async with asyncio.timeout(wait_s):
                return not await self._reader.readexactly(1)
        except TimeoutError:
            return True
        except asyncio.IncompleteReadError:
            return False

    async def rest(self, wait_s: float = 5) -> bytes:
        """What comes until the bank closes the connection."""
        async with asyncio.timeout(wait_s):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@dataclass
class RunningBank:
    """A bank with the real program, in the test's own process."""

    port: int
    admin_port: int
    admin: httpx.AsyncClient

    async def line(self) -> Line:
        return await Line.to(self.port)

    async def fault(self, **order: Any) -> dict[str, Any]:
        """Set a standing fault."""
        answer = await self.admin.post("/faults", json=order)
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    async def booked(self, message: Asked) -> list[dict[str, Any]]:
        """The entries of a message."""
        answer = await self.admin.get("/book", params={"rrn": message.fields["37"]})
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries


@asynccontextmanager
async def running_bank(home: Path) -> AsyncIterator[RunningBank]:
    """Serve from `home` on free ports until the block ends."""
    stop = asyncio.Event()
    ports: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve_test_bank(
            host="127.0.0.1",
            port=0,
            admin_port=0,
            home=home,
            ready=lambda port, admin_port: ports.set_result((port, admin_port)),
            stop=stop,
            late_s=0.4,
        )
    )
    await asyncio.wait([ports, serving], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    port, admin_port = ports.result()
    url = f"http://127.0.0.1:{admin_port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as admin:
        yield RunningBank(port, admin_port, admin)
    stop.set()
    await serving
