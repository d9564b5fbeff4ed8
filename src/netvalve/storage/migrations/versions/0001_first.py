"""The first schema: configuration, orders, transactions, events, forwards, the vault."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")

_FIRST_NUMBERS = {
    "client": 1,
    "bank": 1,
    "account": 1,
    "api_key": 1,
    "epoch": 1,
    "message": 0,
    "card": 1,
    "transaction": 1001,
    "order": 5001,
}

_APPEND_ONLY = {
    "sqlite": (
        """
        CREATE TRIGGER events_keep BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END
        """,
        """
        CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'events are never changed or deleted'; END $$
        """,
        """
        CREATE TRIGGER events_keep BEFORE UPDATE OR DELETE ON events
        FOR EACH ROW EXECUTE FUNCTION events_refuse()
        """,
    ),
}

_STATISTICS = {
    ("orders", "orders_newest"): "1000000 50000 2 1",
    ("orders", "orders_of_account"): "1000000 50000 10000 2",
    ("orders", "orders_of_last_four"): "1000000 50000 20",
    ("orders", "orders_of_email"): "500000 25000 3",
    ("transactions", "transactions_newest"): "2000000 100000 2 1",
    ("transactions", "transactions_of_order"): "2000000 2",
    ("transactions", "transactions_of_rrn"): "2000000 100000 2",
    ("transactions", "transactions_of_trace"): "2000000 100000 2",
    ("transactions", "transactions_of_parent"): "500000 2",
    ("transactions", "transactions_pending"): "100 1",
}
"""What SQLite may expect of a full store: rows, then rows for each longer part of the key.

Without it a search for one e-mail address would walk a client's whole history, newest first.
"""


def upgrade() -> None:
    """From an empty database."""
    _create_configuration()
    _create_payments()
    _create_indexes()
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
    if op.get_bind().dialect.name == "sqlite":
        _state_statistics()
    op.bulk_insert(
        sa.table("identifiers", sa.column("name"), sa.column("next")),
        [{"name": name, "next": first} for name, first in _FIRST_NUMBERS.items()],
    )
    op.bulk_insert(
        sa.table("configuration", sa.column("row_id"), sa.column("version")),
        [{"row_id": 1, "version": 1}],
    )


def _state_statistics() -> None:
    op.execute("ANALYZE")
    op.bulk_insert(
        sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat")),
        [{"tbl": tbl, "idx": idx, "stat": stat} for (tbl, idx), stat in _STATISTICS.items()],
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _create_configuration() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("netvalve_client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", _FLAG, nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="clients_key"),
        sa.UniqueConstraint("netvalve_client_id", name="clients_netvalve_client_id_unique"),
        sqlite_strict=True,
    )
    op.create_table(
        "sites",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name="sites_key"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name="sites_client_id_fkey"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "banks",
        sa.Column("bank_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("unreachable_code", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("bank_id", name="banks_key"),
        sa.UniqueConstraint("name", name="banks_name_unique"),
        sqlite_strict=True,
    )
    op.create_table(
        "accounts",
        sa.Column("mid_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("netvalve_mid_id", sa.Text(), nullable=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("bank_id", _NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("bank_merchant_id", sa.Text(), nullable=False),
        sa.Column("descriptor", sa.Text(), nullable=False),
        sa.Column("mcc", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text()),
        sa.Column("enabled", _FLAG, nullable=False),
        sa.Column("amount_min_minor", _NUMBER),
        sa.Column("amount_max_minor", _NUMBER),
        sa.Column("required_fields", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("rebill_needs_marker", _FLAG, nullable=False),
        sa.PrimaryKeyConstraint("mid_id", name="accounts_key"),
        sa.UniqueConstraint("netvalve_mid_id", name="accounts_netvalve_mid_id_unique"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name="accounts_site_id_fkey"),
        sa.ForeignKeyConstraint(["bank_id"], ["banks.bank_id"], name="accounts_bank_id_fkey"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="accounts_client_id_fkey"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="api_keys_key"),
        sa.UniqueConstraint("digest", name="api_keys_digest_unique"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="api_keys_client_id_fkey"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "basic_users",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_name", name="basic_users_key"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name="basic_users_client_id_fkey"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "configuration",
        sa.Column("row_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("version", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("row_id", name="configuration_key"),
        sqlite_strict=True,
    )
    op.create_table(
        "identifiers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="identifiers_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("started_at_ms", _NUMBER, nullable=False),
        sa.Column("lease_until_ms", _NUMBER),
        sa.PrimaryKeyConstraint("node", name="nodes_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_payments() -> None:
    op.create_table(
        "cards",
        sa.Column("card_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", _NUMBER, nullable=False),
        sa.Column("key_day", _NUMBER, nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("first_six", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("card_id", name="cards_key"),
        sa.UniqueConstraint("client_id", "digest", name="cards_client_id_digest_unique"),
        sqlite_strict=True,
    )
    op.create_table(
        "events",
        sa.Column("transaction_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("sequence", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_ms", _NUMBER, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("mti", sa.Text()),
        sa.Column("transmitted_at", sa.Text()),
        sa.Column("stan", sa.Text()),
        sa.Column("rrn", sa.Text()),
        sa.Column("terminal_id", sa.Text()),
        sa.Column("response_code_39", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("transaction_id", "sequence", name="events_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forwards",
        sa.Column("transaction_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next_attempt_at_ms", _NUMBER, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("done_at_ms", _NUMBER),
        sa.PrimaryKeyConstraint("transaction_id", "kind", name="forwards_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_keys",
        sa.Column("client_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("order_id", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "client_order_id", name="order_keys_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("order_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("mid_id", _NUMBER, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", _NUMBER, nullable=False),
        sa.Column("authorised_minor", _NUMBER, nullable=False),
        sa.Column("captured_minor", _NUMBER, nullable=False),
        sa.Column("refunded_minor", _NUMBER, nullable=False),
        sa.Column("reserved_minor", _NUMBER, nullable=False),
        sa.Column("card_id", _NUMBER, nullable=False),
        sa.Column("first_six", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("expiry_month", sa.Text(), nullable=False),
        sa.Column("expiry_year", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text()),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("created_at_ms", _NUMBER, nullable=False),
        sa.Column("updated_at_ms", _NUMBER, nullable=False),
        sa.Column("opening_id", _NUMBER, nullable=False),
        sa.Column("charge_id", _NUMBER),
        sa.Column("in_flight_id", _NUMBER),
        sa.Column("client_order_id", sa.Text()),
        sa.Column("site_id", sa.Text()),
        sa.Column("email_folded", sa.Text()),
        sa.Column("first_name_folded", sa.Text()),
        sa.Column("last_name_folded", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("descriptor", sa.Text()),
        sa.Column("payment_type", sa.Text(), nullable=False),
        sa.Column("wallet_type", sa.Text()),
        sa.Column("three_ds", _FLAG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="orders_key"),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND reserved_minor >= 0"
            " AND refunded_minor + reserved_minor <= captured_minor",
            name="orders_money",
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "transactions",
        sa.Column("transaction_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("order_id", _NUMBER, nullable=False),
        sa.Column("client_id", _NUMBER, nullable=False),
        sa.Column("mid_id", _NUMBER, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", _NUMBER, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("transmitted_at", sa.Text(), nullable=False),
        sa.Column("stan", sa.Text(), nullable=False),
        sa.Column("rrn", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("opened_at_ms", _NUMBER, nullable=False),
        sa.Column("parent_id", _NUMBER),
        sa.Column("closed_at_ms", _NUMBER),
        sa.Column("response_code", sa.Text()),
        sa.Column("bank_response_code", sa.Text()),
        sa.Column("auth_code", sa.Text()),
        sa.Column("scheme_transaction_id", sa.Text()),
        sa.Column("avs_result", sa.Text()),
        sa.Column("cvv2_result", sa.Text()),
        sa.Column("approved_minor", _NUMBER),
        sa.Column("final_capture", _FLAG, nullable=False),
        sa.Column("mti", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("owner_epoch", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name="transactions_key"),
        sqlite_strict=True,
    )


def _create_indexes() -> None:
    _partial_index("forwards_due", "forwards", ["kind", "next_attempt_at_ms"], "done_at_ms IS NULL")
    op.create_index("orders_newest", "orders", ["client_id", "created_at_ms", "order_id"])
    op.create_index("orders_of_account", "orders", ["client_id", "mid_id", "created_at_ms"])
    _partial_index(
        "orders_of_email", "orders", ["client_id", "email_folded"], "email_folded IS NOT NULL"
    )
    op.create_index("orders_of_last_four", "orders", ["client_id", "last_four"])
    op.create_index(
        "transactions_newest", "transactions", ["client_id", "opened_at_ms", "transaction_id"]
    )
    op.create_index("transactions_of_order", "transactions", ["order_id"])
    _partial_index("transactions_of_parent", "transactions", ["parent_id"], "parent_id IS NOT NULL")
    op.create_index("transactions_of_rrn", "transactions", ["client_id", "rrn"])
    op.create_index("transactions_of_trace", "transactions", ["client_id", "trace_id"])
    _partial_index("transactions_pending", "transactions", ["transaction_id"], "state = 'PENDING'")
