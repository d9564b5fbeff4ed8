"""The rows of `/orders` and `/export`, and the page around them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Final

from netvalve.api.answers.answer import known
from netvalve.api.answers.codes import MESSAGES, PENDING, bank_response
from netvalve.api.answers.customer import billing_fields
from netvalve.api.answers.parties import Parties
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.currencies import currency
from netvalve.catalogue.response_codes import response_code
from netvalve.domain.card import masked
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.directory import Directory
from netvalve.domain.lifecycle import State, public_status
from netvalve.domain.money import major_text, major_units
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Row
from netvalve.domain.transaction import Outcome, TransactionType

Columns = Mapping[str, Sequence[object]]
"""Cells by the name of their column, in the order of a row's properties."""

_WORDS_KEPT: Final = 4_096
"""Of each table that is filled as rows come: more than most exports hold."""


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


def transaction_columns(
    directory: Directory, found: TransactionColumns, *, with_billing: bool
) -> Columns:
    """ResultTransactionDTO, a column for each of its properties; its order is a text.

    The one list of what a row shows: pages, CSV and NDJSON are all made from it.
    """
    parties = list(map(cache(partial(Parties.of, directory)), found.client_id, found.mid_id))
    codes = [code or PENDING for code in found.response_code]
    bank = list(
        map(_bank_response, found.response_code, found.bank_response_code, found.approved_minor)
    )
    billing = {"billingDetails": list(map(billing_fields, found.customer))} if with_billing else {}
    return {
        "sourceOfTransaction": found.source,
        "id": found.transaction_id,
        "amount": list(map(_amount, found.approved_minor, found.amount_minor, found.currency)),
        "currency": found.currency,
        "orderId": list(map(str, found.order_id)),
        "clientOrderId": found.client_order_id,
        "transactionType": found.type,
        "transactionReference": found.parent_id,
        "datetime": list(map(timestamp, found.opened_at_ms)),
        "accountName": [each.account_name for each in parties],
        "status": list(map(_status, found.type, found.state)),
        "customerEmail": [customer.get("email") for customer in found.customer],
        "responseCode": codes,
        "responseMessage": [MESSAGES[code] for code in codes],
        "responseCodeType": [response_code(code).type for code in codes],
        "bankResponseCode": [said.get("bankResponseCode") for said in bank],
        "bankResponseMessage": [said.get("bankResponseMessage") for said in bank],
        "bankName": [each.bank_name for each in parties],
        "bankTransactionId": found.rrn,
        "authCode": found.auth_code,
        "traceId": found.trace_id,
        **billing,
        "cardNumber": list(map(masked, found.first_six, found.last_four)),
        "cardType": found.brand,
        "paymentType": found.payment_type,
        "walletType": found.wallet_type,
    }


def rows_of(columns: Columns) -> Iterator[dict[str, object]]:
    """Row by row, without what is not known."""
    names = tuple(columns)
    for row in zip(*columns.values(), strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


@lru_cache(_WORDS_KEPT)
def _amount(approved_minor: int | None, amount_minor: int, code: str) -> int | float:
    """What the bank approved where that is less than was asked, else what was asked."""
    shown_minor = amount_minor if approved_minor is None else approved_minor
    return major_units(shown_minor, currency(code))


@lru_cache(_WORDS_KEPT)
def _status(kind: str, state: str) -> str:
    return public_status(TransactionType(kind), State(state))


@lru_cache(_WORDS_KEPT)
def _bank_response(
    code: str | None, bank_code: str | None, approved_minor: int | None
) -> Mapping[str, object]:
    if code is None:
        return bank_response(None)
    return bank_response(Outcome(code, bank_code, approved_minor=approved_minor))


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
