"""Authorize: hold an amount on a card."""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.journal import BalanceChange
from netvalve.domain.lifecycle import Event
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.operations import Effect, LostAnswer, Operation


def _hold(_transaction: Transaction, _order: Order, approved_minor: int) -> Effect:
    return Effect(Event.APPROVED, BalanceChange(authorised_minor=approved_minor))


AUTHORIZE = Operation(
    type=TransactionType.AUTHORIZATION,
    asks=BankOperation.AUTHORIZE,
    mti="0100",
    needs=None,
    lost_answer=LostAnswer.REVERSE,
    effect_of=_hold,
)
