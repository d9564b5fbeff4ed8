"""What the bank does with a message: money in, decision out.

Pure: knows no message layout, no book and no clock. Field 39 of every refusal is stated here;
`docs/sandbox.md` lists them.
"""

from dataclasses import dataclass, replace
from typing import Final

from netvalve.banks.testbank.entry import NOTHING, Balance, State
from netvalve.catalogue.bank_codes import bank_code
from netvalve.catalogue.response_codes import CodeType
from netvalve.domain.bank_message import BankOperation

APPROVED: Final = "00"
PARTIALLY_APPROVED: Final = "10"
INVALID_TRANSACTION: Final = "12"
"""The original is not in a state for this, was reversed before it came, or has no such money."""
INVALID_AMOUNT: Final = "13"
"""More than is held or left to refund, or nothing where something is needed."""
INVALID_CARD: Final = "14"
UNKNOWN_ORIGINAL: Final = "25"
FORMAT_ERROR: Final = "30"
EXPIRED_CARD: Final = "54"
DUPLICATE: Final = "94"
"""Another message than the one that was booked under the same key."""
SYSTEM_MALFUNCTION: Final = "96"
WRONG_SECURITY_CODE: Final = "N7"

TRY_AGAIN: Final = frozenset({"91", SYSTEM_MALFUNCTION})
"""A follow-up or reversal so answered was not done: its repeat is a new attempt."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be known of an authorization, a sale or a rebill."""

    operation: BankOperation
    amount_minor: int
    card_valid: bool = True
    card_expired: bool = False
    security_code_wrong: bool = False
    reversed_before: bool = False
    """Its reversal came first."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The money of an order, and what stands behind it."""

    operation: BankOperation
    state: State
    currency: str
    balance: Balance


@dataclass(frozen=True, slots=True)
class Decision:
    """What is answered, what is booked for the message itself, and what the opening becomes."""

    response_code: str
    state: State
    amount_minor: int
    opening: State | None = None
    """The opening's new state; None leaves the opening as it is."""
    balance: Balance = NOTHING
    """The opening's new balance, where it has a new state."""


def approves(response_code: str) -> bool:
    """Whether a value of field 39 says yes."""
    return bank_code(response_code).response_code.type is CodeType.APPROVED


def charge(asked: Charge, ordered: str | None = None) -> Decision:
    """Authorizes (the money is held) or sells (it is captured at once).

    `ordered` is the answer that a fault asks for; one that refuses is always given, one that
    approves only where the bank would approve.
    """
    refusal = _refusal_ordered(ordered) or _refusal_of_charge(asked)
    if refusal:
        return Decision(refusal, State.DECLINED, asked.amount_minor)
    code = ordered or APPROVED
    amount_minor = asked.amount_minor
    if code == PARTIALLY_APPROVED and amount_minor > 1:
        amount_minor //= 2
    if asked.operation is BankOperation.AUTHORIZE:
        balance = Balance(held_minor=amount_minor)
        return Decision(code, State.HELD, amount_minor, State.HELD, balance)
    balance = Balance(captured_minor=amount_minor)
    return Decision(code, State.CAPTURED, amount_minor, State.CAPTURED, balance)


def capture(opening: Opening | None, amount_minor: int, currency: str, *, final: bool) -> Decision:
    """Takes held money; a final capture releases the rest, another leaves it held."""
    if opening is None:
        return _refused(UNKNOWN_ORIGINAL, amount_minor)
    if opening.state is not State.HELD or opening.currency != currency:
        return _refused(INVALID_TRANSACTION, amount_minor)
    before = opening.balance
    if not 0 < amount_minor <= before.held_minor:
        return _refused(INVALID_AMOUNT, amount_minor)
    rest_minor = 0 if final else before.held_minor - amount_minor
    after = replace(
        before, held_minor=rest_minor, captured_minor=before.captured_minor + amount_minor
    )
    state = State.HELD if rest_minor else State.CAPTURED
    return Decision(APPROVED, State.CAPTURED, amount_minor, state, after)


def cancel(opening: Opening | None, amount_minor: int) -> Decision:
    """Releases a hold of which nothing was captured."""
    if opening is None:
        return _refused(UNKNOWN_ORIGINAL, amount_minor)
    if opening.state is not State.HELD or opening.balance.captured_minor:
        return _refused(INVALID_TRANSACTION, amount_minor)
    released_minor = opening.balance.held_minor
    return Decision(APPROVED, State.CANCELLED, released_minor, State.CANCELLED, NOTHING)


def refund(opening: Opening | None, amount_minor: int, currency: str) -> Decision:
    """Gives captured money back, in as many parts as asked."""
    if opening is None:
        return _refused(UNKNOWN_ORIGINAL, amount_minor)
    before = opening.balance
    if not before.captured_minor or opening.currency != currency:
        return _refused(INVALID_TRANSACTION, amount_minor)
    if not 0 < amount_minor <= before.refundable_minor:
        return _refused(INVALID_AMOUNT, amount_minor)
    after = replace(before, refunded_minor=before.refunded_minor + amount_minor)
    return Decision(APPROVED, State.REFUNDED, amount_minor, opening.state, after)


def reverse(opening: Opening | None, amount_minor: int, *, is_opening: bool = True) -> Decision:
    """Undoes an authorization, a sale or a rebill, whether or not it was approved.

    One that never came is remembered. What was captured from a hold or refunded meanwhile cannot
    be undone, nor can a capture, a refund or a cancel (`is_opening` is then false).
    """
    if opening is None:
        return Decision(UNKNOWN_ORIGINAL, State.REMEMBERED, amount_minor)
    if not is_opening:
        return _refused(INVALID_TRANSACTION, amount_minor)
    before = opening.balance
    if opening.state not in {State.HELD, State.CAPTURED}:
        return Decision(APPROVED, State.REVERSED, 0)
    followed = before.captured_minor if _held_first(opening) else before.refunded_minor
    if followed:
        return _refused(INVALID_TRANSACTION, amount_minor)
    undone_minor = before.held_minor + before.captured_minor
    return Decision(APPROVED, State.REVERSED, undone_minor, State.REVERSED, NOTHING)


def under_orders(decision: Decision, ordered: str | None, amount_minor: int) -> Decision:
    """A follow-up's or reversal's decision with the answer that a fault asks for.

    As with a charge: a refusal is always given, an approval only where the bank approves.
    """
    if refusal := _refusal_ordered(ordered):
        return _refused(refusal, amount_minor)
    if ordered and decision.response_code == APPROVED:
        return replace(decision, response_code=ordered)
    return decision


def _held_first(opening: Opening) -> bool:
    return opening.operation is BankOperation.AUTHORIZE


def _refusal_ordered(ordered: str | None) -> str | None:
    return ordered if ordered and not approves(ordered) else None


def _refusal_of_charge(asked: Charge) -> str | None:
    if asked.reversed_before:
        return INVALID_TRANSACTION
    if not asked.card_valid:
        return INVALID_CARD
    if asked.card_expired:
        return EXPIRED_CARD
    if asked.security_code_wrong:
        return WRONG_SECURITY_CODE
    if not asked.amount_minor and asked.operation is not BankOperation.AUTHORIZE:
        return INVALID_AMOUNT
    return None


def _refused(response_code: str, amount_minor: int) -> Decision:
    return Decision(response_code, State.DECLINED, amount_minor)
