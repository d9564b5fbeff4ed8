"""The read side on PostgreSQL. Look-ups have connections that no listing keeps busy."""

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Select

from netvalve.domain.backlog import Backlog
from netvalve.domain.card import SealedCard
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.journal import HistoryEntry, KeyedTransaction, StoreUnavailable
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search, SearchTooBroad
from netvalve.domain.transaction import Transaction
from netvalve.storage import backlog_queries, queries
from netvalve.storage.exports import columns_of
from netvalve.storage.listings import (
    LISTING_MAX_S,
    Abilities,
    Found,
    Steps,
    newest_orders,
    newest_transactions,
    orders_steps,
    transactions_steps,
)
from netvalve.storage.mapping import (
    Row,
    history_entry_of,
    keyed_transaction_of,
    order_of,
    sealed_card_of,
    transaction_of,
    transaction_on_order_of,
)
from netvalve.storage.postgres.backlog import read_backlog
from netvalve.storage.postgres.exports import Chunk, Exports
from netvalve.storage.postgres.pools import Readers
from netvalve.storage.postgres.query import Query
from netvalve.storage.search import Shape, export_statement, shape_of, values_of

Record = TypeVar("Record")
TransactionOnOrder = tuple[Transaction, Order]

_TRANSACTION_ON_ORDER: Final = Query.of(queries.TRANSACTION_ON_ORDER)
_ORDER: Final = Query.of(queries.ORDER)
_ORDER_BY_CLIENT_ORDER_ID: Final = Query.of(queries.ORDER_BY_CLIENT_ORDER_ID)
_OF_KEY: Final = Query.of(queries.OF_KEY)
_TRANSACTIONS_OF_ORDER: Final = Query.of(queries.TRANSACTIONS_OF_ORDER)
_SEALED_CARD: Final = Query.of(queries.SEALED_CARD)
_HISTORY: Final = Query.of(queries.HISTORY)
_NEXT_ATTEMPT: Final = Query.of(backlog_queries.NEXT_ATTEMPT)
_WRITABLE: Final = "SELECT NOT pg_is_in_recovery()"

_SHAPES_CACHED: Final = 512
_STATEMENTS_CACHED: Final = 2_048
_LISTING: Final = """
SELECT set_config('statement_timeout', $1, true),
    set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('max_parallel_workers_per_gather', '0', true)
"""
"""How many rows a statement reads depends on what it is asked: it is planned for its values. One
listing has one of the server's processes: payments have the others."""


class PostgresRecords:
    """Enquiries. Every look-up names the client: another client's rows do not exist.

    Each raises StoreUnavailable while the store cannot be read.
    """

    def __init__(
        self,
        look_ups: Readers,
        listings: Readers,
        vital: Readers,
        exports: Exports,
        *,
        tallies: bool = True,
        listing_max_s: float = LISTING_MAX_S,
    ) -> None:
        """`tallies`: the schema has them. A listing may take `listing_max_s`."""
        self._look_ups, self._listings, self._vital = look_ups, listings, vital
        self._exports = exports
        self._can = Abilities(tallies=tallies, lateral=True)
        self._listing_max_s = listing_max_s

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionOnOrder | None:
        """A transaction with its order."""
        values = {"client_id": client_id, "transaction_id": transaction_id}
        return await self._one(_TRANSACTION_ON_ORDER, values, transaction_on_order_of)

    async def order(self, client_id: int, order_id: int) -> Order | None:
        """An order by its number."""
        return await self._one(_ORDER, {"client_id": client_id, "order_id": order_id}, order_of)

    async def order_by_client_order_id(self, client_id: int, client_order_id: str) -> Order | None:
        """An order by the merchant's own number of it."""
        values = {"client_id": client_id, "client_order_id": client_order_id}
        return await self._one(_ORDER_BY_CLIENT_ORDER_ID, values, order_of)

    async def of_key(self, client_id: int, key: str, since_ms: int) -> KeyedTransaction | None:
        """What an idempotency key has opened; a key from before `since_ms` has ended."""
        values = {"client_id": client_id, "key": key, "since_ms": since_ms}
        return await self._one(_OF_KEY, values, keyed_transaction_of)

    async def transactions_of(self, client_id: int, order_id: int) -> tuple[Transaction, ...]:
        """All transactions of an order, oldest first."""
        values = {"client_id": client_id, "order_id": order_id}
        return await self._all(_TRANSACTIONS_OF_ORDER, values, transaction_of)

    async def sealed_card(self, client_id: int, card_id: int) -> SealedCard | None:
        """None once the number has been erased."""
        values = {"client_id": client_id, "card_id": card_id}
        return await self._one(_SEALED_CARD, values, sealed_card_of)

    async def history(self, transaction_id: int) -> tuple[HistoryEntry, ...]:
        """Every event of a transaction, oldest first. For operators: no client asked."""
        return await self._all(_HISTORY, {"transaction_id": transaction_id}, history_entry_of)

    async def next_attempt_at_ms(self, transaction_id: int) -> int | None:
        """When the message stored for a transaction is sent next; None where none waits."""
        ((at_ms,),) = await self._rows(_NEXT_ATTEMPT, {"transaction_id": transaction_id})
        return None if at_ms is None else int(at_ms)

    async def backlog(self, now_ms: int) -> Backlog:
        """What has no end yet, by its age now. For operators: no client asked."""
        async with self._listings.one_moment() as connection:
            return await read_backlog(connection, now_ms=now_ms)

    async def writable(self) -> bool:
        """Whether the server that answers takes writes; whether it does so in time the lease tells.

        A standby takes none.
        """
        try:
            ((writable,),) = await self._vital.fetch(_WRITABLE)
        except StoreUnavailable:
            return False
        return bool(writable)

    async def orders(self, search: Search, page: PageRequest) -> Page[Order]:
        """Newest first by (created, id)."""
        steps = orders_steps(search, page, self._can)
        return newest_orders(*await self._found(steps), page)

    async def transactions(self, search: Search, page: PageRequest) -> Page[TransactionOnOrder]:
        """Newest first by (opened, id)."""
        steps = transactions_steps(search, page, self._can)
        return newest_transactions(*await self._found(steps), page)

    def export(
        self, search: Search, form: Callable[[TransactionColumns], Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        """What `form` makes of everything that matches, newest first, from one snapshot."""
        query = _export_query(shape_of(search))
        values = query.bound(values_of(search))
        return self._exports.stream(query.text, values, lambda rows: form(columns_of(rows)))

    async def _found(self, steps: Steps) -> Found:
        """What the steps lead to, within the time that a listing may take."""
        limit = f"{round(self._listing_max_s * 1000)}ms"
        async with self._listings.one_moment() as connection:
            await connection.fetch(_LISTING, limit)
            try:
                return await _taken(steps, connection)
            except asyncpg.QueryCanceledError as error:
                raise SearchTooBroad from error
            except asyncpg.DataError:
                return (), 0  # a text that no text can be is nobody's

    async def _one(
        self, query: Query, values: Mapping[str, object], record_of: Callable[[Row], Record]
    ) -> Record | None:
        rows = await self._rows(query, values)
        return record_of(rows[0]) if rows else None

    async def _all(
        self, query: Query, values: Mapping[str, object], record_of: Callable[[Row], Record]
    ) -> tuple[Record, ...]:
        return tuple(record_of(row) for row in await self._rows(query, values))

    async def _rows(self, query: Query, values: Mapping[str, object]) -> list[Any]:
        try:
            return await self._look_ups.fetch(query.text, *query.bound(values))
        except asyncpg.DataError:
            return []  # a number above 64 bits is nobody's; nor is a text that no text can be


async def _taken(steps: Steps, connection: asyncpg.Connection) -> Found:
    """Take the steps. All as of one moment: the caller has begun the transaction."""
    rows: Any = None
    while True:
        try:
            statement, values = steps.send(rows)
        except StopIteration as end:
            found: Found = end.value
            return found
        query = _query(statement)
        rows = await connection.fetch(query.text, *query.bound(values))


@lru_cache(_STATEMENTS_CACHED)
def _query(statement: Select[Any]) -> Query:
    return Query.of(statement)


@lru_cache(_SHAPES_CACHED)
def _export_query(shape: Shape) -> Query:
    return Query.of(export_statement(shape))
