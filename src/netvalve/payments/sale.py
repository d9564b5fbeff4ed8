"""Sale: authorize and capture in one message."""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.journal import BalanceChange
from netvalve.domain.lifecycle import Event
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.operations import Effect, LostAnswer, Operation


def charged(_transaction: Transaction, _order: Order, approved_minor: int) -> Effect:
    """The money is authorised and captured at once; a rebill does the same."""
    return Effect(
        Event.APPROVED,
        BalanceChange(authorised_minor=approved_minor, captured_minor=approved_minor),
        charges=True,
    )


SALE = Operation(
    type=TransactionType.SALE,
    asks=BankOperation.SALE,
    mti="0200",
    needs=None,
    lost_answer=LostAnswer.REVERSE,
    effect_of=charged,
)
