"""The answer to a payment and to an inquiry about it: TransactionResponseDTO.

Source: wire contract, section 3, in the order of its sample.
"""

from dataclasses import replace

from netvalve.api.answers.answer import Answer, json_answer, known
from netvalve.api.answers.codes import bank_response, code_of, response, retry
from netvalve.api.answers.parties import Parties
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.currencies import currency
from netvalve.domain.directory import Directory
from netvalve.domain.money import major_units
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction


def payment_answer(
    directory: Directory,
    transaction: Transaction,
    order: Order,
    now_ms: int,
    next_attempt_at_ms: int | None = None,
) -> Answer:
    """What the merchant is told when the operation has been done, or is pending.

    `next_attempt_at_ms` is when the bank is asked again, where that is known.
    """
    outcome = transaction.outcome
    body = payment_body(directory, transaction, order, now_ms)
    if outcome is None or outcome.approved_minor is not None:
        body |= _money(transaction)
    return _answer(body, transaction, now_ms, next_attempt_at_ms)


def inquiry_answer(
    directory: Directory,
    transaction: Transaction,
    order: Order,
    now_ms: int,
    next_attempt_at_ms: int | None = None,
) -> Answer:
    """The original answer once more, with amount and currency."""
    body = payment_body(directory, transaction, order, now_ms) | _money(transaction)
    return _answer(body, transaction, now_ms, next_attempt_at_ms)


def payment_body(
    directory: Directory, transaction: Transaction, order: Order, now_ms: int
) -> dict[str, object]:
    """The properties of the answer; `now_ms` dates the answer about a pending transaction."""
    outcome, card = transaction.outcome, order.card
    closed_at_ms = transaction.closed_at_ms
    parties = Parties.of(directory, transaction.client_id, transaction.mid_id)
    return known(
        {
            "traceID": transaction.trace_id,
            "responseTimestamp": timestamp(now_ms if closed_at_ms is None else closed_at_ms),
            "transactionID": transaction.transaction_id,
            **response(code_of(outcome)),
            "paymentMethod": order.details.wallet_type or order.details.payment_type,
            "cardNumber": card.masked,
            "cardType": card.brand,
            "bankTransactionId": transaction.identity.rrn,
            "authCode": outcome.auth_code if outcome else None,
            "midId": transaction.mid_id,
            "netvalveMidId": parties.netvalve_mid_id,
            "orderId": order.order_id,
            "cardExpiryMonth": card.expiry_month,
            "cardExpiryYear": card.expiry_year,
            "transactionType": transaction.type,
            "siteId": order.site_id,
            **bank_response(outcome),
            **retry(outcome),
        }
    )


def shown_minor(transaction: Transaction) -> int:
    """What the bank approved where that is less than was asked, else what was asked."""
    outcome = transaction.outcome
    if outcome is None or outcome.approved_minor is None:
        return transaction.amount_minor
    return outcome.approved_minor


def _money(transaction: Transaction) -> dict[str, object]:
    unit = currency(transaction.currency)
    return {"amount": major_units(shown_minor(transaction), unit), "currency": unit.code}


def _answer(
    body: dict[str, object], transaction: Transaction, now_ms: int, next_attempt_at_ms: int | None
) -> Answer:
    """Every answer about a transaction; one that is pending says when to ask again."""
    answer = json_answer(
        body, code=code_of(transaction.outcome), transaction_id=transaction.transaction_id
    )
    if transaction.outcome is not None:
        return answer
    seconds = whole_seconds_until(next_attempt_at_ms, now_ms)
    return replace(answer, headers=((b"retry-after", b"%d" % seconds),))


def whole_seconds_until(at_ms: int | None, now_ms: int) -> int:
    """At least one; what is due, or under way, is known in a moment."""
    return 1 if at_ms is None else max(1, -((now_ms - at_ms) // 1000))
