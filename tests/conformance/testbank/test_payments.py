"""What the bank answers and books when nothing goes wrong."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

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

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def bank(shared_bank: RunningBank) -> AsyncIterator[RunningBank]:
    yield shared_bank
    await shared_bank.admin.delete("/faults")


async def test_sign_on_echo_and_sign_off_are_answered(line: Line) -> None:
    for code, tags in (("001", {"99": "1"}), ("301", {}), ("002", {})):
        message = asked("0800", 0)
        only = {number: message.fields[number] for number in ("t", "7", "11")}
        answer = await line.ask(Asked({**only, "70": code}, {}))
        assert (answer.type, answer.fields["39"], answer.fields["70"]) == ("0810", "00", code)
        assert answer.tags == tags


async def test_approval_carries_codes_results_and_the_request_again(line: Line) -> None:
    message = sale(4310, t81="1 Main St", t82="10001")
    answer = await line.ask(message)
    assert answer.type == "0210"
    assert {number: answer.fields[number] for number in ("4", "7", "11", "37", "41", "49")} == {
        number: message.fields[number] for number in ("4", "7", "11", "37", "41", "49")
    }
    assert answer.fields["39"] == "00"
    assert answer.fields["44"] == "YM"
    assert len(answer.fields["38"]) == 6
    assert len(answer.tags["24"]) == 15
    assert "2" not in answer.fields


async def test_order_is_authorized_captured_and_refunded(bank: RunningBank, line: Line) -> None:
    opening = authorize(10_000)
    answer = await line.ask(opening)
    captured = await line.ask(capture(opening, 6_000))
    assert (captured.type, captured.fields["39"]) == ("0230", "00")
    assert captured.fields["38"] == answer.fields["38"]
    assert await line.code(capture(opening, 1_000)) == "12"
    assert await line.code(cancel(opening)) == "12"
    assert await line.code(refund(opening, 6_001)) == "13"
    assert await line.code(refund(opening, 2_500)) == "00"
    assert await line.code(refund(opening, 3_501)) == "13"
    (entry,) = await bank.booked(opening)
    balance = (entry["held_minor"], entry["captured_minor"], entry["refunded_minor"])
    assert (balance, entry["state"]) == ((0, 6_000, 2_500), "CAPTURED")
    assert entry["card"] == "401200******5439"


async def test_refund_may_name_the_capture(line: Line) -> None:
    opening = authorize()
    taken = capture(opening, 10_000)
    await line.ask(opening)
    await line.ask(taken)
    assert await line.code(refund(taken, 10_000)) == "00"
    assert await line.code(refund(opening, 1)) == "13"


async def test_cancel_releases_the_hold_once(bank: RunningBank, line: Line) -> None:
    opening = authorize()
    await line.ask(opening)
    assert (await line.ask(cancel(opening))).type == "0410"
    assert await line.code(cancel(opening)) == "12"
    assert await line.code(capture(opening, 1)) == "12"
    (entry,) = await bank.booked(opening)
    assert (entry["state"], entry["held_minor"], entry["captured_minor"]) == ("CANCELLED", 0, 0)


@pytest.mark.parametrize("repeated", [False, True])
async def test_known_message_gets_its_first_answer_and_is_booked_once(
    bank: RunningBank, line: Line, repeated: bool
) -> None:
    opening = sale()
    first = await line.ask(opening)
    await line.ask(refund(opening, 10_000))
    again = await line.ask(opening.repeated() if repeated else opening)
    assert (again.fields, again.tags) == (first.fields, first.tags)
    assert len(await bank.booked(opening)) == 1


async def test_repeat_of_a_message_that_never_came_is_served(line: Line) -> None:
    opening = authorize()
    await line.ask(opening)
    answer = await line.ask(capture(opening, 10_000).repeated())
    assert (answer.type, answer.fields["39"]) == ("0230", "00")


async def test_other_message_under_a_used_identity_is_refused(
    bank: RunningBank, line: Line
) -> None:
    opening = sale(10_000)
    await line.ask(opening)
    other = replace(opening, fields={**opening.fields, "4": "000000010001"})
    assert await line.code(other) == "94"
    (entry,) = await bank.booked(opening)
    assert entry["amount_minor"] == 10_000


@pytest.mark.parametrize("make", [authorize, sale])
async def test_reversal_undoes_a_charge_however_often_it_comes(
    bank: RunningBank, line: Line, make: Callable[..., Asked]
) -> None:
    opening = make(10_000)
    undoing = reversal(opening)
    await line.ask(opening)
    assert (await line.ask(undoing)).type == "0430"
    assert await line.code(undoing.repeated()) == "00"
    assert await line.code(reversal(opening)) == "00"
    (entry,) = await bank.booked(opening)
    assert (entry["state"], entry["held_minor"], entry["captured_minor"]) == ("REVERSED", 0, 0)


async def test_message_that_comes_after_its_reversal_is_refused(line: Line) -> None:
    late, other = sale(), sale()
    undoing = reversal(late)
    assert await line.code(undoing) == "25"
    assert await line.code(late) == "12"
    assert await line.code(undoing.repeated()) == "25"
    assert await line.code(other) == "00"


@pytest.mark.parametrize("make", [capture, refund])
async def test_follow_up_of_an_unknown_message_is_refused(
    line: Line, make: Callable[..., Asked]
) -> None:
    assert await line.code(make(sale(), 1)) == "25"
    assert await line.code(cancel(authorize())) == "25"


async def test_original_is_found_from_another_terminal_but_not_of_another_card(line: Line) -> None:
    opening = authorize()
    await line.ask(opening)
    taken = capture(opening, 10_000)
    elsewhere = {**taken.fields, "41": "NV000001"}
    assert await line.code(replace(taken, fields={**elsewhere, "2": "4716160000000009"})) == "25"
    found = capture(opening, 10_000)
    assert await line.code(replace(found, fields={**found.fields, "41": "NV000001"})) == "00"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"f14": "2501"}, "54"),
        ({"t92": "000"}, "N7"),
        ({"f2": "4012000098765430"}, "14"),
        ({"f2": "4532802195368940"}, "05"),
        ({"f2": "4539391000000120"}, "ZZ"),
        ({"f2": "5555555555554444"}, "00"),
        ({"t92": ""}, "00"),
        ({"f49": "998"}, "30"),
    ],
)
async def test_card_is_judged(line: Line, fields: dict[str, str], code: str) -> None:
    answer = await line.ask(sale(150_00, **fields))
    assert answer.fields["39"] == code
    assert ("38" in answer.fields) == (code == "00")
