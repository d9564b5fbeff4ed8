"""An operator's word: kept once with the message that waits, carried out by its gateway alone."""

from dataclasses import replace

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import (
    APPROVED,
    CLIENT,
    NOW_MS,
    Payment,
    follow_up,
    payment,
    refund_closing,
)
from conformance.store.seated import SeatedStore
from conformance.store.test_forwards import BANK, an_unanswered_sale, state_of
from netvalve.domain.journal import (
    BalanceChange,
    Closing,
    Forward,
    ForwardKind,
    Move,
    Resolution,
    ResolvedAs,
    StoredMessage,
)
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.storage import stored_messages
from netvalve.storage.account_rules import AdministrationError
from netvalve.storage.administration import Administration
from netvalve.storage.verification.verification import verify

REASON = "the bank's letter of 3 May"
REVERSED = Resolution(ResolvedAs.REVERSED, REASON)
SOON = NOW_MS + 1000


async def a_repeated_refund(store: SeatedStore, pay: Pay) -> Payment:
    """A refund of a sale that is pending, its repeat stored."""
    refund = follow_up(
        await pay(payment()), TransactionType.REFUND, (State.APPROVED,), amount_minor=1200
    )
    await store.journal.open(refund.opening)
    transaction = refund.transaction
    await store.journal.close(
        refund.closing(
            Event.REPEATED,
            outcome=None,
            order_event=None,
            balance=BalanceChange(),
            charge_id=None,
            ends_turn=False,
            forward=Forward(
                ForwardKind.REPEAT,
                transaction.transaction_id,
                BANK,
                SOON,
                transaction.identity,
                transaction.identity.rrn,
            ),
        )
    )
    return refund


async def the_message(store: SeatedStore) -> StoredMessage:
    """The one that is due."""
    (message,) = await store.forwards.due(BANK, SOON, 10)
    return message


def by_hand(refund: Payment, event: Event) -> Closing:
    """What ends a refund by hand."""
    sale_id = refund.transaction.parent_id
    assert sale_id is not None
    moved = (Move(sale_id, Event.REFUNDED),)
    closing = replace(refund_closing(refund, Event.REFUNDED), moves=moved)
    if event is Event.DECLINED:
        freed = BalanceChange(reserved_minor=-refund.transaction.amount_minor)
        closing = replace(
            closing, order_event=None, balance=freed, moves=(), outcome=Outcome("BNK_2003")
        )
    return replace(closing, event=event, answer_mti=None, response_code_39=None, reason=REASON)


def broken_rules(database_url: str) -> set[str]:
    """What does not hold; the samples' accounts and clients are not in the store."""
    return {
        each.rule for each in verify(database_url, first=5).breaches if "client" not in each.rule
    }


async def test_a_refusal_is_kept_with_the_message_and_the_last_one_stays(
    store: SeatedStore, administration: Administration
) -> None:
    one = await an_unanswered_sale(store)
    message = await the_message(store)
    await store.forwards.postpone(message.forward, SOON, counted=True, refused_39="12")
    await store.forwards.postpone(message.forward, SOON, counted=True)
    assert (await the_message(store)).refused_39 == "12"
    assert (await store.records.backlog(NOW_MS)).refused == 1
    (listed,) = administration.unended(first=10, refused=True)
    assert listed.transaction.transaction_id == one.transaction.transaction_id
    assert listed.message is not None
    assert (listed.message.refused_39, listed.message.attempts) == ("12", 2)


async def test_everything_without_an_end_is_listed_the_oldest_first(
    store: SeatedStore, administration: Administration
) -> None:
    opened = payment(at_ms=NOW_MS - 1)
    await store.journal.open(opened.opening)
    reversing = await an_unanswered_sale(store)
    listed = administration.unended(first=10)
    assert [each.transaction.transaction_id for each in listed] == [
        opened.transaction.transaction_id,
        reversing.transaction.transaction_id,
    ]
    assert [each.message is None for each in listed] == [True, False]
    assert administration.unended(first=1) == listed[:1]
    assert administration.unended(first=10, refused=True) == ()


async def test_a_resolved_message_is_sent_no_more_and_ends_without_an_answer(
    store: SeatedStore, administration: Administration, database_url: str
) -> None:
    one = await an_unanswered_sale(store)
    administration.resolve(one.transaction.transaction_id, REVERSED)
    assert await store.forwards.due(BANK, SOON, 10) == ()
    (message,) = await store.forwards.resolved(10)
    assert message.resolution == REVERSED
    assert await store.forwards.acknowledge(message, SOON, None)
    assert await state_of(store, one) == (State.REVERSED, State.REVERSED)
    assert await store.forwards.resolved(10) == ()
    last = (await store.records.history(one.transaction.transaction_id))[-1]
    assert last.detail == f"by hand: {REASON}"
    assert (last.event, last.mti, last.response_code_39) == (
        Event.REVERSAL_ACKNOWLEDGED,
        None,
        None,
    )
    (kept,) = administration.stored_messages(one.transaction.transaction_id)
    assert (kept.resolution, kept.ended_at_ms) == (REVERSED, SOON)
    assert broken_rules(database_url) == set()


async def test_no_message_ends_by_hand_without_a_resolution(store: SeatedStore) -> None:
    await an_unanswered_sale(store)
    with pytest.raises(ValueError, match="neither a bank nor an operator"):
        await store.forwards.acknowledge(await the_message(store), SOON, None)
    assert (await the_message(store)).attempts == 0


@pytest.mark.parametrize("event", [Event.APPROVED, Event.DECLINED])
async def test_a_follow_up_ended_by_hand_keeps_code_and_reason_in_its_history(
    store: SeatedStore,
    pay: Pay,
    administration: Administration,
    database_url: str,
    event: Event,
) -> None:
    refund = await a_repeated_refund(store, pay)
    number = refund.transaction.transaction_id
    as_ = ResolvedAs.APPROVED if event is Event.APPROVED else ResolvedAs.DECLINED
    administration.resolve(number, Resolution(as_, REASON))
    closing = by_hand(refund, event)
    assert await store.journal.close(closing)
    found = await store.records.transaction(CLIENT, number)
    assert found is not None
    assert found[0].outcome == (APPROVED if event is Event.APPROVED else Outcome("BNK_2003"))
    assert found[1].balance.refunded_minor == (1200 if event is Event.APPROVED else 0)
    assert (found[1].balance.reserved_minor, found[1].in_flight_id) == (0, None)
    last = (await store.records.history(number))[-1]
    assert closing.outcome is not None
    assert last.detail == f"{closing.outcome.response_code} by hand: {REASON}"
    assert await store.forwards.resolved(10) == ()
    assert broken_rules(database_url) == set()


async def test_a_late_approval_takes_the_word_back_and_the_bank_is_told_again(
    store: SeatedStore, administration: Administration
) -> None:
    one = await an_unanswered_sale(store)
    administration.resolve(one.transaction.transaction_id, REVERSED)
    (message,) = await store.forwards.resolved(10)
    assert await store.forwards.acknowledge(message, SOON, None)
    assert await store.forwards.reopen(message, SOON + 1, "00")
    assert await state_of(store, one) == (State.REVERSING, State.REVERSING)
    assert await store.forwards.resolved(10) == ()
    (again,) = await store.forwards.due(BANK, SOON + 1, 10)
    assert again.resolution is None
    assert not await store.forwards.acknowledge(message, SOON + 2, None)
    details = [each.detail for each in await store.records.history(one.transaction.transaction_id)]
    assert f"by hand: {REASON}" in details


async def an_ended_refund(
    store: SeatedStore, pay: Pay, administration: Administration, as_: ResolvedAs
) -> StoredMessage:
    """A refund that an operator has ended, and its message."""
    refund = await a_repeated_refund(store, pay)
    administration.resolve(refund.transaction.transaction_id, Resolution(as_, REASON))
    event = Event.APPROVED if as_ is ResolvedAs.APPROVED else Event.DECLINED
    assert await store.journal.close(by_hand(refund, event))
    (message,) = await store.forwards.of_original(refund.transaction.identity.rrn)
    return message


@pytest.mark.parametrize(
    ("as_", "contradicts"),
    [
        (ResolvedAs.DECLINED, ResolvedAs.DECLINED),
        (ResolvedAs.APPROVED, ResolvedAs.APPROVED),
        (ResolvedAs.APPROVED, ResolvedAs.DECLINED),
        (ResolvedAs.DECLINED, None),
    ],
)
async def test_a_late_answer_is_kept_beside_the_operators_word_and_changes_nothing(
    store: SeatedStore,
    pay: Pay,
    administration: Administration,
    as_: ResolvedAs,
    contradicts: ResolvedAs | None,
) -> None:
    event = Event.CONTRADICTED if as_ is contradicts else Event.LATE_ANSWER
    message = await an_ended_refund(store, pay, administration, as_)
    number, identity = message.transaction.transaction_id, message.transaction.identity
    before = await store.records.transaction(CLIENT, number)
    assert await store.forwards.keep_late_answer(message, SOON + 9, "00", contradicts) is event
    assert await store.records.transaction(CLIENT, number) == before
    last = (await store.records.history(number))[-1]
    assert (last.event, last.state) == (event, message.transaction.state)
    assert (last.response_code_39, last.identity, last.at_ms) == ("00", identity, SOON + 9)


async def test_verification_finds_nothing_broken_where_a_resolution_is_contradicted(
    store: SeatedStore, pay: Pay, administration: Administration, database_url: str
) -> None:
    message = await an_ended_refund(store, pay, administration, ResolvedAs.DECLINED)
    for field_39, contradicts in (("00", ResolvedAs.DECLINED), ("05", ResolvedAs.APPROVED)):
        assert await store.forwards.keep_late_answer(message, SOON, field_39, contradicts)
    assert broken_rules(database_url) == set()


async def test_each_late_answer_is_kept_once_however_often_it_is_said(
    store: SeatedStore, pay: Pay, administration: Administration
) -> None:
    message = await an_ended_refund(store, pay, administration, ResolvedAs.DECLINED)
    number = message.transaction.transaction_id
    for field_39 in ("00", "05", "00", "05", "00"):
        assert await store.forwards.keep_late_answer(message, SOON, field_39, None)
    history = await store.records.history(number)
    late = [each.response_code_39 for each in history if each.event is Event.LATE_ANSWER]
    assert late == ["00", "05"]


async def test_the_answer_that_ended_it_is_not_kept_once_more(store: SeatedStore, pay: Pay) -> None:
    refund = await a_repeated_refund(store, pay)
    message = await the_message(store)
    closing = replace(by_hand(refund, Event.DECLINED), reason=None)
    identity = refund.transaction.identity
    assert await store.forwards.keep_late_answer(message, SOON, "05", None) is None
    assert await store.journal.close(replace(closing, response_code_39="05", identity=identity))
    steps = await store.records.history(refund.transaction.transaction_id)
    assert await store.forwards.keep_late_answer(message, SOON, "05", None) is Event.LATE_ANSWER
    assert await store.records.history(refund.transaction.transaction_id) == steps


async def test_an_approval_of_another_amount_does_not_hide_the_one_that_comes_late(
    store: SeatedStore, pay: Pay
) -> None:
    refund = await a_repeated_refund(store, pay)
    message = await the_message(store)
    identity = refund.transaction.identity
    mismatched = replace(
        refund.closing(
            Event.REPEATED, outcome=None, order_event=None, balance=BalanceChange(), charge_id=None
        ),
        response_code_39="00",
        identity=identity,
        ends_turn=False,
    )
    assert await store.journal.close(mismatched)
    assert await store.journal.close(replace(by_hand(refund, Event.DECLINED), reason=None))
    assert await store.forwards.keep_late_answer(message, SOON, "00", None)
    last = (await store.records.history(refund.transaction.transaction_id))[-1]
    assert (last.event, last.response_code_39) == (Event.LATE_ANSWER, "00")


async def test_nothing_else_than_makes_sense_is_resolved(
    store: SeatedStore, pay: Pay, administration: Administration
) -> None:
    sold = await pay(payment())
    opened = payment()
    await store.journal.open(opened.opening)
    sale = await an_unanswered_sale(store)
    refund = await a_repeated_refund(store, pay)
    for number, as_, said in (
        (sold.transaction.transaction_id, ResolvedAs.REVERSED, "has ended"),
        (opened.transaction.transaction_id, ResolvedAs.REVERSED, "still being asked"),
        (sale.transaction.transaction_id, ResolvedAs.APPROVED, "as reversed alone"),
        (refund.transaction.transaction_id, ResolvedAs.REVERSED, "as approved or declined alone"),
        (1, ResolvedAs.REVERSED, "there is no transaction 1"),
    ):
        with pytest.raises(AdministrationError, match=said):
            administration.resolve(number, Resolution(as_, REASON))
    assert await store.forwards.resolved(10) == ()


async def test_a_transaction_is_resolved_once(
    store: SeatedStore, administration: Administration
) -> None:
    number = (await an_unanswered_sale(store)).transaction.transaction_id
    administration.resolve(number, REVERSED)
    with pytest.raises(AdministrationError, match="already"):
        administration.resolve(number, Resolution(ResolvedAs.REVERSED, "once more"))
    (message,) = await store.forwards.resolved(10)
    assert message.resolution == REVERSED


async def test_a_word_that_comes_after_the_end_is_refused(
    store: SeatedStore, administration: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await an_unanswered_sale(store)
    number = one.transaction.transaction_id
    message = await the_message(store)
    assert await store.forwards.acknowledge(message, SOON, "00")

    def as_it_was(*_: object) -> ForwardKind:
        return ForwardKind.REVERSAL

    monkeypatch.setattr(stored_messages, "_resolvable", as_it_was)
    with pytest.raises(AdministrationError, match="ended meanwhile"):
        administration.resolve(number, REVERSED)
    (kept,) = administration.stored_messages(number)
    assert kept.resolution is None


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 501, "\x07", "card 4012000098765439"])
async def test_a_reason_says_something_in_short_and_no_card_number(
    store: SeatedStore, administration: Administration, reason: str
) -> None:
    number = (await an_unanswered_sale(store)).transaction.transaction_id
    with pytest.raises(AdministrationError, match="reason"):
        administration.resolve(number, Resolution(ResolvedAs.REVERSED, reason))
    assert await store.forwards.resolved(10) == ()


async def test_what_waits_is_counted_by_age_and_the_oldest_named(store: SeatedStore) -> None:
    ages_s = (-5, 9, 10, 599, 86_399, 86_400, 90_000)
    waiting = [payment(at_ms=NOW_MS - age_s * 1000) for age_s in ages_s]
    for each in waiting:
        await store.journal.open(each.opening)
    sale = await an_unanswered_sale(store)
    backlog = await store.records.backlog(NOW_MS)
    assert backlog.pending.by_age == {
        "under_10s": 2,
        "under_1m": 1,
        "under_10m": 1,
        "under_1h": 0,
        "under_1d": 1,
        "over_1d": 2,
    }
    assert backlog.pending.oldest is not None
    assert backlog.pending.oldest.transaction_id == waiting[-1].transaction.transaction_id
    assert backlog.pending.oldest.opened_at_ms == NOW_MS - 90_000_000
    assert backlog.reversing.by_age["under_10s"] == backlog.reversing.count == 1
    assert backlog.reversing.oldest is not None
    assert backlog.reversing.oldest.transaction_id == sale.transaction.transaction_id
    assert backlog.refused == 0


async def test_the_next_attempt_is_known_while_a_message_waits(
    store: SeatedStore, pay: Pay
) -> None:
    sold = await pay(payment())
    assert await store.records.next_attempt_at_ms(sold.transaction.transaction_id) is None
    number = (await an_unanswered_sale(store)).transaction.transaction_id
    assert await store.records.next_attempt_at_ms(number) == SOON
    await store.forwards.acknowledge(await the_message(store), SOON, "00")
    assert await store.records.next_attempt_at_ms(number) is None
