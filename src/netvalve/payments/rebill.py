"""Rebill: charge the card of an earlier sale or authorization again, initiated by the merchant.

Sources of the rules: wire contract, section 3.
"""

from netvalve.domain.bank_message import BankOperation
from netvalve.domain.client import BankCapability, Channel, Permission
from netvalve.domain.lifecycle import HOLDS_MONEY, IN_FLIGHT
from netvalve.domain.money import AMOUNT_MINOR_MAX, minor_units
from netvalve.domain.refusal import ChannelRefused, FieldError, InvalidFields, Refusal
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.charge import limit_refusal
from netvalve.payments.commands import RebillCommand
from netvalve.payments.operations import LostAnswer, Operation
from netvalve.payments.reference import Reference
from netvalve.payments.sale import charged

REBILL = Operation(
    type=TransactionType.REBILL,
    asks=BankOperation.REBILL,
    mti="0200",
    needs=BankCapability.REBILL,
    lost_answer=LostAnswer.REVERSE,
    effect_of=charged,
)

_REBILLABLE = frozenset({TransactionType.SALE, TransactionType.AUTHORIZATION})


def amount_of_rebill(
    command: RebillCommand, reference: Reference
) -> int | Refusal | InvalidFields | ChannelRefused:
    """What to charge, in minor units, or why not."""
    refusal = _parent_refusal(reference.parent) or _account_refusal(reference)
    if refusal:
        return refusal
    amount_minor = minor_units(command.amount, reference.currency)
    if amount_minor is None:
        return InvalidFields((FieldError("amount", "GTW_2003"),))
    if amount_minor > AMOUNT_MINOR_MAX:
        return InvalidFields((FieldError("amount", "GTW_2059"),))
    return limit_refusal(amount_minor, reference.account) or amount_minor


def _parent_refusal(parent: Transaction) -> Refusal | None:
    if parent.type not in _REBILLABLE:
        return Refusal("GTW_2013", f"a {parent.type} cannot be rebilled")
    if parent.state in IN_FLIGHT:
        return Refusal("GTW_2049", "the parent is pending")
    if parent.state not in HOLDS_MONEY:
        return Refusal("GTW_2013", f"the parent is {parent.state}")
    return None


def _account_refusal(reference: Reference) -> Refusal | ChannelRefused | None:
    account = reference.account
    if not account.enabled:
        return Refusal("GTW_2000", "account disabled")
    if Channel.API not in account.channels:
        return ChannelRefused("account has no channel API")
    if (
        Permission.REBILL not in account.permissions
        or REBILL.needs not in reference.bank.capabilities
    ):
        return Refusal("GTW_2100", "account or bank without rebill")
    marker = reference.order.details.additional_data.get("requestTransactionType")
    if reference.number is None:
        return Refusal("GTW_2013", "the card number has been erased")
    if account.rebill_needs_marker and marker != "RECURRING":
        return Refusal("GTW_2081")
    return None
