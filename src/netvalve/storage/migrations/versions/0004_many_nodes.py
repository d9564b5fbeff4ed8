"""Journal batches, allowances of clients, and tables by month on PostgreSQL."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBERS_A_MONTH = 10**11
_BY_MONTH = {"orders": "order_id", "transactions": "transaction_id", "events": "transaction_id"}
_PRIMARY_KEYS = {
    "orders": "order_id",
    "transactions": "transaction_id",
    "events": "transaction_id, sequence",
}
_KEEP_EVENTS = """
CREATE TRIGGER events_keep BEFORE UPDATE OR DELETE ON events
FOR EACH ROW EXECUTE FUNCTION events_refuse()
"""


def upgrade() -> None:
    """What there is becomes the months before this one."""
    op.add_column("clients", sa.Column("requests_per_s", _NUMBER))
    op.create_table(
        "batches",
        sa.Column("epoch", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("session", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("batch", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "writer", name="batches_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    _keyed_table("allowances", "client_id", "second", "used")
    _keyed_table("archived_months", "month", "detached_at_ms")
    op.create_table(
        "compatibility",
        sa.Column("row_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("oldest_revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name="compatibility_key"),
        sqlite_strict=True,
    )
    op.bulk_insert(
        sa.table("compatibility", sa.column("row_id"), sa.column("oldest_revision")),
        [{"row_id": 1, "oldest_revision": "0004"}],
    )
    if op.get_bind().dialect.name == "postgresql":
        _cut_by_month()


def _keyed_table(name: str, key: str, *columns: str) -> None:
    op.create_table(
        name,
        *(
            sa.Column(each, _NUMBER, nullable=False, autoincrement=False)
            for each in (key, *columns)
        ),
        sa.PrimaryKeyConstraint(key, name=f"{name}_key"),
        sqlite_strict=True,
    )


def _cut_by_month() -> None:
    """The tables as they are become the first part of their partitioned successors."""
    op.execute("DROP TRIGGER events_keep ON events")
    now = datetime.now(UTC)
    first = (now.year % 100 * 100 + now.month) * _NUMBERS_A_MONTH
    for table, key in _BY_MONTH.items():
        before = f"{table}_before"
        indexes = dict(_indexes(table))
        op.execute(f"ALTER TABLE {table} RENAME TO {before}")
        for name in indexes:
            op.execute(f"ALTER INDEX {name} RENAME TO {name}_before")
        op.execute(
            f"CREATE TABLE {table} (LIKE {before} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            f" PARTITION BY RANGE ({key})"
        )
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_key PRIMARY KEY ({_PRIMARY_KEYS[table]})"
        )
        for name, definition in indexes.items():
            if name != f"{table}_key":
                op.execute(definition)
        op.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {before} FOR VALUES FROM (MINVALUE) TO ({first})"
        )
    op.execute(_KEEP_EVENTS)


def _indexes(table: str) -> list[tuple[str, str]]:
    """Names and statements of a table's indexes."""
    rows = op.get_bind().execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = current_schema() AND tablename = :table"
        ),
        {"table": table},
    )
    return [(name, definition) for name, definition in rows]


def downgrade() -> None:
    """Takes them away, except the months: on PostgreSQL there is no way back to one table."""
    if op.get_bind().dialect.name == "postgresql":
        raise NotImplementedError("restore a backup: tables by month do not become one again")
    for table in ("compatibility", "archived_months", "allowances", "batches"):
        op.drop_table(table)
    op.drop_column("clients", "requests_per_s")
