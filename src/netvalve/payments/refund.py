"""Refund: give captured money back, whole or in parts. One balance counts: the order's.

Sources of the rules: wire contract, section 3.
"""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.client import BankCapability, Permission
from netvalve.domain.journal import BalanceChange, Claim, Move
from netvalve.domain.lifecycle import HOLDS_MONEY, Event, State, sources_of
from netvalve.domain.money import minor_units
from netvalve.domain.order import Order
from netvalve.domain.refusal import FieldError, InvalidFields, Refusal
from netvalve.domain.transaction import CHARGES, Transaction, TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.operations import Effect, LostAnswer, Operation
from netvalve.payments.reference import Granted, Reference


def grant_refund(
    command: FollowUpCommand, reference: Reference
) -> Granted | Refusal | InvalidFields:
    """What to give back, with the turn to take; or why not."""
    order = reference.order
    refusal = _parent_refusal(reference.parent, order)
    if refusal:
        return refusal
    if BankCapability.REFUND not in reference.bank.capabilities:
        return Refusal("GTW_2100", "bank without refund")
    refundable_minor = order.balance.refundable_minor
    if refundable_minor <= 0:
        return Refusal("GTW_2045")
    amount_minor = (
        refundable_minor
        if command.amount is None
        else minor_units(command.amount, reference.currency)
    )
    if amount_minor is None:
        return InvalidFields((FieldError("amount", "GTW_2003"),))
    refused = _amount_refusal(amount_minor, reference)
    return refused or Granted(
        amount_minor,
        Claim(
            order_id=order.order_id,
            client_id=order.client_id,
            states=sources_of(Event.REFUNDED),
            refund_minor=amount_minor,
        ),
    )


def _parent_refusal(parent: Transaction, order: Order) -> Refusal | None:
    captured = order.balance.captured_minor > 0
    uncaptured = parent.type is TransactionType.AUTHORIZATION and not captured
    if uncaptured and parent.state is State.APPROVED and order.in_flight_id is not None:
        return Refusal("GTW_2049", "the authorization may be about to be captured")
    if uncaptured or parent.type not in (*CHARGES, TransactionType.AUTHORIZATION):
        return Refusal("GTW_2013", f"a {parent.type} that holds no captured money")
    if parent.state is State.PENDING:
        return Refusal("GTW_2049", "the charge is pending")
    if parent.state not in HOLDS_MONEY:
        return Refusal("GTW_2013", f"the charge is {parent.state}")
    return None


def _amount_refusal(amount_minor: int, reference: Reference) -> Refusal | None:
    order = reference.order
    if amount_minor > order.balance.refundable_minor:
        return Refusal("GTW_2108", f"{order.balance.refundable_minor} minor units remain")
    allowed = (
        Permission.PARTIAL_REFUND in reference.account.permissions
        and BankCapability.PARTIAL_REFUND in reference.bank.capabilities
    )
    if amount_minor < order.balance.captured_minor and not allowed:
        return Refusal("GTW_2107")
    return None


def _refunded(transaction: Transaction, order: Order, approved_minor: int) -> Effect:
    whole = order.balance.refunded_minor + approved_minor >= order.balance.captured_minor
    event = Event.REFUNDED if whole else Event.PARTIALLY_REFUNDED
    return Effect(
        order_event=event,
        balance=BalanceChange(
            refunded_minor=approved_minor, reserved_minor=-transaction.amount_minor
        ),
        moves=(Move(order.charge_id, event),) if order.charge_id is not None else (),
    )


REFUND = Operation(
    type=TransactionType.REFUND,
    asks=BankOperation.REFUND,
    mti="0200",
    needs=BankCapability.REFUND,
    lost_answer=LostAnswer.REPEAT,
    effect_of=_refunded,
    frees=lambda transaction: BalanceChange(reserved_minor=-transaction.amount_minor),
)
