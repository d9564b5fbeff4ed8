"""Stored messages keep their own identity, their bank, and the RRN of what they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_IDENTITY = ("transmitted_at", "stan", "rrn", "terminal_id", "original_rrn")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("done_at_ms IS NULL")


def upgrade() -> None:
    """Adds the columns; a row of the first revision names its transaction's message."""
    op.add_column("forwards", sa.Column("bank_id", _NUMBER, nullable=False, server_default="0"))
    for name in _IDENTITY:
        op.add_column("forwards", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE forwards SET (bank_id, transmitted_at, stan, rrn, terminal_id, original_rrn) = "
        "(SELECT a.bank_id, t.transmitted_at, t.stan, t.rrn, t.terminal_id, t.rrn "
        "FROM transactions t JOIN accounts a ON a.mid_id = t.mid_id "
        "WHERE t.transaction_id = forwards.transaction_id)"
    )
    op.create_index("forwards_original", "forwards", ["original_rrn"])
    op.drop_index("forwards_due", "forwards")
    op.create_index(
        "forwards_due",
        "forwards",
        ["bank_id", "next_attempt_at_ms"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    """Takes them away."""
    op.drop_index("forwards_due", "forwards")
    op.drop_index("forwards_original", "forwards")
    for name in ("bank_id", *_IDENTITY):
        op.drop_column("forwards", name)
    op.create_index(
        "forwards_due",
        "forwards",
        ["kind", "next_attempt_at_ms"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
