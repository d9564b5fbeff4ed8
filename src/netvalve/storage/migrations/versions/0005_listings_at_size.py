"""Listings at size: counts kept by the database itself, and indexes that pages are read from.

It expands: what ran on revision 0004 runs on. On PostgreSQL gateways write all the while; each
step may be done again after a migration that was broken off.
"""

import time
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa
from alembic import op
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HOUR_MS: Final = 3_600_000
_LISTED: Final = {"orders": ("O", "created_at_ms"), "transactions": ("T", "opened_at_ms")}
_GROUP: Final = ("mid_id", "type", "state", "currency")
_CHANGE: Final = ("client_id", "listing", "hour", *_GROUP, "rows")
_OF_GROUP: Final = ("client_id", *_GROUP)

_NEWEST_ORDER: Final = ("created_at_ms", "order_id")
_NEWEST_TRANSACTION: Final = ("opened_at_ms", "transaction_id")
_INDEXES: Final = (
    ("orders_of_group", "orders", (*_OF_GROUP, *_NEWEST_ORDER), ""),
    ("orders_of_last_four_by_time", "orders", ("client_id", "last_four", *_NEWEST_ORDER), ""),
    ("orders_of_first_six", "orders", ("client_id", "first_six", *_NEWEST_ORDER), ""),
    (
        "orders_of_email_by_time",
        "orders",
        ("client_id", "email_folded", *_NEWEST_ORDER),
        "email_folded",
    ),
    (
        "orders_of_first_name",
        "orders",
        ("client_id", "first_name_folded", *_NEWEST_ORDER),
        "first_name_folded",
    ),
    (
        "orders_of_last_name",
        "orders",
        ("client_id", "last_name_folded", *_NEWEST_ORDER),
        "last_name_folded",
    ),
    ("transactions_of_group", "transactions", (*_OF_GROUP, *_NEWEST_TRANSACTION), ""),
    (
        "transactions_of_order_by_time",
        "transactions",
        ("order_id", "client_id", *_NEWEST_TRANSACTION),
        "",
    ),
    ("transactions_of_auth_code", "transactions", ("client_id", "auth_code"), "auth_code"),
    (
        "transactions_of_scheme",
        "transactions",
        ("client_id", "scheme_transaction_id"),
        "scheme_transaction_id",
    ),
)
"""Name, table, columns, and the column that must be there where it is partial."""
_REPLACED: Final = (
    "orders_of_account",
    "orders_of_last_four",
    "orders_of_email",
    "transactions_of_order",
)
_STATISTICS: Final = """
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
('orders', 'orders_of_group', '1000000 50000 10000 4000 800 800 1 1'),
('orders', 'orders_of_last_four_by_time', '1000000 50000 20 1 1'),
('orders', 'orders_of_first_six', '1000000 50000 400 1 1'),
('orders', 'orders_of_email_by_time', '500000 25000 3 1 1'),
('orders', 'orders_of_first_name', '1000000 50000 300 1 1'),
('orders', 'orders_of_last_name', '1000000 50000 60 1 1'),
('transactions', 'transactions_of_group', '2000000 100000 20000 6000 1000 1000 1 1'),
('transactions', 'transactions_of_order_by_time', '2000000 2 2 1 1'),
('transactions', 'transactions_of_auth_code', '2000000 100000 3'),
('transactions', 'transactions_of_scheme', '2000000 100000 2')
"""
"""What SQLite may expect of a full store: rows, then rows for each longer part of the key."""


def _fold(source: str) -> str:
    """Add what a table of changes holds to the tallies."""
    group = ", ".join(_GROUP)
    return f"""
INSERT INTO tallies (client_id, listing, span_h, span, {group}, rows)
SELECT client_id, listing, span_h, hour / span_h, {group}, sum(rows)
FROM {source} CROSS JOIN (SELECT 1 AS span_h UNION ALL SELECT 24 UNION ALL SELECT 768) spans
WHERE true
GROUP BY client_id, listing, span_h, hour / span_h, {group}
HAVING sum(rows) <> 0
ON CONFLICT (client_id, listing, span_h, span, {group})
DO UPDATE SET rows = tallies.rows + excluded.rows
"""  # noqa: S608  # constants


_FOLD_ABOVE: Final = 500
"""Changes that a listing on SQLite reads beside the tallies at most."""
_FOLD_AT_TIMES: Final = f"""
CREATE TRIGGER tally_changes_fold AFTER INSERT ON tally_changes WHEN NEW.rowid >= {_FOLD_ABOVE}
BEGIN {_fold("tally_changes")}; DELETE FROM tally_changes; END
"""  # noqa: S608  # constants
_VACUUM: Final = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000"
_LOCK_WAIT: Final = "500ms"
_PAUSE_S: Final = 1.0
_TRIES: Final = 5_000
"""A lock is asked for briefly, for writers queue behind whoever waits; an export may hold it up for
an hour."""
_POSTGRES_TRIGGERS: Final = (
    ("come", "INSERT", "NEW TABLE AS come"),
    ("go", "DELETE", "OLD TABLE AS gone"),
    ("move", "UPDATE", "NEW TABLE AS come OLD TABLE AS gone"),
)


def upgrade() -> None:
    """Indexes first, which takes longest and waits for nobody; then the counts."""
    if op.get_bind().dialect.name == "sqlite":
        _on_sqlite()
    else:
        _on_postgres()


def _create_tables() -> None:
    numbers = ("client_id", "span_h", "span", "hour", "mid_id", "rows")
    spans = ("client_id", "listing", "span_h", "span", *_GROUP)
    for table, columns in (("tallies", (*spans, "rows")), ("tally_changes", _CHANGE)):
        op.create_table(
            table,
            *(
                sa.Column(
                    name,
                    _NUMBER if name in numbers else sa.Text(),
                    nullable=False,
                    autoincrement=False,
                )
                for name in columns
            ),
            *([sa.PrimaryKeyConstraint(*spans, name="tallies_key")] if table == "tallies" else []),
            sqlite_strict=True,
            sqlite_with_rowid=table != "tallies",
            if_not_exists=True,
        )


def _count_all(execute: Callable[[str], object]) -> None:
    """Tallies of every row there is."""
    execute(f"CREATE TEMPORARY TABLE counted AS {' UNION ALL '.join(map(_counted, _LISTED))}")
    execute(_fold("counted"))
    execute("DROP TABLE counted")


def _counted(table: str) -> str:
    """Every row there is, as changes."""
    listing, at_ms = _LISTED[table]
    hour, group = f"{at_ms} / {_HOUR_MS}", ", ".join(_GROUP)
    return (
        f"SELECT client_id, '{listing}' AS listing, {hour} AS hour, {group}, count(*) AS rows"  # noqa: S608  # constants
        f" FROM {table} GROUP BY client_id, {hour}, {group}"
    )


def _on_sqlite() -> None:
    """Nobody writes meanwhile."""
    _create_tables()
    for name in _REPLACED:
        op.execute(f"DROP INDEX {name}")
        op.execute(f"DELETE FROM sqlite_stat1 WHERE idx = '{name}'")  # noqa: S608  # a constant
    for name, table, columns, there in _INDEXES:
        op.execute(f"CREATE INDEX {name} ON {table} ({', '.join(columns)}){_where(there)}")
    op.execute(_STATISTICS)
    _count_all(op.execute)
    for table in _LISTED:
        for statement in _sqlite_triggers(table):
            op.execute(statement)
    op.execute(_FOLD_AT_TIMES)


def _sqlite_triggers(table: str) -> Iterator[str]:
    listing, at_ms = _LISTED[table]
    watched = ("client_id", *_GROUP, at_ms)

    def change(row: str, rows: int) -> str:
        values = ", ".join(f"{row}.{name}" for name in _GROUP)
        return (
            f"INSERT INTO tally_changes ({', '.join(_CHANGE)}) VALUES"  # noqa: S608  # constants
            f" ({row}.client_id, '{listing}', {row}.{at_ms} / {_HOUR_MS}, {values}, {rows})"
        )

    moved = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in watched)
    yield f"CREATE TRIGGER {table}_come AFTER INSERT ON {table} BEGIN {change('NEW', 1)}; END"
    yield f"CREATE TRIGGER {table}_go AFTER DELETE ON {table} BEGIN {change('OLD', -1)}; END"
    yield (
        f"CREATE TRIGGER {table}_move AFTER UPDATE OF {', '.join(watched)} ON {table} WHEN {moved}"
        f" BEGIN {change('OLD', -1)}; {change('NEW', 1)}; END"
    )


def _on_postgres() -> None:
    with op.get_context().autocommit_block():
        _create_tables()
        for table in ("tallies", "tally_changes"):
            op.execute(f"ALTER TABLE {table} SET ({_VACUUM})")
        op.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
        for index in _INDEXES:
            _index_without_a_wait(*index)
        for name in _REPLACED:
            _patiently(op.get_bind(), f"DROP INDEX IF EXISTS {name}")
        for table in _LISTED:
            op.execute(_postgres_function(table))
    _count_while_others_write()


def _where(there: str) -> str:
    return f" WHERE {there} IS NOT NULL" if there else ""


def _index_without_a_wait(name: str, table: str, columns: tuple[str, ...], there: str) -> None:
    """Part by part, each built while others write to it; the whole is valid with its last part."""
    keys, where = ", ".join(columns), _where(there)
    connection = op.get_bind()
    _patiently(connection, f"CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} ({keys}){where}")
    for part in _parts_without(name, table):
        own = f"{part}_{name}"
        _patiently(connection, f"DROP INDEX IF EXISTS {own}")
        connection.execute(sa.text("SET lock_timeout = 0"))
        op.execute(f"CREATE INDEX CONCURRENTLY {own} ON {part} ({keys}){where}")
        connection.execute(sa.text(f"SET lock_timeout = '{_LOCK_WAIT}'"))
        _patiently(connection, f"ALTER INDEX {name} ATTACH PARTITION {own}")


def _patiently(
    connection: sa.Connection, statement: str, undo: Callable[[], None] = lambda: None
) -> None:
    """Execute once nobody is in the way; until then everybody else goes on."""
    for _ in range(_TRIES):
        try:
            connection.execute(sa.text(statement))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            undo()
            time.sleep(_PAUSE_S)
        else:
            return
    raise TimeoutError(f"others are in the way for long: {statement}")


def _parts_without(index: str, table: str) -> list[str]:
    """Parts of a table that have no part of an index."""
    rows = op.get_bind().execute(
        sa.text(
            """
            SELECT inhrelid::regclass::text FROM pg_inherits
            WHERE inhparent = CAST(:table AS regclass) AND inhrelid NOT IN (
                SELECT x.indrelid FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
                WHERE i.inhparent = CAST(:index AS regclass)
            )
            """
        ),
        {"table": table, "index": index},
    )
    return [part for (part,) in rows]


def _postgres_function(table: str) -> str:
    """What a statement has changed, in as few rows as there are groups."""
    listing, at_ms = _LISTED[table]
    into = f"INSERT INTO tally_changes ({', '.join(_CHANGE)})"
    key = f"client_id, {at_ms} / {_HOUR_MS}, {', '.join(_GROUP)}"
    shown = f"client_id, '{listing}', {at_ms} / {_HOUR_MS}, {', '.join(_GROUP)}"
    columns = ", ".join(("client_id", at_ms, *_GROUP))
    return f"""
CREATE OR REPLACE FUNCTION {table}_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {into} SELECT {shown}, count(*) FROM come GROUP BY {key};
    ELSIF TG_OP = 'DELETE' THEN
        {into} SELECT {shown}, -count(*) FROM gone GROUP BY {key};
    ELSE
        {into} SELECT {shown}, sum(change) FROM (
            SELECT {columns}, 1 AS change FROM come UNION ALL SELECT {columns}, -1 FROM gone
        ) changed GROUP BY {key} HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608  # constants


def _count_while_others_write() -> None:
    """Writers wait only while the triggers come in.

    What was committed before is counted from a snapshot taken in that moment, what comes after by
    the triggers.
    """
    engine = op.get_bind().engine
    with engine.connect() as installing, engine.connect() as counting:
        installing.execute(sa.text(f"SET lock_timeout = '{_LOCK_WAIT}'"))
        installing.commit()
        _install_triggers(installing)
        counting.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        counting.execute(sa.text("SELECT 1"))
        installing.commit()
        _count_all(lambda statement: counting.execute(sa.text(statement)))
        counting.commit()


def _install_triggers(connection: sa.Connection) -> None:
    """Leaves the transaction open, with nobody else writing."""
    lock = "LOCK TABLE orders, transactions IN SHARE ROW EXCLUSIVE MODE"
    _patiently(connection, lock, connection.rollback)
    connection.execute(sa.text("TRUNCATE tallies, tally_changes"))
    for table in _LISTED:
        for suffix, when, rows in _POSTGRES_TRIGGERS:
            connection.execute(
                sa.text(
                    f"CREATE OR REPLACE TRIGGER {table}_{suffix} AFTER {when} ON {table}"
                    f" REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally()"
                )
            )


def downgrade() -> None:
    """The indexes of before, and no counts."""
    on_postgres = op.get_bind().dialect.name == "postgresql"
    for table in _LISTED:
        for suffix, *_ in _POSTGRES_TRIGGERS:
            on_table = f" ON {table}" if on_postgres else ""
            op.execute(f"DROP TRIGGER {table}_{suffix}{on_table}")
        if on_postgres:
            op.execute(f"DROP FUNCTION {table}_tally()")
    for name, *_ in _INDEXES:
        op.execute(f"DROP INDEX {name}")
        if not on_postgres:
            op.execute(f"DELETE FROM sqlite_stat1 WHERE idx = '{name}'")  # noqa: S608  # a constant
    op.create_index("orders_of_account", "orders", ["client_id", "mid_id", "created_at_ms"])
    op.create_index("orders_of_last_four", "orders", ["client_id", "last_four"])
    op.create_index("transactions_of_order", "transactions", ["order_id"])
    email = sa.text("email_folded IS NOT NULL")
    op.create_index(
        "orders_of_email",
        "orders",
        ["client_id", "email_folded"],
        sqlite_where=email,
        postgresql_where=email,
    )
    op.drop_table("tally_changes")
    op.drop_table("tallies")
