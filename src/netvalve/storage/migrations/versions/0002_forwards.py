"""Stored messages keep their own identity, and the RRN under which a late answer would come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_IDENTITY = ("transmitted_at", "stan", "rrn", "terminal_id", "original_rrn")


def upgrade() -> None:
    """Adds the columns; a row of the first revision names its transaction's message."""
    for name in _IDENTITY:
        op.add_column("forwards", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE forwards SET (transmitted_at, stan, rrn, terminal_id, original_rrn) = "
        "(SELECT t.transmitted_at, t.stan, t.rrn, t.terminal_id, t.rrn "
        "FROM transactions t WHERE t.transaction_id = forwards.transaction_id)"
    )
    op.create_index("forwards_original", "forwards", ["original_rrn"])


def downgrade() -> None:
    """Takes them away."""
    op.drop_index("forwards_original", "forwards")
    for name in _IDENTITY:
        op.drop_column("forwards", name)
