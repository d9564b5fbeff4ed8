"""Capture: take an authorised amount, whole, or in part and let the rest go.

Sources of the rules: wire contract, section 3.
"""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.client import BankCapability, Permission
from netvalve.domain.journal import BalanceChange, Claim, Move
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.money import minor_units
from netvalve.domain.order import Order
from netvalve.domain.refusal import FieldError, InvalidFields, Refusal
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.authorization import refusal_of_authorization
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.operations import Effect, LostAnswer, Operation
from netvalve.payments.reference import Granted, Reference


def grant_capture(
    command: FollowUpCommand, reference: Reference
) -> Granted | Refusal | InvalidFields:
    """What to capture, with the turn to take; or why not."""
    refusal = refusal_of_authorization(reference.parent)
    if refusal:
        return refusal
    if BankCapability.CAPTURE not in reference.bank.capabilities:
        return Refusal("GTW_2100", "bank without capture")
    order = reference.order
    authorised_minor = order.balance.authorised_minor
    amount_minor = (
        authorised_minor
        if command.amount is None
        else minor_units(command.amount, reference.currency)
    )
    if amount_minor is None:
        return InvalidFields((FieldError("amount", "GTW_2003"),))
    refused = _amount_refusal(amount_minor, reference, final=command.final_capture)
    return refused or Granted(
        amount_minor,
        Claim(
            order_id=order.order_id,
            client_id=order.client_id,
            states=sources_of(Event.CAPTURED),
            capture_minor=amount_minor,
        ),
    )


def _amount_refusal(
    amount_minor: int, reference: Reference, *, final: bool
) -> Refusal | InvalidFields | None:
    authorised_minor = reference.order.balance.authorised_minor
    if amount_minor > authorised_minor:
        return Refusal("GTW_2124", f"authorised {authorised_minor} minor units")
    if amount_minor == authorised_minor:
        return None
    if (
        Permission.PARTIAL_CAPTURE not in reference.account.permissions
        or BankCapability.PARTIAL_CAPTURE not in reference.bank.capabilities
    ):
        return Refusal("GTW_2123")
    return None if final else InvalidFields((FieldError("amount", "GTW_2038"),))


def _captured(_transaction: Transaction, order: Order, approved_minor: int) -> Effect:
    released_minor = order.balance.authorised_minor - approved_minor
    event = Event.PARTIALLY_CAPTURED if released_minor else Event.CAPTURED
    return Effect(
        order_event=event,
        balance=BalanceChange(captured_minor=approved_minor),
        moves=(Move(order.opening_id, event),),
        charges=True,
        released_minor=released_minor,
    )


CAPTURE = Operation(
    type=TransactionType.CAPTURE,
    asks=BankOperation.CAPTURE,
    mti="0220",
    needs=BankCapability.CAPTURE,
    lost_answer=LostAnswer.REPEAT,
    effect_of=_captured,
)
