"""From a command to a payment: numbers leased, records made, the bank's message composed.

Nothing here decides; it puts together what the operations' own rules have decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netvalve.catalogue.currencies import Currency
from netvalve.catalogue.hold_times import hold_days_of
from netvalve.domain.bank_message import (
    BankOperation,
    BankRequest,
    Merchant,
    OriginalMessage,
    StoredCredential,
)
from netvalve.domain.card import Card
from netvalve.domain.client import BankCapability, BankProfile, MerchantAccount
from netvalve.domain.journal import NewOrder, Opening, StoredMessage
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Balance, CardOnOrder, Customer, Details, Order
from netvalve.domain.transaction import OPENERS, Transaction, TransactionType
from netvalve.payments.authorize import AUTHORIZE
from netvalve.payments.cancel import CANCEL
from netvalve.payments.capture import CAPTURE
from netvalve.payments.commands import ChargeCommand, FollowUpCommand, RebillCommand
from netvalve.payments.operations import Operation
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Clock, Identifiers, Vault
from netvalve.payments.rebill import REBILL
from netvalve.payments.reference import Granted, Reference
from netvalve.payments.refund import REFUND
from netvalve.payments.sale import SALE
from netvalve.payments.stored_credential import credential_of_charge, credential_of_rebill

OPERATIONS: Mapping[TransactionType, Operation] = {
    operation.type: operation for operation in (AUTHORIZE, SALE, CAPTURE, REFUND, CANCEL, REBILL)
}

_DAY_MS = 86_400_000
_YES = frozenset({"TRUE", "YES", "Y", "1"})


@dataclass(frozen=True, slots=True)
class _Charge:
    """What the opening of an order is made from: a sale's, an authorize's or a rebill's."""

    operation: Operation
    account: MerchantAccount
    bank: BankProfile
    amount_minor: int
    currency: Currency
    card: Card
    holder_name: str | None
    client_order_id: str | None
    site_id: str | None
    details: Details
    stored_credential: StoredCredential | None
    customer: Customer
    """Whose address the bank verifies."""
    parent_id: int | None = None


class Planner:
    """Makes payments whole."""

    def __init__(
        self, identifiers: Identifiers, vault: Vault, clock: Clock, *, hold_day_ms: int = _DAY_MS
    ) -> None:
        self._identifiers, self._vault, self._clock = identifiers, vault, clock
        self._hold_day_ms = hold_day_ms

    async def charge(
        self, command: ChargeCommand, account: MerchantAccount, bank: BankProfile, trace_id: str
    ) -> Payment:
        """A sale or an authorize, with the order it opens."""
        details = command.details
        return await self._opening_payment(
            _Charge(
                operation=OPERATIONS[command.type],
                account=account,
                bank=bank,
                amount_minor=command.amount_minor,
                currency=command.currency,
                card=command.card,
                holder_name=command.card_holder_name,
                client_order_id=command.client_order_id,
                site_id=account.site_id,
                details=details,
                stored_credential=credential_of_charge(details.additional_data),
                customer=details.customer,
            ),
            trace_id,
        )

    async def rebill(
        self, command: RebillCommand, reference: Reference, amount_minor: int, trace_id: str
    ) -> Payment:
        """A charge of the parent's card, with an order of its own."""
        parent, parent_order = reference.parent, reference.order
        card = _card_again(reference)
        if card is None:
            raise LookupError(f"the card of order {parent_order.order_id} has been erased")
        details = replace(
            parent_order.details,
            three_ds=None,
            additional_data=dict(command.additional_data),
            additional_parameters={},
        )
        first = parent.outcome.scheme_transaction_id if parent.outcome else None
        return await self._opening_payment(
            _Charge(
                operation=REBILL,
                account=reference.account,
                bank=reference.bank,
                amount_minor=amount_minor,
                currency=reference.currency,
                card=card,
                holder_name=parent_order.card.holder_name,
                client_order_id=command.client_order_id,
                site_id=parent_order.site_id,
                details=details,
                stored_credential=credential_of_rebill(command.additional_data, first),
                customer=Customer(),
                parent_id=parent.transaction_id,
            ),
            trace_id,
        )

    async def follow_up(
        self, command: FollowUpCommand, reference: Reference, granted: Granted, trace_id: str
    ) -> Payment:
        """A capture, cancel or refund."""
        operation = OPERATIONS[command.type]
        order, amount_minor = reference.order, granted.amount_minor
        now_ms = self._clock.now_ms()
        identity = await self._identifiers.message_identity(now_ms)
        partial = operation is CAPTURE and amount_minor < order.balance.authorised_minor
        transaction = Transaction(
            transaction_id=await self._identifiers.transaction_id(),
            order_id=order.order_id,
            client_id=order.client_id,
            mid_id=order.mid_id,
            type=operation.type,
            state=State.PENDING,
            amount_minor=amount_minor,
            currency=order.currency,
            identity=identity,
            trace_id=trace_id,
            opened_at_ms=now_ms,
            parent_id=command.transaction_id,
            final_capture=operation is CAPTURE and command.final_capture,
        )
        return Payment(
            operation=operation,
            bank=reference.bank,
            transaction=transaction,
            order=order,
            opening=Opening(
                transaction=transaction,
                claim=granted.claim,
                mti=operation.mti,
                detail=command.reason,
            ),
            request=BankRequest(
                operation=operation.asks,
                identity=identity,
                amount_minor=amount_minor,
                currency=reference.currency,
                merchant=_merchant(reference.account, order.details),
                card=_card_again(reference),
                original=_original(operation, reference),
                final_capture=partial,
            ),
            forward_identity=identity,
            released_id=await self._identifiers.transaction_id() if partial else None,
        )

    async def again(self, transaction: Transaction, order: Order, reference: Reference) -> Payment:
        """A payment that was opened before, its message to be repeated as it was.

        `reference` is that of its parent, or of itself where it opened its order. An opener's own
        message is never repeated, but reversed: by a message with an identity of its own.
        """
        operation = OPERATIONS[transaction.type]
        opener = transaction.type in OPENERS
        partial = operation is CAPTURE and transaction.amount_minor < order.balance.authorised_minor
        return Payment(
            operation=operation,
            bank=reference.bank,
            transaction=transaction,
            order=order,
            opening=Opening(transaction=transaction, mti=operation.mti),
            request=BankRequest(
                operation=operation.asks,
                identity=transaction.identity,
                amount_minor=transaction.amount_minor,
                currency=reference.currency,
                merchant=_merchant(reference.account, order.details),
                card=_card_again(reference),
                original=None if opener else _original(operation, reference),
                final_capture=partial,
                repeat=True,
            ),
            forward_identity=await self._identifiers.message_identity(self._clock.now_ms())
            if opener
            else transaction.identity,
            released_id=await self._identifiers.transaction_id() if partial else None,
        )

    def reversal(self, message: StoredMessage, reference: Reference) -> BankRequest:
        """The stored reversal of a charge; `reference` is that of the charge itself."""
        transaction = message.transaction
        return BankRequest(
            operation=BankOperation.REVERSAL,
            identity=message.forward.identity,
            amount_minor=transaction.amount_minor,
            currency=reference.currency,
            merchant=_merchant(reference.account, message.order.details),
            card=_card_again(reference),
            original=OriginalMessage(OPERATIONS[transaction.type].asks, transaction.identity),
            repeat=message.attempts > 0,
        )

    async def _opening_payment(self, charge: _Charge, trace_id: str) -> Payment:
        operation, account, card = charge.operation, charge.account, charge.card
        now_ms = self._clock.now_ms()
        identity = await self._identifiers.message_identity(now_ms)
        transaction = Transaction(
            transaction_id=await self._identifiers.transaction_id(),
            order_id=await self._identifiers.order_id(),
            client_id=account.client_id,
            mid_id=account.mid_id,
            type=operation.type,
            state=State.PENDING,
            amount_minor=charge.amount_minor,
            currency=charge.currency.code,
            identity=identity,
            trace_id=trace_id,
            opened_at_ms=now_ms,
            parent_id=charge.parent_id,
        )
        card_id = await self._identifiers.card_id()
        sealed = self._vault.seal(account.client_id, card_id, card.number)
        order = _order_of(charge, transaction, card_id, self._hold_day_ms)
        return Payment(
            operation=operation,
            bank=charge.bank,
            transaction=transaction,
            order=order,
            opening=Opening(
                transaction=transaction, new_order=NewOrder(order, sealed), mti=operation.mti
            ),
            request=BankRequest(
                operation=operation.asks,
                identity=identity,
                amount_minor=charge.amount_minor,
                currency=charge.currency,
                merchant=_merchant(account, charge.details),
                card=card,
                customer=charge.customer,
                three_ds=charge.details.three_ds,
                stored_credential=charge.stored_credential,
                partial_approval_allowed=_partial_allowed(charge.details),
            ),
            forward_identity=await self._identifiers.message_identity(now_ms),
        )


def _order_of(charge: _Charge, transaction: Transaction, card_id: int, day_ms: int) -> Order:
    number = charge.card.number
    return Order(
        order_id=transaction.order_id,
        client_id=transaction.client_id,
        mid_id=transaction.mid_id,
        type=transaction.type,
        state=State.PENDING,
        currency=transaction.currency,
        amount_minor=transaction.amount_minor,
        balance=Balance(),
        card=CardOnOrder(
            card_id=card_id,
            first_six=number.first_six,
            last_four=number.last_four,
            brand=number.brand,
            expiry_month=charge.card.expiry_month,
            expiry_year=charge.card.expiry_year,
            holder_name=charge.holder_name,
        ),
        trace_id=transaction.trace_id,
        created_at_ms=transaction.opened_at_ms,
        updated_at_ms=transaction.opened_at_ms,
        opening_id=transaction.transaction_id,
        in_flight_id=transaction.transaction_id,
        client_order_id=charge.client_order_id,
        site_id=charge.site_id,
        expires_at_ms=_end_of_hold_ms(charge, transaction.opened_at_ms, day_ms),
        details=charge.details,
    )


def _end_of_hold_ms(charge: _Charge, opened_at_ms: int, day_ms: int) -> int | None:
    """When an authorization that nobody captured is to be cancelled; None: it never is.

    The account's own hold goes before its brand's. What a bank cannot cancel ends there alone.
    """
    if charge.operation is not AUTHORIZE or BankCapability.CANCEL not in charge.bank.capabilities:
        return None
    days = charge.account.hold_days or hold_days_of(charge.card.number.brand)
    return opened_at_ms + days * day_ms


def _card_again(reference: Reference) -> Card | None:
    card = reference.order.card
    if reference.number is None:
        return None
    return Card(reference.number, card.expiry_month, card.expiry_year)


def _original(operation: Operation, reference: Reference) -> OriginalMessage:
    """The message by which the bank knows the money: the charge's, for a refund."""
    original = reference.parent
    if operation is REFUND and reference.charge is not None:
        original = reference.charge
    return OriginalMessage(
        operation=OPERATIONS[original.type].asks,
        identity=original.identity,
        auth_code=original.outcome.auth_code if original.outcome else None,
    )


def _merchant(account: MerchantAccount, details: Details) -> Merchant:
    return Merchant(
        merchant_id=account.bank_merchant_id,
        descriptor=details.descriptor or account.descriptor,
        mcc=account.mcc,
        country=account.country,
    )


def _partial_allowed(details: Details) -> bool:
    indicator = details.additional_data.get("partialAuthorizationIndicator")
    return str(indicator).upper() in _YES
