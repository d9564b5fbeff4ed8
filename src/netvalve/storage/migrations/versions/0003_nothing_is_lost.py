"""Leases by epoch, owners of stored messages, idempotency keys, and the end of a hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNCAPTURED = sa.text("expires_at_ms IS NOT NULL AND state = 'APPROVED'")
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
    op.create_index(
        "orders_expiring",
        "orders",
        ["expires_at_ms"],
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
    for name in _FORWARD_TEXTS:
        op.add_column("forwards", sa.Column(name, sa.Text()))


def downgrade() -> None:
    """Takes them away."""
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
