"""From what a bank did to what is written: pure, and the only place where an outcome is judged."""

from dataclasses import replace

from netvalve.catalogue.bank_codes import BankCode, bank_code
from netvalve.catalogue.response_codes import CodeType
from netvalve.domain.bank_message import Answered, BankOperation, BankOutcome, NoAnswer, NotSent
from netvalve.domain.journal import (
    BalanceChange,
    Closing,
    Forward,
    ForwardKind,
    Resolution,
    ResolvedAs,
)
from netvalve.domain.lifecycle import Event, State, after
from netvalve.domain.transaction import OPENERS, Outcome, Transaction
from netvalve.payments.operations import Effect, LostAnswer
from netvalve.payments.payment import Payment

APPROVED = "GTW_1000"
_APPROVED_39 = "00"
TIMED_OUT = "GTW_2054"
DECLINED_BY_GATEWAY = "BNK_2003"
_PARTIAL_APPROVALS = frozenset({"10", "32"})
"""Approved in part; completed in part. Source: ISO 8583:1987, field 39."""
_ASK_AGAIN = frozenset({"91", "96"})
"""Issuer or system unavailable: to a repeated message they mean, repeat."""
FIRST_FORWARD_MS = 1_000
"""How long after its closing a stored message is first sent."""


def closing_of(payment: Payment, outcome: BankOutcome, now_ms: int) -> Closing:
    """What the outcome comes to.

    Source: DESIGN, three answers from a bank; wire contract, section 2.
    """
    match outcome:
        case NotSent():
            return _refused(payment, Event.NOT_SENT, Outcome(payment.bank.unreachable_code), now_ms)
        case NoAnswer():
            return _unanswered(payment, now_ms)
        case Answered():
            return _answered(payment, outcome, now_ms)


def closing_by_hand(payment: Payment, resolution: Resolution, now_ms: int) -> Closing:
    """What an operator's word about a capture, refund or cancel comes to.

    The merchant hears of an approval as of any other. A decline shows no word of a bank's, for
    none has been said.

    Raises:
        ValueError: such a transaction is not resolved as that.
    """
    match resolution.as_:
        case ResolvedAs.APPROVED:
            code = bank_code(_APPROVED_39)
            closing = _approved(payment, Answered(_APPROVED_39), code, now_ms)
        case ResolvedAs.DECLINED:
            closing = _refused(payment, Event.DECLINED, Outcome(DECLINED_BY_GATEWAY), now_ms)
        case ResolvedAs.REVERSED:
            raise ValueError(f"a {payment.transaction.type} is not reversed")
    return replace(closing, reason=resolution.reason)


def _answered(payment: Payment, answer: Answered, now_ms: int) -> Closing:
    closing = _judged(payment, answer, bank_code(answer.response_code), now_ms)
    return replace(
        closing,
        answer_mti=_answer_mti(payment),
        response_code_39=answer.response_code,
        identity=payment.transaction.identity,
    )


def _judged(payment: Payment, answer: Answered, code: BankCode, now_ms: int) -> Closing:
    repeats = payment.operation.lost_answer is LostAnswer.REPEAT
    if mismatched(payment, answer):
        if repeats:
            return _unanswered(payment, now_ms)
        return _to_be_reversed(payment, Event.MISMATCHED, Outcome(DECLINED_BY_GATEWAY), now_ms)
    if code.response_code.type is CodeType.APPROVED:
        return _approved(payment, answer, code, now_ms)
    if repeats and answer.response_code in _ASK_AGAIN:
        return _unanswered(payment, now_ms)
    return _refused(payment, Event.DECLINED, _outcome_of(answer, code), now_ms)


def mismatched(payment: Payment, outcome: BankOutcome) -> bool:
    """Whether the bank approved another amount or currency than it was asked for.

    A charge is then reversed, and its answer shows nothing of the bank's approval. What was
    captured, refunded or cancelled cannot be reversed: it stays pending, with its turn and its
    reserve, and is asked again. A cancel has no amount of its own to compare.
    """
    if not isinstance(outcome, Answered) or not approves(outcome):
        return False
    return payment.request.operation is not BankOperation.CANCEL and _differs(payment, outcome)


def approves(answer: Answered) -> bool:
    """Whether the bank says yes, to whatever it was asked."""
    return bank_code(answer.response_code).response_code.type is CodeType.APPROVED


def contradicted_by(answer: Answered) -> ResolvedAs | None:
    """The operator's word that an answer would give the lie; None where it decides nothing."""
    if approves(answer):
        return ResolvedAs.DECLINED
    return None if answer.response_code in _ASK_AGAIN else ResolvedAs.APPROVED


def _differs(payment: Payment, answer: Answered) -> bool:
    """A partial approval (39 = 10) stands only where it was asked for, and below the amount."""
    asked_minor, currency = payment.request.amount_minor, payment.request.currency
    if answer.currency_number is not None and answer.currency_number != currency.number:
        return True
    approved_minor = _approved_minor(payment, answer)
    if answer.response_code in _PARTIAL_APPROVALS:
        return not (payment.request.partial_approval_allowed and 0 < approved_minor < asked_minor)
    return approved_minor != asked_minor


def _approved_minor(payment: Payment, answer: Answered) -> int:
    """What was approved: what was asked, unless the answer to a charge or refund says otherwise."""
    if answer.amount_minor is None or payment.request.operation is BankOperation.CANCEL:
        return payment.request.amount_minor
    return answer.amount_minor


def _outcome_of(answer: Answered, code: BankCode) -> Outcome:
    return Outcome(
        response_code=code.response_code.code,
        bank_response_code=answer.response_code,
        auth_code=answer.auth_code,
        scheme_transaction_id=answer.scheme_transaction_id,
        avs_result=answer.avs_result,
        cvv2_result=answer.cvv2_result,
    )


def _approved(payment: Payment, answer: Answered, code: BankCode, now_ms: int) -> Closing:
    transaction = payment.transaction
    asked_minor = transaction.amount_minor
    approved_minor = _approved_minor(payment, answer)
    effect = payment.operation.effect_of(transaction, payment.order, approved_minor)
    outcome = _outcome_of(answer, code)
    if approved_minor != asked_minor:
        outcome = replace(outcome, approved_minor=approved_minor)
    return Closing(
        transaction_id=transaction.transaction_id,
        order_id=transaction.order_id,
        event=Event.APPROVED,
        at_ms=now_ms,
        outcome=outcome,
        order_event=effect.order_event,
        balance=effect.balance,
        charge_id=transaction.transaction_id if effect.charges else None,
        moves=effect.moves,
        recorded=_released(payment, effect, now_ms),
    )


def _released(payment: Payment, effect: Effect, now_ms: int) -> Transaction | None:
    """The CANCEL that records the rest a partial capture lets go. It is never sent."""
    if not effect.released_minor or payment.released_id is None:
        return None
    capture = payment.transaction
    return replace(
        capture,
        transaction_id=payment.released_id,
        type=type(capture.type).CANCEL,
        state=State.APPROVED,
        amount_minor=effect.released_minor,
        parent_id=payment.order.opening_id,
        closed_at_ms=now_ms,
        outcome=Outcome(APPROVED, bank_response_code=_APPROVED_39),
        final_capture=False,
    )


def _refused(payment: Payment, event: Event, outcome: Outcome, now_ms: int) -> Closing:
    transaction = payment.transaction
    return Closing(
        transaction_id=transaction.transaction_id,
        order_id=transaction.order_id,
        event=event,
        at_ms=now_ms,
        outcome=outcome,
        order_event=event if transaction.type in OPENERS else None,
        balance=payment.operation.frees(transaction),
    )


def _unanswered(payment: Payment, now_ms: int) -> Closing:
    if payment.operation.lost_answer is LostAnswer.REVERSE:
        return _to_be_reversed(payment, Event.UNANSWERED, Outcome(TIMED_OUT), now_ms)
    transaction = payment.transaction
    return Closing(
        transaction_id=transaction.transaction_id,
        order_id=transaction.order_id,
        event=Event.REPEATED,
        at_ms=now_ms,
        outcome=None,
        ends_turn=False,
        balance=BalanceChange(),
        forward=_forward(ForwardKind.REPEAT, payment, now_ms),
    )


def _to_be_reversed(payment: Payment, event: Event, outcome: Outcome, now_ms: int) -> Closing:
    """Refused to the merchant at once; the bank is told until it agrees."""
    forward = _forward(ForwardKind.REVERSAL, payment, now_ms)
    return replace(_refused(payment, event, outcome, now_ms), forward=forward)


def _forward(kind: ForwardKind, payment: Payment, now_ms: int) -> Forward:
    transaction = payment.transaction
    return Forward(
        kind=kind,
        transaction_id=transaction.transaction_id,
        bank_id=payment.bank.bank_id,
        next_attempt_at_ms=now_ms + FIRST_FORWARD_MS,
        identity=payment.forward_identity,
        original_rrn=transaction.identity.rrn,
    )


def _answer_mti(payment: Payment) -> str:
    """The message type of the answer: a request's with its third digit one higher."""
    mti = payment.operation.mti
    return f"{mti[:2]}{int(mti[2]) + 1}{mti[3]}"


def as_closed(transaction: Transaction, closing: Closing) -> Transaction:
    """The transaction as the closing leaves it."""
    if closing.outcome is None:
        return transaction
    return replace(
        transaction,
        state=after(transaction.state, closing.event),
        closed_at_ms=closing.at_ms,
        outcome=closing.outcome,
    )
