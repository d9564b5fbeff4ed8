"""Every message ends as answered, not sent or no answer, whatever the bank or the line does."""

import asyncio
import socket
from dataclasses import replace

import pytest

from conformance.banks.linking import Linked, linked, until
from conformance.banks.scripted_peer import (
    PeerConnection,
    ScriptedPeer,
    answer_bytes,
    approve,
    cut,
    ignore,
)
from netvalve.banks.iso8583.answers import Answer
from netvalve.banks.iso8583.messages import Message
from netvalve.domain.bank_message import Answered, BankOperation, BankOutcome, NoAnswer, NotSent
from unit.banks.bank_requests import bank_request, identity


async def outcome_of(peer: ScriptedPeer, *, seconds: float = 2) -> tuple[BankOutcome, Linked]:
    async with peer, linked(peer) as link:
        return await link.send(seconds=seconds), link


@pytest.mark.parametrize("operation", BankOperation)
async def test_an_approval_is_answered(operation: BankOperation) -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        outcome = await link.send_request(bank_request(operation))
    assert isinstance(outcome, Answered)
    assert (outcome.response_code, outcome.auth_code, outcome.amount_minor) == (
        "00",
        "TAS390",
        1200,
    )
    assert link.exchanges("answered", operation.lower()) == 1


async def test_a_decline_is_answered() -> None:
    peer = ScriptedPeer(payment=lambda connection, request: connection.answer(request, f39="05"))
    outcome, _ = await outcome_of(peer)
    assert isinstance(outcome, Answered)
    assert outcome.response_code == "05"


async def test_a_repeat_is_answered_under_the_identity_of_the_first() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        request = replace(bank_request(BankOperation.CAPTURE), repeat=True)
        assert isinstance(await link.send_request(request), Answered)
    assert [message.type for message in peer.payments] == ["0221"]


async def test_silence_until_the_deadline_is_no_answer() -> None:
    outcome, link = await outcome_of(ScriptedPeer(payment=ignore), seconds=0.05)
    assert isinstance(outcome, NoAnswer)
    assert link.exchanges("no_answer") == 1


async def test_a_cut_after_the_write_is_no_answer_at_once() -> None:
    outcome, _ = await outcome_of(ScriptedPeer(payment=cut), seconds=60)
    assert isinstance(outcome, NoAnswer)


async def test_a_half_closed_connection_is_no_answer_at_once() -> None:
    def close(connection: PeerConnection, _: Message) -> None:
        connection.transport.write_eof()

    outcome, _ = await outcome_of(ScriptedPeer(payment=close), seconds=60)
    assert isinstance(outcome, NoAnswer)


async def test_half_an_answer_and_a_cut_is_no_answer() -> None:
    def half(connection: PeerConnection, request: Message) -> None:
        connection.transport.write(answer_bytes(request)[:40])
        connection.transport.close()

    outcome, _ = await outcome_of(ScriptedPeer(payment=half), seconds=60)
    assert isinstance(outcome, NoAnswer)


async def test_an_answer_in_pieces_is_answered() -> None:
    def pieces(connection: PeerConnection, request: Message) -> None:
        write_in_pieces(connection, answer_bytes(request))

    def write_in_pieces(connection: PeerConnection, data: bytes) -> None:
        connection.transport.write(data[:5])
        if data[5:]:
            asyncio.get_running_loop().call_later(0.001, write_in_pieces, connection, data[5:])

    outcome, _ = await outcome_of(ScriptedPeer(payment=pieces))
    assert isinstance(outcome, Answered)


async def test_without_a_connection_nothing_is_sent() -> None:
    async with ScriptedPeer() as gone:
        pass
    async with linked(gone, ready=False) as link:
        began_s = asyncio.get_running_loop().time()
        outcome = await link.send(seconds=60)
        took_s = asyncio.get_running_loop().time() - began_s
    assert isinstance(outcome, NotSent)
    assert took_s < 1
    assert link.exchanges("not_sent") == 1


async def test_past_its_deadline_nothing_is_sent() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        assert isinstance(await link.send(seconds=0), NotSent)
    assert peer.payments == []


async def test_an_impossible_field_is_not_sent() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        outcome = await link.send(amount_minor=10**12)
    assert isinstance(outcome, NotSent)
    assert "field 4" in outcome.reason
    assert peer.payments == []


async def test_above_the_bound_in_flight_nothing_is_sent() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer, in_flight_max=2) as link:
        sends = [asyncio.create_task(link.send(stan, seconds=0.1)) for stan in range(3)]
        outcomes = await asyncio.gather(*sends)
    assert [type(outcome) for outcome in outcomes] == [NoAnswer, NoAnswer, NotSent]


async def test_the_same_message_is_not_in_flight_twice() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer) as link:
        outcomes = await asyncio.gather(*(link.send(7, seconds=0.1) for _ in range(2)))
    assert [type(outcome) for outcome in outcomes] == [NoAnswer, NotSent]


@pytest.mark.parametrize(
    "changes",
    [{"f11": "999999"}, {"f37": "999999999999"}, {"f41": "OTHER001"}, {"t": "0230"}],
)
async def test_an_answer_of_another_identity_is_not_taken(changes: dict[str, str]) -> None:
    peer = ScriptedPeer(payment=lambda connection, request: connection.answer(request, **changes))
    outcome, link = await outcome_of(peer, seconds=0.1)
    assert isinstance(outcome, NoAnswer)
    assert link.unmatched("late") == 1


async def test_an_answer_without_a_response_code_is_garbled() -> None:
    peer = ScriptedPeer(payment=lambda connection, request: connection.answer(request, f39=""))
    outcome, link = await outcome_of(peer, seconds=0.1)
    assert isinstance(outcome, NoAnswer)
    assert link.unmatched("garbled") == 1


async def test_a_message_that_is_no_answer_is_unknown() -> None:
    peer = ScriptedPeer(payment=lambda connection, request: connection.answer(request, t="0200"))
    _, link = await outcome_of(peer, seconds=0.1)
    assert link.unmatched("unknown") == 1


async def test_a_garbled_answer_is_dropped_and_the_connection_stays() -> None:
    garbled = [True]

    def script(connection: PeerConnection, request: Message) -> None:
        if garbled.pop() if garbled else False:
            connection.transport.write(b"\x00\x05noise")
        else:
            approve(connection, request)

    async with ScriptedPeer(payment=script) as peer, linked(peer) as link:
        assert isinstance(await link.send(1, seconds=0.05), NoAnswer)
        assert isinstance(await link.send(2), Answered)
    assert link.unmatched("garbled") == 1
    assert peer.network_codes.count("001") == 1


async def test_an_impossible_length_cuts_the_connection() -> None:
    def script(connection: PeerConnection, _: Message) -> None:
        connection.transport.write(b"\xff\xff")

    outcome, link = await outcome_of(ScriptedPeer(payment=script), seconds=60)
    assert isinstance(outcome, NoAnswer)
    assert "65535" in outcome.reason
    assert link.unmatched("garbled") == 1


async def test_the_second_of_two_answers_is_late() -> None:
    def twice(connection: PeerConnection, request: Message) -> None:
        connection.answer(request)
        connection.answer(request, f39="05")

    heard: list[Answer] = []
    async with ScriptedPeer(payment=twice) as peer, linked(peer, on_unmatched=heard.append) as link:
        outcome = await link.send()
        await until(lambda: heard)
    assert isinstance(outcome, Answered)
    assert outcome.response_code == "00"
    assert [answer.answered.response_code for answer in heard] == ["05"]


async def test_an_answer_after_the_deadline_reaches_who_listens() -> None:
    def late(connection: PeerConnection, request: Message) -> None:
        asyncio.get_running_loop().call_later(0.08, approve, connection, request)

    heard: list[Answer] = []
    async with ScriptedPeer(payment=late) as peer, linked(peer, on_unmatched=heard.append) as link:
        assert isinstance(await link.send(5, seconds=0.03), NoAnswer)
        await until(lambda: heard)
    assert (heard[0].message_type, heard[0].identity) == ("0210", identity(5))
    assert heard[0].answered.response_code == "00"
    assert link.unmatched("late") == 1


async def test_an_answer_to_a_cancelled_send_is_late() -> None:
    requests: list[tuple[PeerConnection, Message]] = []
    peer = ScriptedPeer(payment=lambda *heard: requests.append(heard))
    async with peer, linked(peer) as link:
        send = asyncio.create_task(link.send())
        await until(lambda: requests)
        send.cancel()
        await asyncio.wait([send])
        approve(*requests[0])
        await until(lambda: link.unmatched("late"))


async def test_answers_out_of_order_each_find_their_message() -> None:
    requests: list[tuple[PeerConnection, Message]] = []

    def collect(connection: PeerConnection, request: Message) -> None:
        requests.append((connection, request))
        if len(requests) == 5:
            for each, message in reversed(requests):
                each.answer(message, f38=f"A{message.fields['11'][-5:]}")

    async with ScriptedPeer(payment=collect) as peer, linked(peer, connections=2) as link:
        await until(lambda: len(peer.connections) == 2)
        outcomes = await asyncio.gather(*(link.send(stan) for stan in range(5)))
    codes = [outcome.auth_code for outcome in outcomes if isinstance(outcome, Answered)]
    assert codes == [f"A0000{stan}" for stan in range(5)]


async def test_five_hundred_messages_at_once_are_each_answered() -> None:
    async with ScriptedPeer() as peer, linked(peer, connections=4) as link:
        outcomes = await asyncio.gather(*(link.send(stan, seconds=10) for stan in range(500)))
    rrns = [outcome.rrn for outcome in outcomes if isinstance(outcome, Answered)]
    assert rrns == [identity(stan).rrn for stan in range(500)]
    assert len(peer.payments) == 500


async def test_a_bank_that_stops_reading_is_not_ready_before_much_waits_unsent() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer) as link:
        peer.connections[0].transport.pause_reading()
        receiving = peer.connections[0].transport.get_extra_info("socket")
        receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.sending_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sends: list[asyncio.Task[BankOutcome]] = []
        while link.bank.ready and len(sends) < 1000:
            sends.append(asyncio.create_task(link.send(len(sends), seconds=30)))
            await asyncio.sleep(0)
        assert len(sends) < 1000
        assert isinstance(await link.send(1000, seconds=0.01), NotSent)
        peer.payment = approve
        peer.connections[0].transport.resume_reading()
        outcomes = await asyncio.gather(*sends)
    assert {type(outcome) for outcome in outcomes} == {Answered}
