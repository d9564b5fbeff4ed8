"""Listings at size: counts kept by the database itself, and indexes that pages are read from.

It expands: what ran on revision 0004 runs on. On PostgreSQL gateways write all the while; each
step may be done again after a migration that was broken off.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import sqlalchemy as sa
from alembic import op
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError

from netvalve.storage.migrations import follow_ups

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HOUR_MS: Final = 3_600_000
_LISTED: Final = {
    "orders": ("O", "created_at_ms"),
    "transactions": ("T", "opened_at_ms"),
    "followed_orders": ("F", "created_at_ms"),
}
_GROUP: Final = ("mid_id", "type", "state", "currency")
_CHANGE: Final = ("client_id", "listing", "hour", *_GROUP, "rows")
_OF_GROUP: Final = ("client_id", *_GROUP)
_OF_COURSE: Final = ("mid_id", "course", "state", "currency")
"""What an order with follow-ups is counted by: its course in the place of the type."""

_NEWEST_ORDER: Final = ("created_at_ms", "order_id", "opening_id")
_NEWEST_TRANSACTION: Final = ("opened_at_ms", "transaction_id")
_ALONG: Final = ("currency", "mid_id", "type")
"""What is often asked for besides: read from the index, and no row is looked at."""
_INDEXES: Final = (
    ("orders_of_group", "orders", (*_OF_GROUP, *_NEWEST_ORDER[:2]), ""),
    (
        "orders_of_last_four_by_time",
        "orders",
        ("client_id", "last_four", *_NEWEST_ORDER, *_ALONG),
        "",
    ),
    ("orders_of_first_six", "orders", ("client_id", "first_six", *_NEWEST_ORDER, *_ALONG), ""),
    *(
        (name, "orders", ("client_id", column, *_NEWEST_ORDER, *_ALONG), column)
        for name, column in (
            ("orders_of_email_by_time", "email_folded"),
            ("orders_of_first_name", "first_name_folded"),
            ("orders_of_last_name", "last_name_folded"),
            ("orders_of_country", "country"),
            ("orders_of_site", "site_id"),
        )
    ),
    ("orders_of_amount", "orders", ("client_id", "amount_minor", "currency", *_NEWEST_ORDER), ""),
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
_OF_FOLLOW_UPS: Final = (
    *(
        (
            f"follow_ups_of_{column.removesuffix('_folded')}",
            "follow_ups",
            ("client_id", column, *_NEWEST_TRANSACTION, *_ALONG),
            "" if column in ("first_six", "last_four") else column,
        )
        for column in follow_ups.COPIED
    ),
    (
        "follow_ups_of_amount",
        "follow_ups",
        ("client_id", "amount_minor", "currency", *_NEWEST_TRANSACTION),
        "",
    ),
    (
        "followed_orders_of_group",
        "followed_orders",
        ("client_id", *_OF_COURSE, *_NEWEST_ORDER[:2]),
        "",
    ),
)
_REPLACED: Final = (
    "orders_of_account",
    "orders_of_last_four",
    "orders_of_email",
    "transactions_of_order",
)
_STATISTICS: Final = """
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
('orders', 'orders_of_group', '1000000 50000 10000 4000 800 800 1 1'),
('orders', 'orders_of_last_four_by_time', '1000000 50000 20 1 1 1 1 1 1'),
('orders', 'orders_of_first_six', '1000000 50000 400 1 1 1 1 1 1'),
('orders', 'orders_of_email_by_time', '500000 25000 3 1 1 1 1 1 1'),
('orders', 'orders_of_first_name', '1000000 50000 300 1 1 1 1 1 1'),
('orders', 'orders_of_last_name', '1000000 50000 60 1 1 1 1 1 1'),
('orders', 'orders_of_country', '1000000 50000 2000 1 1 1 1 1 1'),
('orders', 'orders_of_site', '1000000 50000 4000 1 1 1 1 1 1'),
('orders', 'orders_of_amount', '1000000 50000 100 50 1 1 1'),
('follow_ups', 'follow_ups_of_amount', '1000000 50000 100 50 1 1'),
('follow_ups', 'follow_ups_of_last_four', '1000000 50000 20 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_first_six', '1000000 50000 400 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_email', '500000 25000 3 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_first_name', '1000000 50000 300 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_last_name', '1000000 50000 60 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_country', '1000000 50000 2000 1 1 1 1 1'),
('follow_ups', 'follow_ups_of_site_id', '1000000 50000 4000 1 1 1 1 1'),
('follow_ups', 'follow_ups', '1000000 2 1'),
('followed_orders', 'followed_orders_of_group', '800000 40000 8000 2000 500 500 1 1'),
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
_FOLLOWED_AT_ONCE: Final = 5_000
"""Orders that are locked together, for some tenths of a second."""
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


_NUMBERS: Final = frozenset(
    {
        *("client_id", "order_id", "transaction_id", "mid_id", "amount_minor"),
        *("span_h", "span", "hour", "rows", "created_at_ms", "opened_at_ms"),
    }
)
_MAY_BE_EMPTY: Final = frozenset(follow_ups.COPIED) - {"first_six", "last_four"}


def _create_tables() -> None:
    spans = ("client_id", "listing", "span_h", "span", *_GROUP)
    _create_table("tallies", (*spans, "rows"), spans)
    _create_table("tally_changes", _CHANGE, ())
    _create_table("follow_ups", follow_ups.COLUMNS, ("order_id", "transaction_id"))
    followed = ("order_id", "client_id", "created_at_ms", *_OF_COURSE)
    _create_table("followed_orders", followed, ("order_id",))


def _create_table(table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> None:
    op.create_table(
        table,
        *(
            sa.Column(
                name,
                _NUMBER if name in _NUMBERS else sa.Text(),
                nullable=name in _MAY_BE_EMPTY,
                autoincrement=False,
            )
            for name in columns
        ),
        *([sa.PrimaryKeyConstraint(*key, name=f"{table}_key")] if key else []),
        sqlite_strict=True,
        sqlite_with_rowid=len(key) < 2,  # one number is the row's own address
        if_not_exists=True,
    )


def _count_all(execute: Callable[[str], object]) -> None:
    """Tallies of every row there is."""
    execute(f"CREATE TEMPORARY TABLE counted AS {' UNION ALL '.join(map(_counted, _LISTED))}")
    execute(_fold("counted"))
    execute("DROP TABLE counted")


def _group_of(table: str) -> tuple[str, ...]:
    """The columns of a table in the place of those that rows are counted by."""
    return _OF_COURSE if table == "followed_orders" else _GROUP


def _counted(table: str) -> str:
    """Every row there is, as changes."""
    listing, at_ms = _LISTED[table]
    hour, group = f"{at_ms} / {_HOUR_MS}", _group_of(table)
    named = ", ".join(f"{own} AS {name}" for own, name in zip(group, _GROUP, strict=True))
    return (
        f"SELECT client_id, '{listing}' AS listing, {hour} AS hour, {named}, count(*) AS rows"  # noqa: S608  # constants
        f" FROM {table} GROUP BY client_id, {hour}, {', '.join(group)}"
    )


def _on_sqlite() -> None:
    """Nobody writes meanwhile."""
    _create_tables()
    for name in _REPLACED:
        op.execute(f"DROP INDEX {name}")
        op.execute(f"DELETE FROM sqlite_stat1 WHERE idx = '{name}'")  # noqa: S608  # a constant
    _create_indexes(_INDEXES)
    for statement in follow_ups.sqlite_filling():
        op.execute(statement)
    _create_indexes(_OF_FOLLOW_UPS)
    op.execute(_STATISTICS)
    _count_all(op.execute)
    for statement in follow_ups.sqlite_triggers():
        op.execute(statement)
    for table in _LISTED:
        for statement in _sqlite_triggers(table):
            op.execute(statement)
    op.execute(_FOLD_AT_TIMES)


def _create_indexes(indexes: Iterable[tuple[str, str, tuple[str, ...], str]]) -> None:
    for name, table, columns, there in indexes:
        op.execute(f"CREATE INDEX {name} ON {table} ({', '.join(columns)}){_where(there)}")


def _sqlite_triggers(table: str) -> Iterator[str]:
    listing, at_ms = _LISTED[table]
    group = _group_of(table)
    watched = ("client_id", *group, at_ms)

    def change(row: str, rows: int) -> str:
        values = ", ".join(f"{row}.{name}" for name in group)
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
        for table in ("tallies", "tally_changes", "followed_orders"):
            op.execute(f"ALTER TABLE {table} SET ({_VACUUM})")
        op.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
        for index in _INDEXES:
            _index_without_a_wait(*index)
        for name in _REPLACED:
            _patiently(op.get_bind(), f"DROP INDEX IF EXISTS {name}")
        for statement in follow_ups.POSTGRES_FUNCTIONS:
            op.execute(statement)
        for statement in follow_ups.POSTGRES_TRIGGERS:
            _patiently(op.get_bind(), statement)
        _follow_all(op.get_bind())
        for name, table, columns, there in _OF_FOLLOW_UPS:
            op.execute(f"DROP INDEX IF EXISTS {name}")
            keys = ", ".join(columns)
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({keys}){_where(there)}")
        for table in _LISTED:
            op.execute(_postgres_function(table))
    _count_while_others_write()


def _follow_all(connection: sa.Connection) -> None:
    """The triggers see all that is written; what was there before is followed up here."""
    after = 0
    while numbers := _next_followed(connection, after):
        connection.execute(sa.text(follow_ups.KEEP), {"numbers": numbers})
        after = numbers[-1]


def _next_followed(connection: sa.Connection, after: int) -> list[int]:
    bounds = {"after": after, "limit": _FOLLOWED_AT_ONCE}
    return [number for (number,) in connection.execute(sa.text(follow_ups.NEXT_FOLLOWED), bounds)]


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
    group = ", ".join(_group_of(table))
    into = f"INSERT INTO tally_changes ({', '.join(_CHANGE)})"
    key = f"client_id, {at_ms} / {_HOUR_MS}, {group}"
    shown = f"client_id, '{listing}', {at_ms} / {_HOUR_MS}, {group}"
    columns = f"client_id, {at_ms}, {group}"
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
    lock = f"LOCK TABLE {', '.join(_LISTED)} IN SHARE ROW EXCLUSIVE MODE"
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
    _drop_triggers(on_postgres=on_postgres)
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
    for table in ("tally_changes", "tallies", "followed_orders", "follow_ups"):
        op.drop_table(table)


def _drop_triggers(*, on_postgres: bool) -> None:
    suffixes = [suffix for suffix, *_ in _POSTGRES_TRIGGERS]
    counting = [(f"{table}_{suffix}", table) for table in _LISTED for suffix in suffixes]
    for name, table in (*counting, *follow_ups.TRIGGERS):
        op.execute(f"DROP TRIGGER {name}{f' ON {table}' if on_postgres else ''}")
    if on_postgres:
        for name in (*(f"{table}_tally()" for table in _LISTED), *follow_ups.FUNCTIONS):
            op.execute(f"DROP FUNCTION {name}")
