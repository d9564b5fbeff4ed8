"""What a follow-up or a rebill refers to: an earlier transaction, in its order, at its bank."""

from dataclasses import dataclass

from netvalve.catalogue.currencies import Currency
from netvalve.domain.card import CardNumber
from netvalve.domain.client import BankProfile, MerchantAccount
from netvalve.domain.journal import Claim
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction


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
