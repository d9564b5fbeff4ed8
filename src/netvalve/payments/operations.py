"""What differs between the six operations, as one record each; the pipeline is the rest.

Each operation's own file makes its record; `OPERATIONS` joins them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.client import BankCapability
from netvalve.domain.journal import BalanceChange, Move
from netvalve.domain.lifecycle import Event
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction, TransactionType


class LostAnswer(Enum):
    """What no answer from the bank comes to."""

    REVERSE = "reverse"
    """Failed for the merchant at once; the bank is told to undo it until it agrees."""
    REPEAT = "repeat"
    """Pending for the merchant; the same message is repeated until it is answered."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an approval does beside ending its own transaction."""

    order_event: Event
    balance: BalanceChange
    moves: tuple[Move, ...] = ()
    charges: bool = False
    """Whether the transaction holds the captured money from now on."""
    released_minor: int = 0
    """What a partial capture lets go; recorded with a CANCEL of its own."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the six."""

    type: TransactionType
    asks: BankOperation
    mti: str
    """Message type of its first sending, shown in the history."""
    needs: BankCapability | None
    lost_answer: LostAnswer
    effect_of: Callable[[Transaction, Order, int], Effect]
    """From the transaction, its order as it stood at the opening, and the approved amount."""
    frees: Callable[[Transaction], BalanceChange] = lambda _: BalanceChange()
    """What the opening had reserved, taken back when the bank refuses."""
