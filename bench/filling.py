"""A store full of payments, written straight in SQL: the same rows on both databases.

They lie over the last thirty days, on three clients (of which one has most) and sixteen accounts,
in the mix that merchants have. The tables are filled as the revision before the listings' has
them, without indexes; then comes the migration, which finds a store of this size.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config

from netvalve.storage.engine import create_sqlite_file, engine_of, is_sqlite, sqlite_path
from netvalve.storage.migrate import migrate
from netvalve.storage.months import began_at_ms, first_number, month_after, month_of
from netvalve.storage.postgres.partitions import add_months

BEFORE: Final = "0004"
DAYS: Final = 30
_DAY_MS: Final = 86_400_000
_CHUNK: Final = 500_000
_ORDERS_A_TRANSACTION: Final = 0.7145
_LAST_PENDING: Final = 40
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written, and until when."""

    orders: int
    transactions: int
    end_ms: int
    seconds_to_fill: float
    seconds_to_migrate: float


def fill(database_url: str, rows: int, note: Note) -> Filled:
    """Write so many transactions, a few more or less, and bring the schema up to date."""
    end_ms = time.time_ns() // 1_000_000
    orders = round(rows * _ORDERS_A_TRANSACTION)
    began = time.perf_counter()
    _migrate_to(database_url, BEFORE)
    filling = _filling_sqlite if is_sqlite(database_url) else _filling_postgres
    with filling(database_url) as execute:
        for first in range(1, orders + 1, _CHUNK):
            end = min(first + _CHUNK, orders + 1)
            for statement in _Rows(orders, end_ms).statements(_numbers(database_url, first, end)):
                execute(statement)
            note(f"{end - 1:,} of {orders:,} orders")
    filled = time.perf_counter()
    migrate(database_url)
    migrated = time.perf_counter()
    if not is_sqlite(database_url):
        with closing(psycopg.connect(database_url, autocommit=True)) as connection:
            connection.execute("VACUUM ANALYZE follow_ups, followed_orders, tallies")
    with engine_of(database_url) as engine, engine.connect() as connection:
        transactions = connection.exec_driver_sql("SELECT count(*) FROM transactions").scalar_one()
    return Filled(orders, transactions, end_ms, filled - began, migrated - filled)


def _migrate_to(database_url: str, revision: str) -> None:
    if is_sqlite(database_url):
        create_sqlite_file(database_url)
    settings = Config()
    settings.set_main_option("script_location", "netvalve.storage:migrations")
    settings.attributes["on_version_apply"] = lambda **_: None
    with engine_of(database_url) as engine, engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        connection.rollback()
        if not is_sqlite(database_url):
            with connection.begin():
                add_months(connection)


@contextmanager
def _filling_sqlite(database_url: str) -> Iterator[Callable[[str], object]]:
    with closing(sqlite3.connect(sqlite_path(database_url), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1000000")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            " AND tbl_name IN ('orders', 'transactions')"
        ).fetchall()
        expected = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        yield connection.execute
        for _, text in indexes:
            connection.execute(text)
        connection.execute("DELETE FROM sqlite_stat1")
        connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", expected)
        connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _filling_postgres(database_url: str) -> Iterator[Callable[[str], object]]:
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '1GB'")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN"
            " ('orders', 'transactions') AND indexname NOT LIKE '%_key'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"'.encode())
        yield lambda text: connection.execute(text.encode())
        for _, text in indexes:
            connection.execute(text.replace(" ON ONLY ", " ON ").encode())
        connection.execute("VACUUM ANALYZE")


def _numbers(database_url: str, first: int, end: int) -> str:
    if is_sqlite(database_url):
        return (
            f"WITH RECURSIVE numbers (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers"
            f" WHERE i < {end - 1})"
        )
    return f"WITH numbers (i) AS (SELECT generate_series({first}::bigint, {end - 1}))"


class _Dice:
    """Numbers that look thrown and are the same on both databases."""

    def __init__(self) -> None:
        self._salts = count(1)

    def below(self, end: int) -> str:
        salt = next(self._salts)
        return f"((i * {1_103_515_245 + salt * 7_654_321} + {salt * 12_345}) % 2147483647 % {end})"


class _Rows:
    """The rows of orders by their number `i`."""

    def __init__(self, orders: int, end_ms: int) -> None:
        self._orders, self._end_ms = orders, end_ms

    def statements(self, numbers: str) -> Iterator[str]:
        """Inserts of orders, of their keys, and of their transactions."""
        common = f"{numbers}, {self._thrown()}, {self._drawn()}"
        yield f"INSERT INTO orders ({', '.join(_ORDER)}) {common} SELECT {_shown(_ORDER)} FROM o"
        yield (
            "INSERT INTO order_keys (client_id, client_order_id, order_id)"
            f" {common} SELECT client_id, {_ORDER['client_order_id']}, order_id FROM o"
        )
        for own in (_OPENING, _FOLLOWING, _REFUNDING):
            columns = {**_TRANSACTION, **own}
            where = columns.pop("WHERE")
            moved = self._number(f"({columns['opened_at_ms']})", columns.pop("number"))
            columns["transaction_id"] = moved
            yield (
                f"INSERT INTO transactions ({', '.join(columns)})"
                f" {common} SELECT {_shown(columns)} FROM o WHERE {where}"
            )

    def _thrown(self) -> str:
        throw = _Dice().below
        start_ms = self._end_ms - DAYS * _DAY_MS
        return f"""thrown AS (
            SELECT i, {start_ms} + i * {DAYS * _DAY_MS // 1000} / {self._orders} * 1000
                + {throw(1000)} AS created_at_ms,
            CASE WHEN {throw(100)} < 70 THEN 1 WHEN {throw(100)} < 83 THEN 2 ELSE 3 END
                AS client_id,
            {throw(10)} AS ten, {throw(100)} AS kind, {throw(100)} AS outcome,
            {throw(100)} AS going_on, {throw(100)} AS refund, {throw(10_000)} AS digits,
            {throw(1_000)} AS bin, {throw(2_000_000)} AS customer, {throw(200)} AS given,
            {throw(5_000)} AS family, {throw(12)} AS land, {throw(9_900)} AS cents,
            {throw(10)} AS wallet, {throw(4)} AS secure FROM numbers)"""

    def _drawn(self) -> str:
        return f"""drawn AS (
            SELECT *, {self._number("created_at_ms", "i")} AS order_id,
            CASE client_id WHEN 1 THEN 1 + ten WHEN 2 THEN 11 + ten % 4 ELSE 15 + ten % 2 END
                AS mid_id,
            CASE WHEN kind < 45 THEN 'AUTHORIZATION' WHEN kind < 85 THEN 'SALE' ELSE 'REBILL' END
                AS type,
            CASE WHEN i > {self._orders - _LAST_PENDING} THEN 'PENDING'
                WHEN outcome < 86 THEN 'APPROVED' WHEN outcome < 97 THEN 'DECLINED'
                WHEN outcome < 99 THEN 'FAILED' ELSE 'REVERSED' END AS first_state
            FROM thrown
        ), held AS (
            SELECT *, CASE mid_id % 4 WHEN 0 THEN 'GBP' WHEN 2 THEN 'EUR' ELSE 'USD' END
                AS currency,
            CASE WHEN first_state <> 'APPROVED' THEN first_state
                WHEN type <> 'AUTHORIZATION' THEN 'SOLD' WHEN going_on < 85 THEN 'CAPTURED'
                WHEN going_on < 90 THEN 'CANCELLED' WHEN going_on < 92 THEN 'REFUSED'
                ELSE 'APPROVED' END AS fate
            FROM drawn
        ), o AS (
            SELECT *, CASE WHEN fate NOT IN ('SOLD', 'CAPTURED') OR refund >= 7 THEN ''
                WHEN refund < 5 THEN 'REFUNDED' ELSE 'PARTIALLY_REFUNDED' END AS refunded
            FROM held
        )"""

    def _number(self, at_ms: str, number: str) -> str:
        """Numbers begin with the month of their time."""
        month, text = month_of(self._end_ms - (DAYS + 1) * _DAY_MS), ""
        while began_at_ms(month_after(month)) < self._end_ms + 3 * _DAY_MS:
            after = month_after(month)
            text += f" WHEN {at_ms} < {began_at_ms(after)} THEN {first_number(month)}"
            month = after
        return f"(CASE{text} ELSE {first_number(month)} END + {number})"


def _shown(columns: dict[str, str]) -> str:
    return ", ".join(f"{text} AS {name}" for name, text in columns.items())


def _padded(number: str, digits: int) -> str:
    return f"substr(CAST({10**digits} + {number} AS text), 2)"


_STATE: Final = """CASE WHEN refunded <> '' THEN refunded WHEN fate = 'SOLD' THEN 'APPROVED'
WHEN fate = 'REFUSED' THEN 'APPROVED' ELSE fate END"""
_CAPTURED: Final = "CASE WHEN fate IN ('SOLD', 'CAPTURED') THEN 100 + cents ELSE 0 END"
_REFUNDED: Final = "CASE refunded WHEN '' THEN 0 WHEN 'REFUNDED' THEN 100 + cents ELSE 50 END"
_BIN: Final = "CASE WHEN bin < 500 THEN 400000 + bin % 5 * 317 ELSE 510000 + bin % 95 * 317 END"
_GIVEN: Final = "'given' || CAST(given AS text)"
_FAMILY: Final = "'family' || CAST(family AS text)"
_EMAIL: Final = "'customer' || CAST(customer AS text) || '@example.com'"
_COUNTRY: Final = "substr('USGBDEFRSEESITNLPTPLDKNO', 1 + CAST(land AS integer) * 2, 2)"

_ORDER: Final = {
    "order_id": "order_id",
    "client_id": "client_id",
    "mid_id": "mid_id",
    "type": "type",
    "state": _STATE,
    "currency": "currency",
    "amount_minor": "100 + cents",
    "authorised_minor": "CASE first_state WHEN 'APPROVED' THEN 100 + cents ELSE 0 END",
    "captured_minor": _CAPTURED,
    "refunded_minor": _REFUNDED,
    "reserved_minor": "0",
    "card_id": "customer",
    "first_six": f"CAST({_BIN} AS text)",
    "last_four": _padded("digits", 4),
    "brand": "CASE WHEN bin < 500 THEN 'VISA' ELSE 'MASTERCARD' END",
    "expiry_month": "'12'",
    "expiry_year": "'2030'",
    "holder_name": f"{_GIVEN} || ' ' || {_FAMILY}",
    "trace_id": "'0a1b2c3d-0000-4000-8000-' || " + _padded("i", 12),
    "created_at_ms": "created_at_ms",
    "updated_at_ms": "created_at_ms + 400",
    "opening_id": "order_id * 1",
    "client_order_id": "'order-' || CAST(i AS text)",
    "email_folded": _EMAIL,
    "first_name_folded": _GIVEN,
    "last_name_folded": _FAMILY,
    "country": _COUNTRY,
    "payment_type": "CASE wallet WHEN 0 THEN 'WALLET' ELSE 'CARD' END",
    "wallet_type": "CASE wallet WHEN 0 THEN 'GOOGLE_PAY' ELSE NULL END",
    "three_ds": "(secure = 0)",
    "source": "'API'",
    "details": "'{\"customer\":{\"first_name\":\"' || " + _GIVEN + " || '\",\"last_name\":\"' || "
    + _FAMILY + " || '\",\"email\":\"' || " + _EMAIL + " || '\",\"country\":\"' || " + _COUNTRY
    + " || '\",\"address\":\"1 Long Street\",\"city\":\"Springfield\",\"zip_code\":\"12345\","
    "\"ip\":\"192.0.2.7\",\"phone\":\"+15555550100\"}}'",
}  # fmt: skip
_TRANSACTION: Final = {
    "order_id": "order_id",
    "client_id": "client_id",
    "mid_id": "mid_id",
    "type": "type",
    "state": "'APPROVED'",
    "amount_minor": "100 + cents",
    "currency": "currency",
    "transmitted_at": "'1122120000'",
    "stan": _padded("i % 1000000", 6),
    "rrn": _padded("i", 12),
    "terminal_id": "'NV000001'",
    "trace_id": "'0a1b2c3d-0000-4000-8000-' || " + _padded("i", 12),
    "opened_at_ms": "created_at_ms",
    "parent_id": "NULL",
    "closed_at_ms": "created_at_ms + 400",
    "response_code": "CASE outcome WHEN 90 THEN 'GTW_2090' ELSE 'GTW_1000' END",
    "bank_response_code": "'00'",
    "auth_code": _padded("(i * 7919 % 1000000)", 6),
    "scheme_transaction_id": "'SCHEME' || CAST(i AS text)",
    "final_capture": "(0 = 0)",
    "mti": "'0200'",
    "node": "'bench'",
    "owner_epoch": "1",
}
_OPENING: Final = {"number": "4 * i", "state": _STATE, "WHERE": "0 = 0"}
_FOLLOWING: Final = {
    "number": "4 * i + 1",
    "type": "CASE fate WHEN 'CANCELLED' THEN 'CANCEL' ELSE 'CAPTURE' END",
    "state": "CASE WHEN fate = 'REFUSED' THEN 'DECLINED' WHEN refunded <> '' THEN refunded"
    " ELSE 'APPROVED' END",
    "opened_at_ms": "created_at_ms + 3600000",
    "trace_id": "'0a1b2c3d-0000-4000-8001-' || " + _padded("i", 12),
    "rrn": _padded("i + 100000000000", 12),
    "WHERE": "fate IN ('CAPTURED', 'CANCELLED', 'REFUSED')",
}
_REFUNDING: Final = {
    "number": "4 * i + 2",
    "type": "'REFUND'",
    "amount_minor": _REFUNDED,
    "opened_at_ms": "created_at_ms + 86400000",
    "trace_id": "'0a1b2c3d-0000-4000-8002-' || " + _padded("i", 12),
    "rrn": _padded("i + 200000000000", 12),
    "WHERE": "refunded <> ''",
}
