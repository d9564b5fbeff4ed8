"""What capture and cancel ask of the authorization they name."""

from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import Transaction, TransactionType


def refusal_of_authorization(parent: Transaction) -> Refusal | None:
    """Why this transaction can be neither captured nor cancelled, or None.

    Source: wire contract, section 3.
    """
    if parent.type is not TransactionType.AUTHORIZATION:
        return Refusal("GTW_2013", f"the transaction is a {parent.type}")
    if parent.state is State.APPROVED:
        return None
    if parent.state is State.PENDING:
        return Refusal("GTW_2049", "the authorization is pending")
    if parent.state is State.CANCELLED:
        return Refusal("GTW_2047")
    if parent.state in HOLDS_MONEY:
        return Refusal("GTW_2046")
    return Refusal("GTW_2013", f"the authorization is {parent.state}")
