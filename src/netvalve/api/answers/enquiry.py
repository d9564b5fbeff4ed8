"""The answers to `/transaction` and `/order`: TransactionOutputDTO and OrderOutputDTO.

Shipping details are asked for by the contract and never sent with a payment, so none are shown.
"""

from dataclasses import dataclass

from netvalve.api.answers.answer import known
from netvalve.api.answers.codes import bank_response, code_of, response
from netvalve.api.answers.customer import billing_details, customer_fields, three_ds_data
from netvalve.api.answers.parties import Parties
from netvalve.api.answers.payment import shown_minor
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.currencies import currency
from netvalve.catalogue.verification_results import avs_result, cvv2_result
from netvalve.domain.actions import allowed_actions
from netvalve.domain.directory import Directory
from netvalve.domain.lifecycle import public_status
from netvalve.domain.money import major_text, major_units
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Shown:
    """What an enquiry shows: an order, all of its transactions, and the one in its middle."""

    order: Order
    transactions: tuple[Transaction, ...]
    subject: Transaction | None
    """The transaction asked for, or the one that opened the order."""
    with_billing: bool = False


def transaction_output(directory: Directory, shown: Shown) -> dict[str, object]:
    """TransactionOutputDTO about the subject."""
    order, subject = shown.order, shown.subject
    if subject is None:
        raise ValueError("a transaction's answer is about a transaction")
    unit = currency(subject.currency)
    return known(
        {
            "createdDate": timestamp(subject.opened_at_ms),
            "status": public_status(subject.type, subject.state),
            "amount": major_units(shown_minor(subject), unit),
            "transactionType": subject.type,
            **_payment_output(directory, shown, subject),
            "orderId": order.order_id,
        }
    )


def order_output(directory: Directory, shown: Shown) -> dict[str, object]:
    """OrderOutputDTO, with the properties beyond it that deployed clients read.

    `orderState` belongs to hosted-page orders, which an order of this API is not.
    """
    order = shown.order
    unit = currency(order.currency)
    return known(
        {
            "id": order.order_id,
            "orderId": order.order_id,
            "transactionID": order.opening_id,
            "createdDate": timestamp(order.created_at_ms),
            "lastUpdatedDate": timestamp(order.updated_at_ms),
            "status": public_status(order.type, order.state),
            "orderAmount": major_units(order.amount_minor, unit),
            "amountAndCurrency": f"{major_text(order.amount_minor, unit)} {unit.code}",
            "transactionType": order.type,
            **_payment_output(directory, shown, shown.subject),
            "orderDesc": order.details.description,
            "additionalParameters": dict(order.details.additional_parameters) or None,
        }
    )


def _payment_output(
    directory: Directory, shown: Shown, subject: Transaction | None
) -> dict[str, object]:
    order = shown.order
    details, card, balance = order.details, order.card, order.balance
    parties = Parties.of(directory, order.client_id, order.mid_id)
    return {
        "currency": order.currency,
        "netvalveID": parties.netvalve_mid_id,
        "netvalveMidId": parties.netvalve_mid_id,
        "accountName": parties.account_name,
        "bankName": parties.bank_name,
        "descriptor": details.descriptor or parties.descriptor,
        "clientOrderId": order.client_order_id,
        "cardNumber": card.masked,
        "cardType": card.brand,
        "brand": card.brand,
        "cardholderName": card.holder_name,
        "cardExpiryMonth": card.expiry_month,
        "cardExpiryYear": card.expiry_year,
        "paymentMethod": details.wallet_type or details.payment_type,
        "paymentType": details.payment_type,
        "paymentTypeEnum": details.payment_type,
        "sourceOfTransaction": details.source,
        **customer_fields(details.customer),
        **(_subject_fields(subject, order) if subject else {}),
        "threeDomainsSecureData": three_ds_data(details.three_ds),
        "threeDsTransaction": details.three_ds is not None,
        "smartRoutingTransaction": False,
        "billingDetails": billing_details(details.customer) if shown.with_billing else None,
        "refundBalancedAmount": major_units(balance.refundable_minor, currency(order.currency)),
        "isPartialRefund": 0 < balance.refunded_minor < balance.captured_minor,
        "isPartialRefundAllowed": parties.partial_refund_allowed,
        "transactions": [_short_output(each, shown) for each in shown.transactions],
    }


def _subject_fields(subject: Transaction, order: Order) -> dict[str, object]:
    """What the subject's outcome adds."""
    outcome = subject.outcome
    avs = avs_result(outcome.avs_result) if outcome and outcome.avs_result else None
    cvv2 = cvv2_result(outcome.cvv2_result) if outcome and outcome.cvv2_result else None
    return {
        **response(code_of(outcome)),
        **bank_response(outcome),
        "authCode": outcome.auth_code if outcome else None,
        "bankTransactionId": subject.identity.rrn,
        "avsData": {"code": avs.code, "description": avs.description} if avs else None,
        "cvvVerificationData": (
            {"code": cvv2.code, "description": cvv2.description} if cvv2 else None
        ),
        "allowedActions": list(allowed_actions(subject, order)),
        "transactionReference": subject.parent_id,
    }


def _short_output(transaction: Transaction, shown: Shown) -> dict[str, object]:
    """TransactionShortOutputDTO."""
    order, outcome = shown.order, transaction.outcome
    details = order.details
    unit = currency(transaction.currency)
    return known(
        {
            "createdDate": timestamp(transaction.opened_at_ms),
            "transactionType": transaction.type,
            "amount": major_units(shown_minor(transaction), unit),
            "currency": unit.code,
            "status": public_status(transaction.type, transaction.state),
            "transactionId": transaction.transaction_id,
            "authCode": outcome.auth_code if outcome else None,
            **response(code_of(outcome)),
            **bank_response(outcome),
            "bankTransactionId": transaction.identity.rrn,
            "allowedActions": list(allowed_actions(transaction, order)),
            "transactionReference": transaction.parent_id,
            "threeDomainsSecureData": three_ds_data(details.three_ds),
            "threeDsTransaction": details.three_ds is not None,
            "smartRoutingTransaction": False,
            "sourceOfTransaction": details.source,
            "billingDetails": billing_details(details.customer) if shown.with_billing else None,
        }
    )
