"""Cancel: void an authorization that was not captured.

Sources of the rules: wire contract, section 3.
"""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.client import BankCapability
from netvalve.domain.journal import BalanceChange, Claim, Move
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.order import Order
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.authorization import refusal_of_authorization
from netvalve.payments.operations import Effect, LostAnswer, Operation
from netvalve.payments.reference import Granted, Reference


def grant_cancel(reference: Reference) -> Granted | Refusal:
    """What is released, with the turn to take; or why not."""
    refusal = refusal_of_authorization(reference.parent)
    if refusal:
        return refusal
    if BankCapability.CANCEL not in reference.bank.capabilities:
        return Refusal("GTW_2100", "bank without cancel")
    order = reference.order
    return Granted(
        order.balance.authorised_minor,
        Claim(
            order_id=order.order_id,
            client_id=order.client_id,
            states=sources_of(Event.CANCELLED),
        ),
    )


def _cancelled(_transaction: Transaction, order: Order, _approved_minor: int) -> Effect:
    return Effect(
        Event.CANCELLED, BalanceChange(), moves=(Move(order.opening_id, Event.CANCELLED),)
    )


CANCEL = Operation(
    type=TransactionType.CANCEL,
    asks=BankOperation.CANCEL,
    mti="0400",
    needs=BankCapability.CANCEL,
    lost_answer=LostAnswer.REPEAT,
    effect_of=_cancelled,
)
