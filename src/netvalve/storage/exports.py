"""What an export reads of its rows: one narrow list of columns for both databases."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Column

from netvalve.domain.columns import TransactionColumns
from netvalve.storage.mapping import Row
from netvalve.storage.schema import orders, transactions

_OF_ORDER: Final = (
    "client_order_id",
    "first_six",
    "last_four",
    "brand",
    "payment_type",
    "wallet_type",
    "source",
)

EXPORTED: Final[tuple[Column[Any], ...]] = (
    *(
        (orders if name in _OF_ORDER else transactions).c[name]
        for name in TransactionColumns._fields[:-1]
    ),
    orders.c.details,
)
"""In the order of the record's fields; the customer lies in the details."""


def columns_of(rows: Sequence[Row]) -> TransactionColumns:
    """The columns of rows, of which there is at least one, whichever driver fetched them."""
    *columns, details = zip(*rows, strict=True)
    customers = [orjson.loads(each)["customer"] for each in details]
    return TransactionColumns._make((*columns, customers))
