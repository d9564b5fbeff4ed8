"""Rows as CSV and as NDJSON, some at a time, made from their columns."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any, Final

import orjson

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

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the same in full width, which spreadsheets fold."""
_MOVING = ("\t", "\r", "\n")
"""What puts the rest of a cell into another one, where it is the beginning."""


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
    return Form(CSV, b"transactions.csv", _csv_lines([names]), partial(_csv_rows, names))


def _csv_rows(names: Sequence[str], columns: Columns) -> bytes:
    cells = {**columns, **_billing_columns(columns.get("billingDetails", ()))}
    return _csv_lines(zip(*(_all_harmless(cells[name]) for name in names), strict=True))


def _billing_columns(billing: Sequence[Any]) -> Columns:
    return {name: [each and each.get(name) for each in billing] for name in BILLING_COLUMNS}


def _csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    written = StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def _all_harmless(column: Sequence[object]) -> Sequence[object]:
    """Most columns hold few texts, or none that is not harmless."""
    if all(harmless(cell) is cell for cell in set(column)):
        return column
    return [harmless(cell) for cell in column]


def harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula, blanks before it or none, gets a quote.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(cell, str) or cell[:1].isalnum():
        return cell
    dangerous = cell.startswith(_MOVING) or cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if dangerous else cell


def _json_lines(columns: Columns) -> bytes:
    lines = bytearray()
    for row in rows_of(columns):
        lines += orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    return bytes(lines)


NDJSON_FORM: Final = Form(NDJSON, b"transactions.ndjson", b"", _json_lines)
"""A line of JSON a row."""
