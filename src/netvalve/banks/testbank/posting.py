"""What is written into the book for a message once it is decided. Pure."""

from netvalve.banks.testbank import approval, verification
from netvalve.banks.testbank.case import Case
from netvalve.banks.testbank.entry import NOTHING, Entry, State
from netvalve.banks.testbank.request import OriginalElements
from netvalve.banks.testbank.rules import Decision
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.card import masked

_NO_ORIGINAL = OriginalElements("", "", "", "")


def posting(entry_id: int, case: Case, decision: Decision, now_ms: int) -> Entry:
    """The entry of a message; the card of a follow-up without one is its opening's."""
    request, key = case.request, case.request.key
    original = request.original or _NO_ORIGINAL
    balance = decision.balance if case.is_charge else NOTHING
    return Entry(
        entry_id=entry_id,
        opening_id=entry_id if case.is_charge else _opening_id(case),
        booked_at_ms=now_ms,
        acquirer_id=key.acquirer_id,
        terminal_id=key.terminal_id,
        transmitted_at=key.transmitted_at,
        stan=key.stan,
        message_type=request.message_type,
        operation=request.operation,
        rrn=request.rrn,
        currency=request.currency.code,
        asked_minor=request.amount_minor,
        amount_minor=decision.amount_minor,
        card=_card(case),
        card_digest=case.card_digest or (case.opening.card_digest if case.opening else None),
        original_message_type=original.message_type or None,
        original_stan=original.stan or None,
        original_transmitted_at=original.transmitted_at or None,
        original_acquirer_id=original.acquirer_id or None,
        response_code=decision.response_code,
        auth_code=_auth_code(case, decision),
        scheme_transaction_id=_scheme_transaction_id(case, decision),
        verification=_verification(case),
        state=decision.state,
        held_minor=balance.held_minor,
        captured_minor=balance.captured_minor,
        refunded_minor=balance.refunded_minor,
    )


def _opening_id(case: Case) -> int | None:
    return case.opening.entry_id if case.opening else None


def _card(case: Case) -> str | None:
    card = case.request.card
    if card is None:
        return case.opening.card if case.opening else None
    return masked(card.first_six, card.last_four)


def _auth_code(case: Case, decision: Decision) -> str | None:
    """A capture and a cancel say that of their authorization again, a reversal has none."""
    operation = case.request.operation
    if decision.state is State.DECLINED or operation is BankOperation.REVERSAL:
        return None
    if case.opening and operation is not BankOperation.REFUND:
        return case.opening.auth_code
    return approval.auth_code(case.request.key)


def _scheme_transaction_id(case: Case, decision: Decision) -> str | None:
    if decision.state is State.DECLINED or not case.is_charge:
        return None
    return approval.scheme_transaction_id(case.request.key)


def _verification(case: Case) -> str | None:
    if not case.is_charge:
        return None
    request = case.request
    avs = verification.avs_result(request.address, request.zip_code)
    return avs + verification.cvv2_result(request.security_code)
