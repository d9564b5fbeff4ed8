"""An export written the plain way, a record at a time: what the stream must be, byte by byte."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO

import orjson

from netvalve.api.answers.answer import known
from netvalve.api.answers.cells import harmless
from netvalve.api.answers.codes import bank_response, code_of, response
from netvalve.api.answers.customer import billing_details
from netvalve.api.answers.parties import Parties
from netvalve.api.answers.payment import shown_minor
from netvalve.api.answers.streams import BILLING_COLUMNS, COLUMNS
from netvalve.api.answers.timestamps import timestamp
from netvalve.catalogue.currencies import currency
from netvalve.domain.directory import Directory
from netvalve.domain.lifecycle import public_status
from netvalve.domain.money import major_units
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction

Rows = Iterable[Mapping[str, object]]


def transaction_row(
    directory: Directory, transaction: Transaction, order: Order, *, with_billing: bool
) -> dict[str, object]:
    """ResultTransactionDTO of one transaction."""
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


def csv_of(rows: Rows, *, with_billing: bool) -> bytes:
    """The whole file."""
    columns = COLUMNS + (BILLING_COLUMNS if with_billing else ())
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    for row in rows:
        billing = row.get("billingDetails")
        cells = {**row, **billing} if isinstance(billing, dict) else row
        writer.writerow([_cell(cells.get(name)) for name in columns])
    return written.getvalue().encode()


def ndjson_of(rows: Rows) -> bytes:
    """The whole file."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value
