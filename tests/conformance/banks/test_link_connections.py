"""A connection is signed on before use, tested when silent, made again when lost, ended cleanly."""

import asyncio

from conformance.banks.linking import linked, until
from conformance.banks.scripted_peer import (
    PeerConnection,
    ScriptedPeer,
    answer_bytes,
    approve,
    cut,
    ignore,
)
from netvalve.banks.iso8583.messages import Message, decode_message, encode_message, frame
from netvalve.banks.iso8583.specification import NetworkCode
from netvalve.domain.bank_message import Answered, NoAnswer, NotSent


def without_mark(connection: PeerConnection, request: Message) -> None:
    fields = dict(decode_message(answer_bytes(request)[2:]).fields)
    connection.transport.write(frame(encode_message(fields, {})))


async def test_nothing_is_sent_before_the_sign_on_is_answered() -> None:
    peer = ScriptedPeer(sign_on=ignore)
    async with peer, linked(peer, ready=False) as link:
        await until(lambda: peer.network_codes)
        assert not link.bank.ready
        assert isinstance(await link.send(seconds=0.05), NotSent)
        await until(lambda: peer.network_codes.count(NetworkCode.SIGN_ON) > 1)
    assert "001 unanswered" in link.reasons
    assert peer.payments == []


async def test_a_refused_sign_on_is_tried_again_and_nothing_is_sent() -> None:
    peer = ScriptedPeer(sign_on=lambda connection, request: connection.answer(request, f39="58"))
    async with peer, linked(peer, ready=False) as link:
        await until(lambda: peer.network_codes.count(NetworkCode.SIGN_ON) > 2)
        assert isinstance(await link.send(seconds=0.05), NotSent)
    assert "refuses the sign-on with 58" in link.reasons
    assert peer.payments == []


async def test_a_sandbox_talks_to_no_bank_without_the_mark_of_a_test_bank() -> None:
    peer = ScriptedPeer(sign_on=without_mark)
    async with peer, linked(peer, ready=False) as link:
        await until(lambda: "does not say that it is a test bank" in link.reasons)
        assert isinstance(await link.send(seconds=0.05), NotSent)
    assert peer.payments == []


async def test_elsewhere_the_mark_of_a_test_bank_is_not_needed() -> None:
    peer = ScriptedPeer(sign_on=without_mark)
    async with peer, linked(peer, require_test_bank=False) as link:
        assert isinstance(await link.send(), Answered)


async def test_a_silent_connection_is_tested_and_stays() -> None:
    async with ScriptedPeer() as peer, linked(peer, echo_s=0.03) as link:
        await until(lambda: peer.network_codes.count(NetworkCode.ECHO) >= 3)
        assert isinstance(await link.send(), Answered)
    assert peer.network_codes.count(NetworkCode.SIGN_ON) == 1


async def test_a_busy_connection_is_not_tested() -> None:
    async with ScriptedPeer() as peer, linked(peer, echo_s=0.2) as link:
        for stan in range(30):
            await link.send(stan)
            await asyncio.sleep(0.01)
    assert NetworkCode.ECHO not in peer.network_codes


async def test_an_unanswered_echo_cuts_the_connection_and_ends_its_messages() -> None:
    peer = ScriptedPeer(payment=ignore, echo=ignore)
    async with peer, linked(peer, echo_s=0.05, network_answer_s=0.05) as link:
        outcome = await link.send(seconds=60)
        await until(lambda: peer.network_codes.count(NetworkCode.SIGN_ON) > 1)
    assert isinstance(outcome, NoAnswer)
    assert "301 unanswered" in outcome.reason


async def test_a_lost_connection_is_made_again() -> None:
    async with ScriptedPeer(payment=cut) as peer, linked(peer) as link:
        assert isinstance(await link.send(1), NoAnswer)
        peer.payment = approve
        assert isinstance(await link.send(2), Answered)


async def test_a_message_waits_a_moment_for_a_connection_to_come_back() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        peer.connections[0].transport.abort()
        await until(lambda: not link.bank.ready)
        assert isinstance(await link.send(), Answered)


async def test_a_bank_that_comes_up_late_is_found() -> None:
    async with ScriptedPeer() as peer:
        pass
    async with linked(peer, ready=False) as link:
        await asyncio.sleep(0.1)
        async with peer:
            await until(lambda: link.bank.ready)
            assert isinstance(await link.send(), Answered)


async def test_a_cut_connection_ends_its_own_messages_alone() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer, connections=2) as link:
        await until(lambda: peer.network_codes.count(NetworkCode.SIGN_ON) == 2)
        await asyncio.sleep(0.02)
        sends = [asyncio.create_task(link.send(stan, seconds=60)) for stan in range(4)]
        await until(lambda: len(peer.payments) == 4)
        peer.connections[0].transport.abort()
        await until(lambda: sum(send.done() for send in sends) == 2)
        assert [send.done() for send in sends] in ([True, False] * 2, [False, True] * 2)
        await link.bank.stop()
        outcomes = await asyncio.gather(*sends)
    assert {type(outcome) for outcome in outcomes} == {NoAnswer}


async def test_stopping_signs_off_and_ends_what_is_in_flight() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer, connections=2) as link:
        send = asyncio.create_task(link.send(seconds=60))
        await until(lambda: peer.payments)
        await link.bank.stop()
        assert isinstance(await send, NoAnswer)
        assert isinstance(await link.send(2), NotSent)
        await until(lambda: not peer.connections)
    assert peer.network_codes.count(NetworkCode.SIGN_OFF) == 2


async def test_stopping_does_not_hang_on_a_bank_that_ignores_the_sign_off() -> None:
    async with ScriptedPeer(sign_off=ignore) as peer, linked(peer) as link:
        async with asyncio.timeout(1):
            await link.bank.stop()
        await until(lambda: not peer.connections)


async def test_stopping_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with ScriptedPeer() as peer:
        for ready in (True, False):
            async with linked(peer, connections=3, ready=ready) as link:
                pass
            assert asyncio.all_tasks() == before
            assert not link.bank.ready
        await until(lambda: not peer.connections)


async def test_readiness_is_measured() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link:
        assert b'netvalve_bank_ready{bank="TSYS"} 1.0' in await link.metrics.render()
    assert b'netvalve_bank_ready{bank="TSYS"} 0.0' in await link.metrics.render()


async def test_no_log_line_shows_a_card() -> None:
    async with ScriptedPeer(payment=cut) as peer, linked(peer) as link:
        await link.send()
        await until(lambda: link.lines.calls)
    assert "4012" not in repr(link.lines.calls)
