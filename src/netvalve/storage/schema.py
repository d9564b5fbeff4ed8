"""The tables, once for both databases.

Times are integer milliseconds since 1970-01-01 UTC and end in `_ms`, money is integer minor
units and ends in `_minor`. What an enquiry filters by is a column; the rest of what a merchant
sent lies in JSON text. Texts that compare in any case of letters are kept folded beside it.

Each index of `orders`, `transactions` and `order_keys` costs on every payment: one is here only
where an enquiry would otherwise read a client's whole history.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

METADATA: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_key",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both; SQLite's own name for it makes a primary key the row's address."""
_FLAG: Final = Boolean().with_variant(Integer(), "sqlite")
_TEXT: Final = Text()
_BYTES: Final = LargeBinary()


def _number(name: str) -> Column[int]:
    return Column(name, _NUMBER, nullable=False, autoincrement=False)


def _optional_number(name: str) -> Column[int]:
    return Column(name, _NUMBER)


def _id(name: str) -> Column[int]:
    return Column(name, _NUMBER, primary_key=True, autoincrement=False)


def _reference(name: str, target: str) -> Column[int]:
    return Column(name, _NUMBER, ForeignKey(target), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, _TEXT, nullable=False)


def _optional_text(name: str) -> Column[str]:
    return Column(name, _TEXT)


def _flag(name: str) -> Column[bool]:
    return Column(name, _FLAG, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, _BYTES, nullable=False)


clients: Final = Table(
    "clients",
    METADATA,
    _id("client_id"),
    _text("netvalve_client_id"),
    _text("name"),
    _flag("enabled"),
    _optional_number("requests_per_s"),
    UniqueConstraint("netvalve_client_id"),
    sqlite_strict=True,
)

sites: Final = Table(
    "sites",
    METADATA,
    Column("site_id", _TEXT, primary_key=True),
    _reference("client_id", "clients.client_id"),
    _text("name"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

banks: Final = Table(
    "banks",
    METADATA,
    _id("bank_id"),
    _text("name"),
    _text("capabilities"),
    _text("unreachable_code"),
    _text("host"),
    _number("port"),
    UniqueConstraint("name"),
    sqlite_strict=True,
)

accounts: Final = Table(
    "accounts",
    METADATA,
    _id("mid_id"),
    _text("netvalve_mid_id"),
    _reference("client_id", "clients.client_id"),
    _reference("bank_id", "banks.bank_id"),
    _text("name"),
    _text("currency"),
    _text("bank_merchant_id"),
    _text("descriptor"),
    _text("mcc"),
    _text("country"),
    Column("site_id", _TEXT, ForeignKey("sites.site_id")),
    _flag("enabled"),
    _optional_number("amount_min_minor"),
    _optional_number("amount_max_minor"),
    _text("required_fields"),
    _text("permissions"),
    _text("channels"),
    _flag("rebill_needs_marker"),
    _optional_number("hold_days"),
    UniqueConstraint("netvalve_mid_id"),
    sqlite_strict=True,
)

api_keys: Final = Table(
    "api_keys",
    METADATA,
    _id("key_id"),
    _reference("client_id", "clients.client_id"),
    _bytes("digest"),
    UniqueConstraint("digest"),
    sqlite_strict=True,
)

basic_users: Final = Table(
    "basic_users",
    METADATA,
    Column("user_name", _TEXT, primary_key=True),
    _reference("client_id", "clients.client_id"),
    _bytes("digest"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

configuration: Final = Table(
    "configuration",
    METADATA,
    _id("row_id"),
    _number("version"),
    sqlite_strict=True,
)
"""One row, 1. Its version rises with every change to the tables above."""

identifiers: Final = Table(
    "identifiers",
    METADATA,
    Column("name", _TEXT, primary_key=True),
    _number("next"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The first number of each kind that nobody has leased."""

nodes: Final = Table(
    "nodes",
    METADATA,
    _id("epoch"),
    _text("node"),
    _number("started_at_ms"),
    _number("lease_until_ms"),
    sqlite_strict=True,
)
"""Each start of a gateway, under an epoch of its own. It lives until its lease runs out: what an
epoch without a running lease has left open is taken over."""

batches: Final = Table(
    "batches",
    METADATA,
    _number("epoch"),
    _text("writer"),
    _number("session"),
    _number("batch"),
    _text("verdicts"),
    PrimaryKeyConstraint("epoch", "writer"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The last batch of each journal writer with a verdict an item, written in the batch's own commit:
where a commit's answer was lost it is looked up here. A session that is over writes nothing more.

SQLite, whose writer lives and dies with its database, leaves it empty.
"""

allowances: Final = Table(
    "allowances",
    METADATA,
    _id("client_id"),
    _number("second"),
    _number("used"),
    sqlite_strict=True,
)
"""How many requests of a limited client its gateways have had counted in the present second.

SQLite, whose one process counts in memory, leaves it empty.
"""

archived_months: Final = Table(
    "archived_months",
    METADATA,
    _id("month"),
    _number("detached_at_ms"),
    sqlite_strict=True,
)
"""Months whose orders, transactions and events were taken out of the tables (PostgreSQL)."""

compatibility: Final = Table(
    "compatibility",
    METADATA,
    _id("row_id"),
    _text("oldest_revision"),
    sqlite_strict=True,
)
"""One row, 1: the oldest schema revision whose release still runs on this schema."""

cards: Final = Table(
    "cards",
    METADATA,
    _id("card_id"),
    _number("client_id"),
    _bytes("digest"),
    _number("key_version"),
    _number("key_day"),
    _bytes("nonce"),
    _bytes("ciphertext"),
    _text("first_six"),
    _text("last_four"),
    UniqueConstraint("client_id", "digest"),
    sqlite_strict=True,
)

order_keys: Final = Table(
    "order_keys",
    METADATA,
    _number("client_id"),
    _text("client_order_id"),
    _number("order_id"),
    PrimaryKeyConstraint("client_id", "client_order_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""A merchant's order number, used once for ever: narrow, and never partitioned."""

orders: Final = Table(
    "orders",
    METADATA,
    _id("order_id"),
    _number("client_id"),
    _number("mid_id"),
    _text("type"),
    _text("state"),
    _text("currency"),
    _number("amount_minor"),
    _number("authorised_minor"),
    _number("captured_minor"),
    _number("refunded_minor"),
    _number("reserved_minor"),
    _number("card_id"),
    _text("first_six"),
    _text("last_four"),
    _text("brand"),
    _text("expiry_month"),
    _text("expiry_year"),
    _optional_text("holder_name"),
    _text("trace_id"),
    _number("created_at_ms"),
    _number("updated_at_ms"),
    _number("opening_id"),
    _optional_number("charge_id"),
    _optional_number("in_flight_id"),
    _optional_text("client_order_id"),
    _optional_text("site_id"),
    _optional_text("email_folded"),
    _optional_text("first_name_folded"),
    _optional_text("last_name_folded"),
    _optional_text("country"),
    _optional_text("descriptor"),
    _text("payment_type"),
    _optional_text("wallet_type"),
    _flag("three_ds"),
    _text("source"),
    _text("details"),
    _optional_number("expires_at_ms"),
    CheckConstraint(
        "refunded_minor >= 0 AND reserved_minor >= 0"
        " AND refunded_minor + reserved_minor <= captured_minor",
        name="orders_money",
    ),
    sqlite_strict=True,
)

Index("orders_newest", orders.c.client_id, orders.c.created_at_ms, orders.c.order_id)
Index(
    "orders_of_group",
    orders.c.client_id,
    orders.c.mid_id,
    orders.c.type,
    orders.c.state,
    orders.c.currency,
    orders.c.created_at_ms,
    orders.c.order_id,
)
for _name, _column in (
    ("orders_of_last_four_by_time", orders.c.last_four),
    ("orders_of_first_six", orders.c.first_six),
    ("orders_of_email_by_time", orders.c.email_folded),
    ("orders_of_first_name", orders.c.first_name_folded),
    ("orders_of_last_name", orders.c.last_name_folded),
    ("orders_of_country", orders.c.country),
    ("orders_of_site", orders.c.site_id),
):
    _there = _column.is_not(None) if _column.nullable else None
    Index(
        _name,
        orders.c.client_id,
        _column,
        orders.c.created_at_ms,
        orders.c.order_id,
        orders.c.opening_id,
        orders.c.currency,
        orders.c.mid_id,
        orders.c.type,
        sqlite_where=_there,
        postgresql_where=_there,
    )

Index(
    "orders_of_amount",
    orders.c.client_id,
    orders.c.amount_minor,
    orders.c.currency,
    orders.c.created_at_ms,
    orders.c.order_id,
    orders.c.opening_id,
)

_uncaptured = and_(
    orders.c.expires_at_ms.is_not(None),
    orders.c.state == "APPROVED",
    orders.c.in_flight_id.is_(None),
)
Index(
    "orders_expiring",
    orders.c.mid_id,
    orders.c.expires_at_ms,
    sqlite_where=_uncaptured,
    postgresql_where=_uncaptured,
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    METADATA,
    _number("client_id"),
    _text("idempotency_key"),
    _number("transaction_id"),
    _text("operation"),
    _text("digests"),
    _number("created_at_ms"),
    PrimaryKeyConstraint("client_id", "idempotency_key"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""A merchant's key of a request that opened a transaction, with the keyed digest of each of the
body's fields. It ends after a stated time: narrow, and never partitioned."""

Index("idempotency_keys_oldest", idempotency_keys.c.created_at_ms)

transactions: Final = Table(
    "transactions",
    METADATA,
    _id("transaction_id"),
    _number("order_id"),
    _number("client_id"),
    _number("mid_id"),
    _text("type"),
    _text("state"),
    _number("amount_minor"),
    _text("currency"),
    _text("transmitted_at"),
    _text("stan"),
    _text("rrn"),
    _text("terminal_id"),
    _text("trace_id"),
    _number("opened_at_ms"),
    _optional_number("parent_id"),
    _optional_number("closed_at_ms"),
    _optional_text("response_code"),
    _optional_text("bank_response_code"),
    _optional_text("auth_code"),
    _optional_text("scheme_transaction_id"),
    _optional_text("avs_result"),
    _optional_text("cvv2_result"),
    _optional_number("approved_minor"),
    _flag("final_capture"),
    _text("mti"),
    _text("node"),
    _number("owner_epoch"),
    sqlite_strict=True,
)

Index(
    "transactions_newest",
    transactions.c.client_id,
    transactions.c.opened_at_ms,
    transactions.c.transaction_id,
)
Index(
    "transactions_of_group",
    transactions.c.client_id,
    transactions.c.mid_id,
    transactions.c.type,
    transactions.c.state,
    transactions.c.currency,
    transactions.c.opened_at_ms,
    transactions.c.transaction_id,
)
Index(
    "transactions_of_order_by_time",
    transactions.c.order_id,
    transactions.c.client_id,
    transactions.c.opened_at_ms,
    transactions.c.transaction_id,
)
Index("transactions_of_rrn", transactions.c.client_id, transactions.c.rrn)
Index("transactions_of_trace", transactions.c.client_id, transactions.c.trace_id)
for _name, _column in (
    ("transactions_of_auth_code", transactions.c.auth_code),
    ("transactions_of_scheme", transactions.c.scheme_transaction_id),
):
    Index(
        _name,
        transactions.c.client_id,
        _column,
        sqlite_where=_column.is_not(None),
        postgresql_where=_column.is_not(None),
    )
Index(
    "transactions_of_parent",
    transactions.c.parent_id,
    sqlite_where=transactions.c.parent_id.is_not(None),
    postgresql_where=transactions.c.parent_id.is_not(None),
)
Index(
    "transactions_pending",
    transactions.c.owner_epoch,
    transactions.c.transaction_id,
    sqlite_where=transactions.c.state == "PENDING",
    postgresql_where=transactions.c.state == "PENDING",
)

follow_ups: Final = Table(
    "follow_ups",
    METADATA,
    _number("order_id"),
    _number("transaction_id"),
    _number("client_id"),
    _number("opened_at_ms"),
    _number("mid_id"),
    _text("type"),
    _text("currency"),
    _number("amount_minor"),
    _text("first_six"),
    _text("last_four"),
    _optional_text("email_folded"),
    _optional_text("first_name_folded"),
    _optional_text("last_name_folded"),
    _optional_text("country"),
    _optional_text("site_id"),
    PrimaryKeyConstraint("order_id", "transaction_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Every transaction that did not open its order, with what its order is listed by; none of it
changes. The database's own triggers write it. See `payers`."""

for _column in (
    follow_ups.c.last_four,
    follow_ups.c.first_six,
    follow_ups.c.email_folded,
    follow_ups.c.first_name_folded,
    follow_ups.c.last_name_folded,
    follow_ups.c.country,
    follow_ups.c.site_id,
):
    _there = _column.is_not(None) if _column.nullable else None
    Index(
        f"follow_ups_of_{_column.name.removesuffix('_folded')}",
        follow_ups.c.client_id,
        _column,
        follow_ups.c.opened_at_ms,
        follow_ups.c.transaction_id,
        follow_ups.c.currency,
        follow_ups.c.mid_id,
        follow_ups.c.type,
        sqlite_where=_there,
        postgresql_where=_there,
    )

Index(
    "follow_ups_of_amount",
    follow_ups.c.client_id,
    follow_ups.c.amount_minor,
    follow_ups.c.currency,
    follow_ups.c.opened_at_ms,
    follow_ups.c.transaction_id,
)

followed_orders: Final = Table(
    "followed_orders",
    METADATA,
    _id("order_id"),
    _number("client_id"),
    _number("created_at_ms"),
    _number("mid_id"),
    _text("course"),
    _text("state"),
    _text("currency"),
    sqlite_strict=True,
)
"""Every order with follow-ups. Its course is the type and state of all its transactions, each pair
once: ` AUTHORIZATION:CAPTURED CAPTURE:APPROVED `. The database's own triggers keep it."""

Index(
    "followed_orders_of_group",
    followed_orders.c.client_id,
    followed_orders.c.mid_id,
    followed_orders.c.course,
    followed_orders.c.state,
    followed_orders.c.currency,
    followed_orders.c.created_at_ms,
    followed_orders.c.order_id,
)

_GROUP: Final = ("mid_id", "type", "state", "currency")


def _group() -> tuple[Column[int], Column[str], Column[str], Column[str]]:
    return _number("mid_id"), _text("type"), _text("state"), _text("currency")


tallies: Final = Table(
    "tallies",
    METADATA,
    _number("client_id"),
    _text("listing"),
    _number("span_h"),
    _number("span"),
    *_group(),
    _number("rows"),
    PrimaryKeyConstraint("client_id", "listing", "span_h", "span", *_GROUP),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""How many rows of a group (the columns from the account to the currency) were created in a span
of hours: in each hour, each day and each 32 days, counted from 1970. See `tallies.py`."""

tally_changes: Final = Table(
    "tally_changes",
    METADATA,
    _number("client_id"),
    _text("listing"),
    _number("hour"),
    *_group(),
    _number("rows"),
    sqlite_strict=True,
)
"""What is not in the tallies yet. The database's own triggers write it, in the commit of whatever
changes orders or transactions; it is folded into the tallies soon after."""

events: Final = Table(
    "events",
    METADATA,
    _number("transaction_id"),
    _number("sequence"),
    _text("event"),
    _text("state"),
    _number("at_ms"),
    _text("node"),
    _optional_text("mti"),
    _optional_text("transmitted_at"),
    _optional_text("stan"),
    _optional_text("rrn"),
    _optional_text("terminal_id"),
    _optional_text("response_code_39"),
    _optional_text("detail"),
    PrimaryKeyConstraint("transaction_id", "sequence"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What happened, never changed: the database itself refuses to update or delete a row."""

forwards: Final = Table(
    "forwards",
    METADATA,
    _number("transaction_id"),
    _text("kind"),
    _number("next_attempt_at_ms"),
    _number("attempts"),
    _optional_number("done_at_ms"),
    _number("bank_id"),
    _text("transmitted_at"),
    _text("stan"),
    _text("rrn"),
    _text("terminal_id"),
    _text("original_rrn"),
    _number("owner_epoch"),
    _optional_text("refused_39"),
    _optional_text("resolution"),
    _optional_text("resolution_reason"),
    PrimaryKeyConstraint("transaction_id", "kind"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Messages to be sent until their bank answers, by the gateway whose epoch they carry.

`refused_39` is what the bank last said where it will not do what it is told; a resolution is an
operator's word that ends the message by hand.
"""

Index("forwards_original", forwards.c.original_rrn)

_resolved = and_(forwards.c.done_at_ms.is_(None), forwards.c.resolution.is_not(None))
Index(
    "forwards_resolved",
    forwards.c.owner_epoch,
    forwards.c.transaction_id,
    sqlite_where=_resolved,
    postgresql_where=_resolved,
)

Index(
    "forwards_due",
    forwards.c.owner_epoch,
    forwards.c.bank_id,
    forwards.c.next_attempt_at_ms,
    sqlite_where=forwards.c.done_at_ms.is_(None),
    postgresql_where=forwards.c.done_at_ms.is_(None),
)
