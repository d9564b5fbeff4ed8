"""The teller: takes one message, judges it by the rules, books it and says how to answer."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from netvalve.banks.testbank import rules
from netvalve.banks.testbank.case import Case
from netvalve.banks.testbank.entry import NOTHING, Entry
from netvalve.banks.testbank.ledger import Ledger
from netvalve.banks.testbank.misbehaviour import NEVER_BOOKED, Misbehaviour
from netvalve.banks.testbank.posting import posting
from netvalve.banks.testbank.request import CHARGES, Request
from netvalve.banks.testbank.rules import Decision
from netvalve.banks.testbank.standing_faults import StandingFaults
from netvalve.domain.bank_message import BankOperation


@dataclass(frozen=True, slots=True)
class Reply:
    """How a message is answered."""

    response_code: str
    entry: Entry | None
    """What is booked; None where nothing is, and the code stands for itself."""
    misbehaviour: Misbehaviour | None = None


class Teller:
    """Serves messages one after the other, each inside a transaction of the book."""

    def __init__(
        self, card_key: bytes, standing_faults: StandingFaults, now_ms: Callable[[], int]
    ) -> None:
        self._card_key = card_key
        self._standing_faults = standing_faults
        self._now_ms = now_ms

    def serve(self, ledger: Ledger, request: Request) -> Reply:
        """Answer a message that is known as it was answered first; judge and book another."""
        case = self._case(ledger, request)
        fault = self._standing_faults.take(request.operation) or case.fault_asked_for()
        if case.known and not case.is_what_is_booked:
            return Reply(rules.DUPLICATE, None, fault)
        if case.known and not case.may_try_again:
            return Reply(case.known.response_code, case.known, fault)
        if fault and fault.fault in NEVER_BOOKED:
            return Reply(rules.SYSTEM_MALFUNCTION, None, fault)
        decision = self._decide(case, fault.ordered_code if fault else None)
        entry = self._book(ledger, case, decision)
        return Reply(entry.response_code, entry, fault)

    def _case(self, ledger: Ledger, request: Request) -> Case:
        digest, original = self._digest(request), None
        if request.original:
            original = ledger.original(request.original, request.key.terminal_id, digest)
        return Case(
            request=request,
            card_digest=digest,
            known=ledger.entry(request.key),
            original=original,
            opening=ledger.opening_of(original) if original else None,
            reversed_before=request.operation in CHARGES
            and ledger.reversed_before(request.key, request.message_type, digest),
        )

    def _decide(self, case: Case, ordered: str | None) -> Decision:
        request, opening = case.request, case.money()
        amount_minor, currency = request.amount_minor, request.currency.code
        match request.operation:
            case BankOperation.CAPTURE:
                decision = rules.capture(
                    opening, amount_minor, currency, final=request.final_capture
                )
            case BankOperation.CANCEL:
                decision = rules.cancel(opening, amount_minor)
            case BankOperation.REFUND:
                decision = rules.refund(opening, amount_minor, currency)
            case BankOperation.REVERSAL:
                decision = rules.reverse(
                    opening, amount_minor, is_opening=case.original == case.opening
                )
            case _:
                return rules.charge(case.charge(self._now_ms()), ordered)
        return rules.under_orders(decision, ordered, amount_minor)

    def _book(self, ledger: Ledger, case: Case, decision: Decision) -> Entry:
        if case.known:
            ledger.forget(case.known)
        entry = posting(ledger.next_id(), case, decision, self._now_ms())
        ledger.write(entry)
        if decision.opening is None:
            return entry
        if case.opening:
            ledger.settle(case.opening, decision.opening, decision.balance)
        if entry.card_digest is not None:
            before = case.opening.balance if case.opening else NOTHING
            ledger.move(entry.card_digest, entry.currency, decision.balance.since(before))
        return entry

    def _digest(self, request: Request) -> bytes | None:
        if request.card is None:
            return None
        return hmac.digest(self._card_key, request.card.reveal().encode(), "sha256")
