"""The rows of `/orders` and `/export`, and the page around them."""

from collections.abc import Iterable

from netvalve.api.answers.answer import known
from netvalve.api.answers.codes import bank_response, code_of, response
from netvalve.api.answers.customer import billing_details
from netvalve.api.answers.parties import Parties
from netvalve.api.answers.payment import shown_minor
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.currencies import currency
from netvalve.domain.directory import Directory
from netvalve.domain.lifecycle import public_status
from netvalve.domain.money import major_text, major_units
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Row
from netvalve.domain.transaction import Transaction


def order_row(directory: Directory, order: Order) -> dict[str, object]:
    """ResultOrderDTO; its amount is a text."""
    details = order.details
    parties = Parties.of(directory, order.client_id, order.mid_id)
    return known(
        {
            "sourceOfTransaction": details.source,
            "id": order.order_id,
            "amount": major_text(order.amount_minor, currency(order.currency)),
            "createdDate": timestamp(order.created_at_ms),
            "status": public_status(order.type, order.state),
            "accountName": parties.account_name,
            "customerEmail": details.customer.email,
            "currency": order.currency,
            "bankName": parties.bank_name,
            "clientOrderId": order.client_order_id,
            "traceId": order.trace_id,
            "paymentType": details.payment_type,
            "walletType": details.wallet_type,
        }
    )


def transaction_row(
    directory: Directory, transaction: Transaction, order: Order, *, with_billing: bool
) -> dict[str, object]:
    """ResultTransactionDTO; its order is a text."""
    details, outcome = order.details, transaction.outcome
    parties = Parties.of(directory, transaction.client_id, transaction.mid_id)
    return known(
        {
            "sourceOfTransaction": details.source,
            "id": transaction.transaction_id,
            "amount": major_units(shown_minor(transaction), currency(transaction.currency)),
            "currency": transaction.currency,
            "orderId": str(transaction.order_id),
            "clientOrderId": order.client_order_id,
            "transactionType": transaction.type,
            "transactionReference": transaction.parent_id,
            "datetime": timestamp(transaction.opened_at_ms),
            "accountName": parties.account_name,
            "status": public_status(transaction.type, transaction.state),
            "customerEmail": details.customer.email,
            **response(code_of(outcome)),
            **bank_response(outcome),
            "bankName": parties.bank_name,
            "bankTransactionId": transaction.identity.rrn,
            "authCode": outcome.auth_code if outcome else None,
            "traceId": transaction.trace_id,
            "billingDetails": billing_details(details.customer) if with_billing else None,
            "cardNumber": order.card.masked,
            "cardType": order.card.brand,
            "paymentType": details.payment_type,
            "walletType": details.wallet_type,
        }
    )


def page_body(page: Page[Row], content: Iterable[dict[str, object]]) -> dict[str, object]:
    """The envelope, in the manner of Spring's pages."""
    rows = list(content)
    number, size = page.request.number, page.request.size
    pages = -(-page.total // size)
    return {
        "totalPages": pages,
        "totalElements": page.total,
        "pageable": _pageable(page.request),
        "numberOfElements": len(rows),
        "size": size,
        "content": rows,
        "number": number,
        "sort": [_NEWEST_FIRST],
        "first": number == 0,
        "last": number >= pages - 1,
        "empty": not rows,
    }


_NEWEST_FIRST: dict[str, object] = {
    "direction": "DESC",
    "property": "id",
    "ascending": False,
    "ignoreCase": False,
    "nullHandling": "NATIVE",
}


def _pageable(request: PageRequest) -> dict[str, object]:
    return {
        "paged": True,
        "unpaged": False,
        "pageNumber": request.number,
        "pageSize": request.size,
        "offset": request.number * request.size,
        "sort": [_NEWEST_FIRST],
    }
