"""A bank that approves everything from memory, as lean as it can be: never the bottleneck.

    python -m bench.bare_bank

It says on which port it listens in one JSON line and then takes orders as such lines, each
answered with one: `{"unanswered_percent": 5, "latency_s": 0.1}` from now on, `{"book": "a.csv"}`
to write what it has booked so far as `netvalve reconcile` reads it. An unanswered message is booked
all the same. Nothing of it is durable, and it judges nothing: the test bank does both.
"""

import asyncio
import gc
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from bench.bare_book import Booked, write_book
from bench.orders import Order, say, take_orders
from netvalve.banks.iso8583.messages import FrameReader, decode_message, frame
from netvalve.banks.iso8583.specification import ECHOED, FIELDS, MessageType, Tag, answer_type
from netvalve.banks.testbank.answers import network_answer
from netvalve.cli.event_loop import run_until_done, stop_on_signals

_HOST: Final = "127.0.0.1"
_NETWORK: Final = MessageType.NETWORK.encode()
_ORIGINAL: Final = 90
_LENGTHS: Final = {int(field.number): (field.length, field.length_digits) for field in FIELDS}
_ECHOED: Final = frozenset(map(int, ECHOED))
_APPROVED: Final = b"00"
_VERIFIED: Final = b"02YM"
"""Field 44: address and security code match."""
_REBILL: Final = Tag.REBILL.encode()
_FINAL: Final = Tag.FINAL_CAPTURE.encode()
_SCHEME_ID: Final = b"020" + Tag.SCHEME_TRANSACTION_ID.encode() + b"015"

Fields = dict[int, bytes]
"""A message's fields as they stand on the wire, their lengths in front of those that have one."""


class Field(NamedTuple):
    """Where a field's bytes end: after so many, or after a length of so many digits and itself."""

    number: int
    length: int
    length_digits: int


class Bank:
    """What is booked, and how it misbehaves for now."""

    def __init__(self) -> None:
        self.unanswered_percent = 0.0
        self.latency_s = 0.0
        self.booked: list[Booked] = []
        self._dice = Random(0)  # noqa: S311  # the same messages in each run

    def answer(self, message: bytes) -> bytes:
        """The frame that answers a message; nothing where it goes unanswered."""
        message_type = message[:4]
        if message_type == _NETWORK:
            return network_answer(decode_message(message))
        fields = fields_of(message)
        self.booked.append(_booked(message_type, fields))
        if self.unanswered_percent and self._dice.random() * 100 < self.unanswered_percent:
            return b""
        return frame(approval(message_type, fields))

    async def obey(self, order: Order) -> Order:
        """Do what the run asks for."""
        if "book" in order:
            return {"lines": write_book(self.booked, Path(order["book"]))}
        self.unanswered_percent, self.latency_s = order["unanswered_percent"], order["latency_s"]
        return order


class Peer(asyncio.Protocol):
    """One connection: all that came together is answered together."""

    _transport: asyncio.WriteTransport

    def __init__(self, bank: Bank) -> None:
        self._bank, self._frames = bank, FrameReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A gateway has connected."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none of asyncio's

    def data_received(self, data: bytes) -> None:
        """Answer what is whole by now."""
        answers = b"".join(map(self._bank.answer, self._frames.feed(data)))
        if not answers:
            return
        if self._bank.latency_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._bank.latency_s, self._transport.write, answers)
        else:
            self._transport.write(answers)


def fields_of(message: bytes) -> Fields:
    """The fields of a message as they stand in it."""
    end = 20 if message[4] & 0x80 else 12
    fields: Fields = {}
    for number, length, length_digits in _layout(message[4:end]):
        start, end = end, end + length
        if length_digits:
            end = start + length_digits + int(message[start : start + length_digits])
        fields[number] = message[start:end]
    return fields


def approval(message_type: bytes, fields: Fields) -> bytes:
    """The message that approves another, without its length header."""
    answer = {number: each for number, each in fields.items() if number in _ECHOED}
    stan = fields[11]
    answer[39] = _APPROVED
    answer[38] = b"B" + stan[1:]
    if _ORIGINAL not in fields:  # a charge
        answer[44] = _VERIFIED
        answer[48] = _SCHEME_ID + fields[7] + stan[1:]
    numbers = tuple(sorted(answer))
    return _head(message_type, numbers) + b"".join([answer[number] for number in numbers])


@lru_cache(maxsize=256)
def _layout(bitmaps: bytes) -> tuple[Field, ...]:
    bits = int.from_bytes(bitmaps, "big")
    width = len(bitmaps) * 8
    numbers = (n for n in range(2, width + 1) if bits >> (width - n) & 1)
    return tuple(Field(number, *_LENGTHS[number]) for number in numbers)


@lru_cache(maxsize=256)
def _head(message_type: bytes, numbers: tuple[int, ...]) -> bytes:
    """The answer's type and bitmap; no field of an approval is beyond the first 64."""
    bitmap = sum(1 << (64 - number) for number in numbers)
    return answer_type(message_type.decode()).encode() + bitmap.to_bytes(8, "big")


def _booked(message_type: bytes, fields: Fields) -> Booked:
    tags = dict(_tags(fields.get(48, b"")))
    return Booked(
        message_type=message_type,
        processing_code=fields[3],
        amount=fields[4],
        transmitted_at=fields[7],
        stan=fields[11],
        rrn=fields[37],
        terminal=fields[41],
        currency=fields[49],
        original=fields.get(_ORIGINAL, b"")[4:20],
        rebill=_REBILL in tags,
        final=_FINAL in tags,
    )


def _tags(field_48: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 3
    while position < len(field_48):
        end = position + 5 + int(field_48[position + 2 : position + 5])
        yield field_48[position : position + 2], field_48[position + 5 : end]
        position = end


async def _serve() -> None:
    gc.disable()  # what is booked stays, and looking through it again and again would hold up
    bank, stop = Bank(), stop_on_signals()
    server = await asyncio.get_running_loop().create_server(lambda: Peer(bank), _HOST, 0)
    say({"host": _HOST, "port": server.sockets[0].getsockname()[1]})
    obeying = asyncio.create_task(take_orders(bank.obey))
    await asyncio.wait(
        [obeying, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    server.close()


if __name__ == "__main__":
    run_until_done(_serve())
