"""Mutants: the gateway with one of its guards taken out.

Where a second guard stands behind the first, of the store or of the bank, both are taken out, and
the mutant says so: what is shown is that the simulation sees the harm, not which guard stops it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from netvalve.banks.testbank import rules
from netvalve.banks.testbank.ledger import Ledger
from netvalve.domain.bank_message import Answered, NoAnswer, NotSent
from netvalve.payments import pipeline, refund
from netvalve.payments.endings import Endings
from netvalve.payments.patience import PatientStore
from netvalve.payments.planning import Planner
from netvalve.payments.reference import References
from netvalve.payments.store_and_forward import StoreAndForward
from netvalve.payments.take_over import TakeOver
from netvalve.payments.turns import Turns
from netvalve.storage.sqlite import closing, opening

Mutant = Callable[[], AbstractContextManager[None]]


@contextmanager
def without_reversal() -> Iterator[None]:
    """A reversal counts as acknowledged though it was never sent."""

    async def send(*_: Any) -> Answered:
        return Answered("00")

    async def reverse(self: Any, message: Any, link: Any, term: int) -> Any:
        with patch.object(self, "_send", send):
            return await honest(self, message, link, term)

    honest = StoreAndForward._reverse
    with patch.object(StoreAndForward, "_reverse", reverse):
        yield


@contextmanager
def without_unknown_outcome() -> Iterator[None]:
    """No answer is taken for not sent."""
    honest = pipeline.closing_of

    def closing_of(payment: Any, outcome: Any, now_ms: int) -> Any:
        taken = NotSent("no answer") if isinstance(outcome, NoAnswer) else outcome
        return honest(payment, taken, now_ms)

    with patch.object(pipeline, "closing_of", closing_of):
        yield


@contextmanager
def without_identity_of_repeat() -> Iterator[None]:
    """Every repeat is a new message."""
    honest = Planner.again

    async def again(self: Any, *arguments: Any) -> Any:
        payment = await honest(self, *arguments)
        identity = await self._identifiers.message_identity(self._clock.now_ms())
        return replace(payment, request=replace(payment.request, identity=identity))

    with patch.object(Planner, "again", again):
        yield


@contextmanager
def without_money_guard() -> Iterator[None]:
    """A refund may be of any amount. The bank, which refuses it as well, is as careless here."""
    honest_refund, honest_grant = rules.refund, refund.Claim

    def of_any_amount(opened: Any, amount_minor: int, currency: str) -> Any:
        decision = honest_refund(opened, amount_minor, currency)
        if decision.response_code != rules.INVALID_AMOUNT:
            return decision
        before = opened.balance
        after = replace(before, refunded_minor=before.refunded_minor + amount_minor)
        return rules.Decision("00", rules.State.REFUNDED, amount_minor, opened.state, after)

    with (
        patch.object(refund, "_amount_refusal", lambda *_: None),
        patch.object(
            refund, "Claim", lambda **fields: honest_grant(**{**fields, "refund_minor": 0})
        ),
        patch.object(rules, "refund", of_any_amount),
    ):
        yield


@contextmanager
def without_uniqueness() -> Iterator[None]:
    """A clientOrderId may be used again."""
    honest = opening._INSERT_KEY

    class Forgetful:
        """Takes every key for a new one."""

        rowcount = 1

    class Careless:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def execute(self, sql: str, *arguments: Any) -> Any:
            done = self._connection.execute(sql, *arguments)
            return Forgetful() if sql == honest else done

    open_order = opening._open_order

    def opened(connection: Any, *arguments: Any) -> Any:
        return open_order(Careless(connection), *arguments)

    with patch.object(opening, "_open_order", opened):
        yield


@contextmanager
def without_lease_epoch() -> Iterator[None]:
    """A closing does not ask whose transaction it is: who was taken over may still end it."""
    text = closing._CLOSE.replace("AND owner_epoch = ?", "AND ? > 0")
    with patch.object(closing, "_CLOSE", text):
        yield


@contextmanager
def without_pending_guard() -> Iterator[None]:
    """A closing writes over whatever it finds."""
    text = closing._CLOSE.replace("AND state = 'PENDING' AND owner_epoch = ?", "AND ? > 0")
    with patch.object(closing, "_CLOSE", text):
        yield


@contextmanager
def without_commit_before_answer() -> Iterator[None]:
    """The merchant hears of an outcome that is still to be written."""
    honest = PatientStore.close
    writing: set[asyncio.Task[bool]] = set()

    async def close(self: Any, outcome: Any) -> bool:
        writing.add(asyncio.get_running_loop().create_task(honest(self, outcome)))
        return True

    with patch.object(PatientStore, "close", close):
        yield


@contextmanager
def without_one_in_flight() -> Iterator[None]:
    """Operations of one order do not wait for each other."""
    honest = References.of

    async def of(self: Any, *arguments: Any) -> Any:
        found = await honest(self, *arguments)
        return found and replace(found, order=replace(found.order, in_flight_id=None))

    text = opening._CLAIM.replace("AND in_flight_id IS NULL", "")
    with (
        patch.object(opening, "_CLAIM", text),
        patch.object(opening, "_claim_text", opening._claim_text.__wrapped__),
        patch.object(Turns, "take", _at_once),
        patch.object(References, "of", of),
    ):
        yield


def _at_once(*_: Any) -> Any:
    class Turn:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    return Turn()


@contextmanager
def with_forgetful_bank() -> Iterator[None]:
    """No mutant: a bank that books a charge whose reversal came first. The gateway copes."""
    with patch.object(Ledger, "reversed_before", lambda *_: False):
        yield


@contextmanager
def without_late_answer() -> Iterator[None]:
    """Nobody listens to a late approval. The bank, which refuses what was reversed, forgets."""

    async def by_late_answer(*_: Any) -> None:
        return None

    with with_forgetful_bank(), patch.object(Endings, "by_late_answer", by_late_answer):
        yield


@contextmanager
def without_take_over() -> Iterator[None]:
    """What a dead gateway has left is left."""

    async def passed(_: Any) -> None:
        return None

    with patch.object(TakeOver, "_pass", passed):
        yield


@contextmanager
def without_key() -> Iterator[None]:
    """An idempotency key opens as many transactions as it is sent."""
    with (
        patch.object(opening, "key_is_used", lambda *_: False),
        patch("netvalve.payments.idempotency.Idempotency._known", _unknown),
    ):
        yield


async def _unknown(*_: Any) -> None:
    return None


MUTANTS: dict[str, Mutant] = {
    name: globals()[name] for name in sorted(globals()) if name.startswith("without_")
}


@contextmanager
def whole() -> Iterator[None]:
    """No mutant: the gateway as it is."""
    yield
