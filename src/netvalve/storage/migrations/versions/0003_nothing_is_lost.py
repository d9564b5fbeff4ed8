"""Leases by epoch, owners of stored messages, idempotency keys, and the end of a hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNCAPTURED = sa.text("expires_at_ms IS NOT NULL AND state = 'APPROVED' AND in_flight_id IS NULL")
_HOLD_MS = 7 * 86_400_000
"""Of every brand, at this revision."""
_RESOLVED = sa.text("done_at_ms IS NULL AND resolution IS NOT NULL")
_PENDING = sa.text("state = 'PENDING'")
_WAITING = sa.text("done_at_ms IS NULL")
_DUE = ("bank_id", "next_attempt_at_ms")
_STATE_STATISTICS = """
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
('transactions', 'transactions_pending', '100 50 1'),
('forwards', 'forwards_due', '1000 500 100 1'),
('forwards', 'forwards_resolved', '2 1 1')
"""
_FORWARD_TEXTS = ("refused_39", "resolution", "resolution_reason")


def upgrade() -> None:
    """No gateway runs meanwhile: whatever a start before this one owns is taken over."""
    op.drop_table("nodes")
    op.create_table(
        "nodes",
        sa.Column("epoch", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("started_at_ms", _NUMBER, nullable=False),
        sa.Column("lease_until_ms", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="nodes_key"),
        sqlite_strict=True,
    )
    op.add_column("accounts", sa.Column("hold_days", _NUMBER))
    op.add_column("orders", sa.Column("expires_at_ms", _NUMBER))
    op.execute(
        f"UPDATE orders SET expires_at_ms = created_at_ms + {_HOLD_MS} "  # noqa: S608  # a constant
        "WHERE type = 'AUTHORIZATION' AND state IN ('PENDING', 'APPROVED')"
    )
    op.create_index(
        "orders_expiring",
        "orders",
        ["mid_id", "expires_at_ms"],
        sqlite_where=_UNCAPTURED,
        postgresql_where=_UNCAPTURED,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("client_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("transaction_id", _NUMBER, nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("digests", sa.Text(), nullable=False),
        sa.Column("created_at_ms", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "idempotency_key", name="idempotency_keys_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_keys_oldest", "idempotency_keys", ["created_at_ms"])
    op.add_column("forwards", sa.Column("owner_epoch", _NUMBER, nullable=False, server_default="0"))
    op.execute(
        "UPDATE forwards SET owner_epoch = COALESCE((SELECT t.owner_epoch FROM transactions t "
        "WHERE t.transaction_id = forwards.transaction_id), 0)"
    )
    _lead_by_owner()
    for name in _FORWARD_TEXTS:
        op.add_column("forwards", sa.Column(name, sa.Text()))
    op.create_index(
        "forwards_resolved",
        "forwards",
        ["owner_epoch", "transaction_id"],
        sqlite_where=_RESOLVED,
        postgresql_where=_RESOLVED,
    )


def _lead_by_owner() -> None:
    """What waits is found by its owner first; SQLite is told what to expect of the new key."""
    _partial_index("forwards_due", "forwards", ["owner_epoch", *_DUE], _WAITING)
    _partial_index(
        "transactions_pending", "transactions", ["owner_epoch", "transaction_id"], _PENDING
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_STATE_STATISTICS)


def _partial_index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    """In place of the one of that name."""
    op.drop_index(name, table)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Takes them away."""
    _partial_index("forwards_due", "forwards", [*_DUE], _WAITING)
    _partial_index("transactions_pending", "transactions", ["transaction_id"], _PENDING)
    op.drop_index("forwards_resolved", "forwards")
    for name in (*_FORWARD_TEXTS, "owner_epoch"):
        op.drop_column("forwards", name)
    op.drop_index("idempotency_keys_oldest", "idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("orders_expiring", "orders")
    op.drop_column("orders", "expires_at_ms")
    op.drop_column("accounts", "hold_days")
    op.drop_table("nodes")
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
