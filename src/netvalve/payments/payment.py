"""A payment under way: everything decided about it before the first byte leaves."""

from dataclasses import dataclass

from netvalve.domain.bank_message import BankRequest
from netvalve.domain.client import BankProfile
from netvalve.domain.journal import Opening
from netvalve.domain.order import Order
from netvalve.domain.transaction import MessageIdentity, Transaction
from netvalve.payments.operations import Operation


@dataclass(frozen=True, slots=True)
class Payment:
    """The transaction, the order it opens or follows, and its message to the bank."""

    operation: Operation
    bank: BankProfile
    transaction: Transaction
    order: Order
    """As opened, or as it stood when this payment took its turn."""
    opening: Opening
    request: BankRequest
    forward_identity: MessageIdentity
    """Of the message that is stored should there be no answer: a charge's reversal is a message
    of its own, a follow-up's repeat is the same message again."""
    released_id: int | None = None
    """Number kept for the CANCEL that records the rest of a partial capture."""
