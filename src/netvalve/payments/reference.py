"""What a follow-up or a rebill refers to: an earlier transaction, in its order, at its bank."""

from dataclasses import dataclass

from netvalve.catalogue.currencies import Currency, currency
from netvalve.domain.card import CardNumber
from netvalve.domain.client import BankProfile, MerchantAccount
from netvalve.domain.journal import Claim
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.payments.ports import Configuration, Records, Vault


@dataclass(frozen=True, slots=True)
class Reference:
    """The transaction a request names, with all that the rules and the bank's message need."""

    parent: Transaction
    order: Order
    account: MerchantAccount
    bank: BankProfile
    currency: Currency
    number: CardNumber | None
    """None once the vault has erased it."""
    charge: Transaction | None
    """The transaction that holds the captured money."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A follow-up that the rules allow: its amount and the turn it has to take."""

    amount_minor: int
    claim: Claim


class References:
    """Looks references up; opens the vault for the card's number."""

    def __init__(self, records: Records, configuration: Configuration, vault: Vault) -> None:
        self._records, self._configuration, self._vault = records, configuration, vault

    async def of(self, client_id: int, transaction_id: int) -> Reference | None:
        """Everything a message about this transaction may need; None: not the client's.

        An order's account may be disabled, it is never removed.
        """
        found = await self._records.transaction(client_id, transaction_id)
        if found is None:
            return None
        parent, order = found
        directory = self._configuration.directory
        account = directory.account(order.client_id, order.mid_id)
        if account is None:
            raise LookupError(f"order {order.order_id} names account {order.mid_id}, which is gone")
        sealed = await self._records.sealed_card(order.client_id, order.card.card_id)
        return Reference(
            parent=parent,
            order=order,
            account=account,
            bank=directory.bank_of(account),
            currency=currency(order.currency),
            number=self._vault.reveal(sealed) if sealed else None,
            charge=await self._charge(parent, order),
        )

    async def _charge(self, parent: Transaction, order: Order) -> Transaction | None:
        if order.charge_id is None:
            return None
        if order.charge_id == parent.transaction_id:
            return parent
        found = await self._records.transaction(order.client_id, order.charge_id)
        return found[0] if found else None
