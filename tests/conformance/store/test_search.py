"""Enquiries: every filter of a search filters, on listings of orders and of transactions."""

from dataclasses import fields

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, follow_up, payment, refund_closing
from conformance.store.seated import SeatedStore
from netvalve.domain.client import MerchantAccount
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.order import Customer, Details, ThreeDS
from netvalve.domain.search import PageRequest, Search
from netvalve.domain.transaction import TransactionType
from netvalve.storage.administration import Administration

ALL = PageRequest(0, 100)
RICH = Details(
    customer=Customer("Zoë", "Öst", country="SE", email="Zoe@X.se"),
    three_ds=ThreeDS(eci="05"),
    descriptor="SHOES*1",
    payment_type="WALLET",
    wallet_type="GOOGLE_PAY",
    source="HPP",
)
SITE = "0ff00000-0000-4000-8000-00000000000a"
MID = "5a4db0c0-0000-4000-8000-00000000000a"


@pytest.fixture
async def rows(store: SeatedStore, pay: Pay, administration: Administration) -> dict[str, int]:
    """The numbers of the rows by the names that the cases below use.

    `rich` is what every filter can find, and has a refund; `plain` and `yen` differ from it.
    """
    client = administration.add_client("Shop")
    banks = [
        administration.add_bank(name, host="::1", port=1, unreachable_code="GTW_2052")
        for name in ("first", "second")
    ]
    for mid_id, bank in enumerate(banks, 1):
        administration.add_account(
            MerchantAccount(
                mid_id=mid_id,
                netvalve_mid_id=MID if mid_id == 2 else "",
                client_id=client.client_id,
                bank_id=bank.bank_id,
                name="account",
                currency="USD",
                bank_merchant_id="1",
                descriptor="SHOP",
                mcc="5999",
                country="US",
            )
        )
    rich = await pay(
        payment(
            client_order_id="A-1",
            at_ms=NOW_MS + 10_000,
            mid_id=2,
            site_id=SITE,
            number="5555555555554444",
            brand="MASTERCARD",
            details=RICH,
            trace_id="T-rich",
            rrn="516812777777",
            parent_id=77,
        )
    )
    plain = payment(TransactionType.AUTHORIZATION, client_order_id="A-2", amount_minor=500)
    await store.journal.open(plain.opening)
    yen = await pay(
        payment(currency="JPY", amount_minor=12, at_ms=NOW_MS - 10_000, number="4111111111111111")
    )
    await pay(payment(client_id=2, client_order_id="A-1"))
    refundable = sources_of(Event.REFUNDED)
    refund = follow_up(rich, TransactionType.REFUND, refundable, amount_minor=300)
    await store.journal.open(refund.opening)
    await store.journal.close(refund_closing(refund, Event.PARTIALLY_REFUNDED))
    return {
        "rich": rich.order.order_id,
        "rich_sale": rich.transaction.transaction_id,
        "plain": plain.order.order_id,
        "plain_authorization": plain.transaction.transaction_id,
        "yen": yen.order.order_id,
        "yen_sale": yen.transaction.transaction_id,
        "refund": refund.transaction.transaction_id,
    }


RICH_ROWS = (("rich",), ("refund", "rich_sale"))
EVERY_ROW = (("rich", "plain", "yen"), ("refund", "rich_sale", "plain_authorization", "yen_sale"))
CASES: list[tuple[str, object, tuple[tuple[str, ...], tuple[str, ...]]]] = [
    ("from_ms", NOW_MS + 10_000, RICH_ROWS),
    ("from_ms", NOW_MS - 10_000, EVERY_ROW),
    ("to_ms", NOW_MS - 10_000, (("yen",), ("yen_sale",))),
    ("email", "zOE@x.SE", RICH_ROWS),
    ("email", "zoe@x.s", ((), ())),
    ("first_name", "ZOË", RICH_ROWS),
    ("last_name", "öST", RICH_ROWS),
    ("first_six", "555555", RICH_ROWS),
    ("last_four", "4444", RICH_ROWS),
    ("bin", "55", RICH_ROWS),
    ("bin", "55555555", RICH_ROWS),
    ("bin", "5%", ((), ())),
    ("bin", "5_5555", ((), ())),
    ("order_id", "rich", RICH_ROWS),
    ("order_id", 2**70, ((), ())),
    ("transaction_id", "refund", (("rich",), ("refund",))),
    ("transaction_reference_id", "rich_sale", (("rich",), ("refund",))),
    ("transaction_reference_id", 77, (("rich",), ("rich_sale",))),
    ("order_status", "partially refunded", RICH_ROWS),
    ("order_status", "Pending", (("plain",), ("plain_authorization",))),
    ("order_status", "Purchased", (("yen",), ("yen_sale",))),
    ("order_status", "Sunny", ((), ())),
    ("transaction_status", "Refunded", (("rich",), ("refund",))),
    ("transaction_status", "Purchased", (("rich", "yen"), ("rich_sale", "yen_sale"))),
    ("transaction_status", "nonsense", ((), ())),
    ("transaction_types", (TransactionType.REFUND,), (("rich",), ("refund",))),
    (
        "transaction_types",
        (TransactionType.REFUND, TransactionType.AUTHORIZATION),
        (("rich", "plain"), ("refund", "plain_authorization")),
    ),
    ("mid_id", 2, RICH_ROWS),
    ("site_id", SITE, RICH_ROWS),
    ("site_id", SITE.upper(), RICH_ROWS),
    ("site_id", "5", ((), ())),
    ("sites", (SITE, "another"), RICH_ROWS),
    ("sites", ("another",), ((), ())),
    ("netvalve_mid_id", MID.upper(), RICH_ROWS),
    ("bank_id", 2, RICH_ROWS),
    ("client_order_id", "A-1", RICH_ROWS),
    ("client_order_id", "a-1", ((), ())),
    ("card_type", "MASTERCARD", RICH_ROWS),
    ("currency", "JPY", (("yen",), ("yen_sale",))),
    ("country", "SE", RICH_ROWS),
    ("descriptor", "SHOES*1", RICH_ROWS),
    ("amount_min", "12", (("rich", "yen"), ("rich_sale", "yen_sale"))),
    ("amount_min", "12.001", ((), ())),
    ("amount_max", "5.009", (("plain",), ("refund", "plain_authorization"))),
    ("amount_max", "1e99", EVERY_ROW),
    ("trace_id", "T-rich", (("rich",), ("rich_sale",))),
    ("payment_type", "WALLET", RICH_ROWS),
    ("wallet_type", "GOOGLE_PAY", RICH_ROWS),
    ("three_ds", True, RICH_ROWS),
    ("three_ds", False, (("plain", "yen"), ("plain_authorization", "yen_sale"))),
    ("auth_code", "TAS390", (("rich", "yen"), ("refund", "rich_sale", "yen_sale"))),
    ("rrn", "516812777777", RICH_ROWS),
    ("scheme_transaction_id", "SCHEME1", (("rich", "yen"), ("refund", "rich_sale", "yen_sale"))),
    ("source", "HPP", RICH_ROWS),
    ("only_settled", True, (("rich", "yen"), ("rich_sale", "yen_sale"))),
]


async def test_every_filter_filters_orders_transactions_and_exports(
    store: SeatedStore, rows: dict[str, int]
) -> None:
    for name, given, (orders, transactions) in CASES:
        value = rows[given] if given in ("rich", "rich_sale", "refund") else given
        search = Search(CLIENT, **{name: value})  # type: ignore[arg-type]  # one field of many
        found = await store.records.orders(search, ALL)
        assert [each.order_id for each in found.rows] == [rows[key] for key in orders], (
            name,
            given,
        )
        assert found.total == len(orders), (name, given)
        listed = await store.records.transactions(search, ALL)
        expected = [rows[key] for key in transactions]
        assert [each.transaction_id for each, _ in listed.rows] == expected, (name, given)
        assert listed.total == len(transactions), (name, given)
        batches = store.records.export(search, lambda columns: columns.transaction_id)
        exported = [each async for batch in batches for each in batch]
        assert exported == expected, (name, given)


@pytest.mark.usefixtures("rows")
async def test_filters_on_transactions_must_hold_for_one_of_them(store: SeatedStore) -> None:
    both = Search(CLIENT, transaction_types=(TransactionType.SALE,), transaction_status="Refunded")
    assert (await store.records.orders(both, ALL)).total == 0
    together = Search(CLIENT, card_type="MASTERCARD", amount_max="3", auth_code="TAS390")
    assert (await store.records.transactions(together, ALL)).total == 1


def test_every_field_of_a_search_has_a_case() -> None:
    assert {each.name for each in fields(Search)} - {"client_id"} == {name for name, _, _ in CASES}


async def test_an_amount_that_is_no_number_is_refused(store: SeatedStore) -> None:
    for amount in ("eighty", "NaN"):
        with pytest.raises(ValueError, match="amount_min"):
            await store.records.orders(Search(CLIENT, amount_min=amount), ALL)
