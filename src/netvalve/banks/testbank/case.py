"""A message with what the book knows of it, and the questions the teller asks about the two.

Pure: looks nothing up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from netvalve.banks.testbank import cards, misbehaviour, rules
from netvalve.banks.testbank.entry import Entry
from netvalve.banks.testbank.misbehaviour import Fault, Misbehaviour
from netvalve.banks.testbank.request import CHARGES, FOLLOW_UPS, Request
from netvalve.banks.testbank.rules import Charge, Opening
from netvalve.domain.bank_message import BankOperation


@dataclass(frozen=True, slots=True)
class Case:
    """One message to be judged."""

    request: Request
    card_digest: bytes | None
    """Of the card it carries."""
    known: Entry | None
    """What is booked under its key."""
    original: Entry | None
    """The entry it names in field 90."""
    opening: Entry | None
    """The opening that owns the original's money."""
    reversed_before: bool

    @property
    def is_charge(self) -> bool:
        """Whether it opens an order."""
        return self.request.operation in CHARGES

    @property
    def is_what_is_booked(self) -> bool:
        """Whether the entry under its key is of this very message."""
        known, request = self.known, self.request
        if known is None or self.card_digest not in {None, known.card_digest}:
            return False
        asked = (request.operation, request.amount_minor, request.currency.code)
        return asked == (known.operation, known.asked_minor, known.currency)

    @property
    def may_try_again(self) -> bool:
        """Whether its first answer said that nothing was done, so that it is done now."""
        known = self.known
        return known is not None and not self.is_charge and known.response_code in rules.TRY_AGAIN

    def money(self) -> Opening | None:
        """The order's money as the rules see it."""
        if self.opening is None:
            return None
        entry = self.opening
        return Opening(entry.operation, entry.state, entry.currency, entry.balance)

    def charge(self, now_ms: int) -> Charge:
        """The charge as the rules see it."""
        request = self.request
        return Charge(
            request.operation,
            request.amount_minor,
            card_valid=request.card is not None and cards.valid_number(request.card),
            card_expired=(request.expiry or "") < _this_month(now_ms),
            security_code_wrong=cards.wrong_security_code(request.security_code),
            reversed_before=self.reversed_before,
        )

    def fault_asked_for(self) -> Misbehaviour | None:
        """What amount and card ask for. All faults but silence spare repeats and known messages."""
        fault = self._of_amount_or_card()
        again = self.request.repeat or self.known is not None
        return None if again and fault and fault.fault is not Fault.SILENT else fault

    def _of_amount_or_card(self) -> Misbehaviour | None:
        request = self.request
        if self.is_charge:
            asked = misbehaviour.of_charge(request.amount_minor, request.currency)
            return asked or (cards.of_card(request.card) if request.card else None)
        if request.operation not in FOLLOW_UPS:
            return None
        own_minor = None if request.operation is BankOperation.CANCEL else request.amount_minor
        opening_minor = self.opening.asked_minor if self.opening else 0
        return misbehaviour.of_follow_up(own_minor, opening_minor, request.currency)


def _this_month(now_ms: int) -> str:
    """YYMM. A card is good until the end of the month it names."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%y%m")
