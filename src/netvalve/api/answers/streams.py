"""Rows as CSV and as NDJSON, some at a time."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Final

import orjson

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


class CsvChunks:
    """A CSV in the making: the header comes with the first chunk."""

    def __init__(self, *, with_billing: bool) -> None:
        self._columns = COLUMNS + (BILLING_COLUMNS if with_billing else ())
        self._begun = False

    def encode(self, rows: Iterable[Mapping[str, object]]) -> bytes:
        """These rows, after all that came before."""
        written = StringIO()
        writer = csv.writer(written)
        if not self._begun:
            writer.writerow(self._columns)
            self._begun = True
        for row in rows:
            billing = row.get("billingDetails")
            cells = {**row, **billing} if isinstance(billing, dict) else row
            writer.writerow([harmless(cells.get(name)) for name in self._columns])
        return written.getvalue().encode()


def harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula, blanks before it or none, gets a quote.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(cell, str):
        return cell
    dangerous = cell.startswith(_MOVING) or cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if dangerous else cell


def ndjson_chunk(rows: Iterable[Mapping[str, object]]) -> bytes:
    """One line of JSON a row."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
