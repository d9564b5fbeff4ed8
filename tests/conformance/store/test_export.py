"""What an export reads and when: the same as a page, off the loop, little ahead of its reader."""

import asyncio
import threading
from collections.abc import Mapping
from types import ModuleType

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.order import Customer, Details
from netvalve.domain.search import PageRequest, Search
from netvalve.domain.transaction import TransactionType

EVERYTHING = Search(CLIENT)


def sent(customer: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in customer.items() if value is not None}


@pytest.fixture
async def rows(store: SeatedStore, pay: Pay) -> None:
    """Paid, pending, rich and poor in details."""
    rich = Details(
        customer=Customer(email="Ada@Example.com", city='"Köln"', zip_code="\n1"),
        description="Shoes",
        payment_type="WALLET",
        wallet_type="GOOGLE_PAY",
        source="HPP",
        additional_data={"email": "another@example.com"},
    )
    await pay(payment(details=rich, client_order_id="o-1", parent_id=7, brand="MASTERCARD"))
    await pay(payment(TransactionType.AUTHORIZATION, at_ms=NOW_MS + 1, currency="KWD"))
    await store.journal.open(payment(at_ms=NOW_MS + 2, amount_minor=1).opening, lambda: True)


@pytest.mark.usefixtures("rows")
async def test_an_export_reads_what_a_page_reads(store: SeatedStore) -> None:
    page = await store.records.transactions(EVERYTHING, PageRequest(0, 10))
    shown = TransactionColumns.of(page.rows)
    (exported,) = [each async for each in store.records.export(EVERYTHING, lambda rows: rows)]
    assert exported._fields == shown._fields
    for name, column in exported._asdict().items():
        if name != "customer":
            assert list(column) == list(getattr(shown, name)), name
    assert list(map(sent, exported.customer)) == list(map(sent, shown.customer))
    assert exported.customer[-1]["email"] == "Ada@Example.com"


@pytest.mark.usefixtures("rows")
async def test_rows_are_formed_beside_the_loop_one_batch_after_another(
    store: SeatedStore, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    forming = threading.Lock()

    def formed(rows: TransactionColumns) -> tuple[int, int]:
        assert forming.acquire(blocking=False)
        try:
            return threading.get_ident(), rows.opened_at_ms[0] - NOW_MS
        finally:
            forming.release()

    made = [each async for each in store.records.export(EVERYTHING, formed)]
    assert threading.get_ident() not in {thread for thread, _ in made}
    assert [at for _, at in made] == [2, 1, 0]


@pytest.mark.usefixtures("rows")
async def test_an_export_is_no_more_than_a_batch_ahead_of_its_reader(
    store: SeatedStore, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    formed: list[int] = []

    def form(rows: TransactionColumns) -> int:
        formed.append(rows.transaction_id[0])
        return formed[-1]

    export = store.records.export(EVERYTHING, form)
    first = await anext(export)
    await asyncio.sleep(0.05)
    assert first == formed[0]
    assert len(formed) <= 2
    await export.aclose()
