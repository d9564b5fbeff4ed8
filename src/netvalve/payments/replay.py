"""Replay: a stored transaction's message made again, as it was."""

from netvalve.domain.bank_message import BankRequest
from netvalve.domain.journal import StoredMessage
from netvalve.domain.transaction import OPENERS, Transaction
from netvalve.payments.payment import Payment
from netvalve.payments.planning import Planner
from netvalve.payments.ports import TransactionOnOrder
from netvalve.payments.reference import Reference, References


class Replay:
    """Looks up what a message needs and has it composed anew."""

    def __init__(self, references: References, planner: Planner) -> None:
        self._references, self._planner = references, planner

    async def payment(self, stored: TransactionOnOrder) -> Payment:
        """A payment that was opened before, its message marked as a repeat."""
        transaction, order = stored
        return await self._planner.again(transaction, order, await self._reference(transaction))

    async def reversal(self, message: StoredMessage) -> BankRequest:
        """The stored reversal of a charge."""
        return self._planner.reversal(message, await self._reference(message.transaction))

    async def _reference(self, transaction: Transaction) -> Reference:
        """Of the transaction itself where it opened its order, else of what it follows."""
        named = transaction.transaction_id
        if transaction.type not in OPENERS and transaction.parent_id is not None:
            named = transaction.parent_id
        reference = await self._references.of(transaction.client_id, named)
        if reference is None:
            raise LookupError(f"transaction {named} is gone")
        return reference
