"""The stream's bytes are those of its rows, whatever a row holds."""

import csv
from dataclasses import replace
from io import StringIO
from itertools import product

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import ACCOUNT, BANK, CARD, IDENTITY, a_transaction, an_order
from netvalve.api.answers.cells import csv_lines, harmless
from netvalve.api.answers.lists import rows_of, transaction_columns
from netvalve.api.answers.streams import NDJSON_FORM, csv_form
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.directory import Directory
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Customer, Details, Order
from netvalve.domain.transaction import Outcome, Transaction, TransactionType
from unit.api.row_by_row import csv_of, ndjson_of, transaction_row

DIRECTORY = Directory.of(
    1, banks=(replace(BANK, name='=Bank "of", it'),), accounts=(replace(ACCOUNT, name="-Shop"),)
)
KINDS = [kind for kind in TransactionType if kind is not TransactionType.INQUIRY]
AMOUNTS = [("USD", 1), ("USD", 1_200), ("JPY", 7), ("KWD", 12_345), ("EUR", 999_999_999_999)]
OUTCOMES = [
    None,
    Outcome("GTW_1000", "00", "TAS390", "S1", "Y", "M"),
    Outcome("GTW_1000", "08", "=1+1"),
    Outcome("GTW_1000", "10", "A,1", approved_minor=500),
    Outcome("BNK_2003", "Z9"),
    Outcome("BNK_2001", "51", ""),
    Outcome("GTW_2054"),
]
CUSTOMERS = [
    Customer(),
    Customer(email="ada@example.com", city='New "York", NY', country="US"),
    Customer(
        email="@x", first_name="Zoë", address="1\n2\r\n3", zip_code="-1", state="\tBerlin 東京"
    ),
    Customer(email="", address=" =2*3", city="\uff1d1", country=""),
]
DETAILS = [
    Details(),
    Details(payment_type="WALLET", wallet_type="GOOGLE_PAY", source="HPP", descriptor="SHOP*1"),
]


def every_row() -> list[tuple[Transaction, Order]]:
    """Each type in each state; beside it the currencies, outcomes and customers in turn."""
    rows = []
    for number, (kind, state) in enumerate(product(KINDS, State)):
        code, amount_minor = AMOUNTS[number % len(AMOUNTS)]
        transaction = a_transaction(
            kind,
            state,
            transaction_id=2**53 - number,
            order_id=5001 + number,
            mid_id=ACCOUNT.mid_id + (number % 5 == 4),
            amount_minor=amount_minor,
            currency=code,
            identity=replace(IDENTITY, rrn=f"{number:012d}"),
            trace_id=f"trace,{number}",
            opened_at_ms=1_731_069_538_140 - 977 * number**2,
            parent_id=number or None,
            outcome=OUTCOMES[number % len(OUTCOMES)],
        )
        order = an_order(
            kind,
            state,
            client_order_id=[None, "o-1", "-1", "ünï,code"][number % 4],
            card=replace(CARD, brand="VISA" if number % 2 else "AMEX", last_four=f"{number:04d}"),
            details=replace(DETAILS[number % 2], customer=CUSTOMERS[number % 3 + number % 2]),
        )
        rows.append((transaction, order))
    return rows


@pytest.mark.parametrize("with_billing", [False, True])
@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
def test_stream_is_what_its_rows_are_one_by_one(with_billing: bool, batch_rows: int) -> None:
    found = every_row()
    rows = [transaction_row(DIRECTORY, *each, with_billing=with_billing) for each in found]
    batches = [
        transaction_columns(
            DIRECTORY,
            TransactionColumns.of(found[first : first + batch_rows]),
            with_billing=with_billing,
        )
        for first in range(0, len(found), batch_rows)
    ]
    table = csv_form(with_billing=with_billing)
    streamed = table.header + b"".join(map(table.encode, batches))
    assert streamed == csv_of(rows, with_billing=with_billing)
    assert b"".join(map(NDJSON_FORM.encode, batches)) == ndjson_of(rows)
    paged = [row for batch in batches for row in rows_of(batch)]
    assert orjson.dumps(paged) == orjson.dumps(rows)


def test_every_property_of_the_rows_is_a_column_of_the_csv() -> None:
    columns = transaction_columns(DIRECTORY, TransactionColumns.of([]), with_billing=True)
    header = csv_form(with_billing=True).header.decode().strip().split(",")
    assert set(columns) - {"billingDetails"} <= set(header)


numbers = st.none() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
texts = st.none() | st.text() | st.text('a=+-@",\t\r\n \uff1d', max_size=4)


@given(st.lists(st.tuples(texts, numbers, texts), min_size=1))
def test_lines_are_those_of_pythons_own_writer(rows: list[tuple[object, ...]]) -> None:
    written = StringIO()
    csv.writer(written).writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    assert csv_lines(list(zip(*rows, strict=True))) == written.getvalue().encode()
