"""Rows as CSV and as NDJSON, some at a time, made from their columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from netvalve.api.answers.cells import csv_lines
from netvalve.api.answers.lists import Columns, rows_of

CSV: Final = b"text/csv"
NDJSON: Final = b"application/x-ndjson"

COLUMNS: Final = (
    "id",
    "datetime",
    "transactionType",
    "status",
    "amount",
    "currency",
    "orderId",
    "clientOrderId",
    "transactionReference",
    "accountName",
    "customerEmail",
    "responseCode",
    "responseMessage",
    "responseCodeType",
    "bankResponseCode",
    "bankResponseMessage",
    "bankName",
    "bankTransactionId",
    "authCode",
    "cardNumber",
    "cardType",
    "paymentType",
    "walletType",
    "sourceOfTransaction",
    "traceId",
)
"""Columns of the CSV, named as in the JSON."""

BILLING_COLUMNS: Final = (
    "billingAddress",
    "billingZipCode",
    "billingCity",
    "billingState",
    "billingCountryCode",
)
"""Columns that follow where billing details were asked for."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a stream is written."""

    media_type: bytes
    file: bytes
    header: bytes
    """What stands before the first row."""
    encode: Callable[[Columns], bytes]
    """Some rows, after all that came before."""


def csv_form(*, with_billing: bool) -> Form:
    """A CSV, with the columns of billing details where they were asked for."""
    names = COLUMNS + (BILLING_COLUMNS if with_billing else ())
    header = csv_lines([name] for name in names)
    return Form(CSV, b"transactions.csv", header, partial(_csv, names))


def _csv(names: Sequence[str], columns: Columns) -> bytes:
    shown = {**columns, **_billing_columns(columns.get("billingDetails", ()))}
    return csv_lines(shown[name] for name in names)


def _billing_columns(billing: Sequence[Any]) -> Columns:
    return {name: [each and each.get(name) for each in billing] for name in BILLING_COLUMNS}


def _ndjson(columns: Columns) -> bytes:
    lines = bytearray()
    for row in rows_of(columns):
        lines += orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    return bytes(lines)


NDJSON_FORM: Final = Form(NDJSON, b"transactions.ndjson", b"", _ndjson)
"""A line of JSON a row."""
