"""Load, garbage and violent ends."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from conformance.testbank.talking import (
    Asked,
    Line,
    RunningBank,
    authorize,
    capture,
    running_bank,
    sale,
)
from netvalve.banks.iso8583.messages import frame
from netvalve.banks.testbank.book import BookInUse

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from netvalve.banks.testbank.program import serve_test_bank
asyncio.run(serve_test_bank(
    host="127.0.0.1", port=0, admin_port=0, home=Path(sys.argv[1]), stop=asyncio.Event(),
    ready=lambda *ports: print(json.dumps(ports), flush=True), until_stdin_closes=True,
))
"""


def start(home: Path) -> tuple[subprocess.Popen[bytes], int, int]:
    """The program as a process of its own; its two ports."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if process.stdout is None:
        raise RuntimeError("no standard output")
    port, admin_port = json.loads(process.stdout.readline())
    return process, port, admin_port


def end(process: subprocess.Popen[bytes]) -> int:
    """Close its standard input and wait; its exit status."""
    process.communicate(timeout=10)
    return process.returncode


async def test_thousand_messages_over_four_connections_are_answered_once_each(
    bank: RunningBank,
) -> None:
    lines = [await bank.line() for _ in range(4)]
    sent = [[sale(100 + number) for number in range(250)] for _ in lines]
    for line, messages in zip(lines, sent, strict=True):
        line.send(*messages)
    for line, messages in zip(lines, sent, strict=True):
        answers = [await line.answer() for _ in messages]
        assert {each.fields["39"] for each in answers} == {"00"}
        stans = sorted(each.fields["11"] for each in answers)
        assert stans == sorted(message.stan for message in messages)
        assert await line.silent(0.02)
        line.close()
    (count,) = (await bank.admin.get("/book")).json()["counts"]
    assert count["messages"] == 1000


async def test_same_message_over_many_connections_is_booked_once(bank: RunningBank) -> None:
    message = sale()
    lines = [await bank.line() for _ in range(8)]
    for line in lines:
        line.send(message)
    answers = [(await line.answer()).fields for line in lines]
    assert all(answer == answers[0] for answer in answers)
    assert len(await bank.booked(message)) == 1
    for line in lines:
        line.close()


async def test_captures_racing_for_one_hold_take_it_once(bank: RunningBank) -> None:
    opening = authorize(10_000)
    lines = [await bank.line() for _ in range(8)]
    await lines[0].ask(opening)
    for line in lines:
        line.send(*(capture(opening, 1_000, final=False) for _ in range(5)))
    codes = [(await line.answer()).fields["39"] for line in lines for _ in range(5)]
    assert codes.count("00") == 10
    assert set(codes) == {"00", "12"}
    for line in lines:
        line.close()


async def test_unreadable_message_is_dropped_and_the_link_goes_on(
    bank: RunningBank, line: Line
) -> None:
    chance = random.Random(8583)  # noqa: S311  # garbage that is the same in every run
    for length in (1, 2, 40, 300, 4096):
        line.write(frame(chance.randbytes(length)))
    whole = sale().framed
    line.write(frame(whole[2:-3]))
    line.send(Asked({**sale().fields, "t": "0210"}, {}))
    assert await line.code(sale()) == "00"
    assert (await bank.admin.get("/health")).json()["unreadable"] == 7


@pytest.mark.parametrize("flood", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 8, b"\xff" * 100_000])
async def test_stream_without_frames_is_closed(bank: RunningBank, flood: bytes) -> None:
    noise = await bank.line()
    noise.write(flood)
    with suppress(ConnectionResetError):
        assert await noise.rest() == b""
    other = await bank.line()
    assert await other.code(sale()) == "00"
    noise.close()
    other.close()


async def test_message_without_a_needed_field_is_refused_and_not_booked(
    bank: RunningBank, line: Line
) -> None:
    message = sale()
    fields = {number: value for number, value in message.fields.items() if number != "2"}
    answer = await line.ask(Asked(fields, message.tags))
    assert (answer.type, answer.fields["39"]) == ("0210", "30")
    assert await bank.booked(message) == []


async def test_peer_that_leaves_before_its_answer_is_booked_all_the_same(
    bank: RunningBank, line: Line
) -> None:
    message = sale(6010_00)
    line.send(message)
    assert await line.silent(0.1)
    line.close()
    other = await bank.line()
    assert await other.code(message.repeated()) == "00"
    assert len(await bank.booked(message)) == 1
    other.close()


async def test_book_serves_one_bank_at_a_time(bank: RunningBank, tmp_path: Path) -> None:
    with pytest.raises(BookInUse):
        async with running_bank(tmp_path):
            pass
    assert (await bank.admin.get("/health")).status_code == 200


async def test_what_was_answered_outlives_kill_9(tmp_path: Path) -> None:
    process, port, _ = start(tmp_path)
    line = await Line.to(port)
    opening, messages = authorize(), [sale(100 + number) for number in range(300)]
    await line.ask(opening)
    line.send(*messages)
    first = [await line.answer() for _ in range(100)]
    process.kill()
    process.communicate()
    line.close()

    process, port, admin_port = start(tmp_path)
    line = await Line.to(port)
    by_stan = {message.stan: message for message in messages}
    for answer in first:
        again = await line.ask(by_stan[answer.fields["11"]].repeated())
        assert (again.fields, again.tags) == (answer.fields, answer.tags)
    assert await line.code(capture(opening, 10_000)) == "00"
    line.close()
    async with httpx.AsyncClient(trust_env=False) as admin:
        text = (await admin.get(f"http://127.0.0.1:{admin_port}/book.csv")).text
    assert 102 <= len(text.splitlines()) - 1 <= 302
    assert end(process) == 0


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_the_program_after_the_messages_at_hand(
    tmp_path: Path, by: signal.Signals
) -> None:
    process, port, _ = start(tmp_path)
    line = await Line.to(port)
    assert await line.code(sale()) == "00"
    os.kill(process.pid, by)
    assert await line.rest() == b""
    assert await asyncio.to_thread(process.wait, 10) == 0
    process.communicate()
    line.close()
