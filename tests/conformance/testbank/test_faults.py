"""Every fault of the table, asked for by an amount and seen on the wire."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from conformance.testbank.talking import (
    Asked,
    Line,
    RunningBank,
    asked,
    authorize,
    cancel,
    capture,
    refund,
    reversal,
    sale,
)
from netvalve.banks.iso8583.fields import MalformedMessage
from netvalve.banks.iso8583.messages import decode_message
from netvalve.banks.testbank.cards import CARDS
from netvalve.banks.testbank.misbehaviour import FAULTS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEEN = {
    "01": "silence", "02": "late", "03": "twice", "04": "unreadable", "05": "half, end",
    "06": "end", "07": "end", "08": "00", "09": "00", "10": "late", "11": "late", "12": "10",
    "13": "ZZ", "14": "silence", "15": "silence",
}  # fmt: skip
"""What a peer notices of each fault of the table when it happens to a sale."""
NOT_BOOKED = {"06", "15"}
LATE_S = {"02": 0.4, "10": 1.0, "11": 5.0}
"""`02` by the test's own setting; `11` is not waited for to the end."""
HEARD_S = 0.3


@pytest_asyncio.fixture(loop_scope="module")
async def bank(shared_bank: RunningBank) -> AsyncIterator[RunningBank]:
    yield shared_bank
    await shared_bank.admin.delete("/faults")


async def noticed(line: Line, message: Asked) -> str:
    """What a peer notices soon after it has sent the message."""
    line.send(message)
    try:
        first = await line.raw(HEARD_S)
    except TimeoutError:
        return "silence"
    except asyncio.IncompleteReadError as error:
        return "half, end" if error.partial else "end"
    try:
        code = decode_message(first).fields["39"]
    except MalformedMessage:
        return "unreadable"
    return code if await line.silent(0.05) else "twice"


def expected(digits: str) -> str:
    return "silence" if SEEN[digits] == "late" else SEEN[digits]


@pytest.mark.parametrize("digits", FAULTS)
async def test_fault_happens_to_a_sale_of_its_amount(
    bank: RunningBank, line: Line, digits: str
) -> None:
    message = sale(int(f"60{digits}00"))
    assert await noticed(line, message) == expected(digits)
    assert bool(await bank.booked(message)) == (digits not in NOT_BOOKED)


@pytest.mark.parametrize("digits", FAULTS)
async def test_fault_happens_to_what_follows_a_sale_of_its_amount(
    bank: RunningBank, line: Line, digits: str
) -> None:
    opening = sale(int(f"61{digits}00"))
    assert await line.code(opening) == "00"
    follow_up = refund(opening, 1_00)
    seen = expected(digits) if FAULTS[digits].follow_up_answer else "00"
    assert await noticed(line, follow_up) == seen
    if digits in {"04", "05", "06", "07", "14", "15"}:
        again = await bank.line()
        assert await again.code(follow_up.repeated()) == "00"
        (entry,) = await bank.booked(opening)
        assert entry["refunded_minor"] == 1_00
        again.close()


async def test_silence_holds_for_repeats_and_spares_the_reversal(line: Line) -> None:
    message = sale(6001_00)
    line.send(message, message.repeated())
    assert await line.silent()
    assert await line.code(reversal(message)) == "00"


@pytest.mark.parametrize("digits", ["02", "10"])
async def test_late_answer_comes_after_its_time(line: Line, digits: str) -> None:
    message = sale(int(f"60{digits}00"))
    line.send(message)
    assert await line.silent(LATE_S[digits] - 0.2)
    assert (await line.answer()).fields["39"] == "00"


async def test_late_message_is_booked_at_once_so_that_it_can_be_reversed(line: Line) -> None:
    message = sale(6002_00)
    line.send(message)
    assert await line.code(reversal(message)) == "00"
    assert (await line.answer()).fields["39"] == "00"


async def test_half_an_answer_is_the_first_half(line: Line) -> None:
    line.send(sale(6005_00))
    received = await line.rest()
    assert int.from_bytes(received[:2], "big") > len(received) - 2 > 20


@pytest.mark.parametrize(
    ("amount", "number", "answered"),
    [(6008_00, "4", "000000600801"), (6009_00, "49", "978"), (6012_00, "4", "000000300600")],
)
async def test_approval_says_something_else_than_was_asked(
    line: Line, amount: int, number: str, answered: str
) -> None:
    assert (await line.ask(authorize(amount))).fields[number] == answered


async def test_partial_approval_holds_half(bank: RunningBank, line: Line) -> None:
    message = authorize(6012_00)
    await line.ask(message)
    (entry,) = await bank.booked(message)
    assert (entry["asked_minor"], entry["held_minor"]) == (6012_00, 3006_00)


@pytest.mark.parametrize("code", ["01", "05", "14", "41", "51", "54", "91", "96", "97"])
async def test_amount_says_field_39(line: Line, code: str) -> None:
    assert await line.code(sale(int(f"50{code}00"))) == code
    held = authorize(int(f"51{code}00"))
    assert await line.code(held) == "00"
    assert await line.code(capture(held, 1_00)) == code
    assert await line.code(cancel(held)) == code


async def test_amount_counts_in_major_units_of_its_currency(line: Line) -> None:
    assert await line.code(sale(5051, f49="392")) == "51"
    assert await line.code(sale(5_051_000, f49="414")) == "51"
    assert await line.code(sale(5_051_00, f49="414")) == "00"


async def test_refusal_of_a_capture_that_means_try_again_is_forgotten(line: Line) -> None:
    held = authorize(5196_00)
    await line.ask(held)
    taken = capture(held, 5196_00)
    assert await line.code(taken) == "96"
    assert await line.code(taken.repeated()) == "00"
    assert await line.code(taken.repeated()) == "00"


async def test_every_listed_card_does_what_it_is_listed_for(line: Line) -> None:
    for card in CARDS.values():
        code = card.misbehaviour.response_code if card.misbehaviour else "00"
        if code is not None:
            assert await line.code(sale(1_00, f2=card.number)) == code


async def test_card_asks_for_a_fault(bank: RunningBank, line: Line) -> None:
    message = sale(1_00, f2="4539396000000079")
    assert await noticed(line, message) == "end"
    assert await bank.booked(message)


async def test_standing_fault_happens_to_the_next_messages_of_its_operation(
    bank: RunningBank, line: Line
) -> None:
    await bank.fault(fault="silent", operation="REVERSAL", messages=1)
    message = sale()
    assert await line.code(message) == "00"
    undoing = reversal(message)
    assert await noticed(line, undoing) == "silence"
    assert await line.code(undoing.repeated()) == "00"


async def test_standing_refusal_of_a_reversal_leaves_the_sale(
    bank: RunningBank, line: Line
) -> None:
    await bank.fault(fault="code", response_code="96", operation="REVERSAL", messages=1)
    message = sale()
    await line.ask(message)
    undoing = reversal(message)
    assert await line.code(undoing) == "96"
    (entry,) = await bank.booked(message)
    assert entry["state"] == "CAPTURED"
    assert await line.code(undoing.repeated()) == "00"


async def test_standing_fault_does_not_change_a_first_answer(bank: RunningBank, line: Line) -> None:
    message = sale()
    await line.ask(message)
    await bank.fault(fault="code", response_code="05")
    assert await line.code(message.repeated()) == "00"
    await bank.fault(fault="twice")
    assert await line.code(sale()) == "05"


async def test_network_messages_are_never_disturbed(bank: RunningBank, line: Line) -> None:
    await bank.fault(fault="cut_before_booking")
    echo = {**{number: asked("0800", 0).fields[number] for number in ("t", "7", "11")}, "70": "301"}
    assert (await line.ask(Asked(echo, {}))).fields["39"] == "00"
