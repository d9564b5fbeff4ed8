"""The enquiries: what there is to know of transactions and orders, one client's own."""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass

from netvalve.domain.columns import TransactionColumns
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search
from netvalve.domain.transaction import Transaction
from netvalve.payments.awaited import Awaited
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.ports import Chunk, Configuration, Records, TransactionOnOrder


@dataclass(frozen=True, slots=True)
class Names:
    """What a merchant may call a transaction by; whatever is given must agree."""

    transaction_id: int | None = None
    client_order_id: str | None = None
    """Alone it is the name of the transaction that opened the order."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order with all of its transactions, oldest first."""

    order: Order
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class TransactionFile:
    """A transaction with its order and all of the order's transactions, oldest first."""

    transaction: Transaction
    order: Order
    transactions: tuple[Transaction, ...]


class Enquiries:
    """Look-ups for one client at a time; another client's rows do not exist."""

    def __init__(
        self, records: Records, configuration: Configuration, idempotency: Idempotency
    ) -> None:
        self._records, self._configuration = records, configuration
        self._idempotency = idempotency
        self._awaited = Awaited(records)

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionFile | None:
        """A transaction in its order."""
        found = await self._records.transaction(client_id, transaction_id)
        if found is None:
            return None
        transaction, order = found
        return TransactionFile(
            transaction, order, await self._records.transactions_of(client_id, order.order_id)
        )

    async def inquiry(
        self, client_id: int, names: Names, *, wait_s: float, waiting_max: int
    ) -> TransactionOnOrder | None:
        """A transaction and its order, for the answer that its request had or will have.

        A pending one is waited for, `wait_s` at most, as long as the store can be read, unless
        `waiting_max` leave this client no place among them.
        """
        found = await self._named(client_id, names)
        if found is None or found[0].state is not State.PENDING:
            return found
        if not self._awaited.admits(client_id, waiting_max):
            return found
        return await self._awaited.end_of(found, wait_s)

    def hurry(self) -> None:
        """Wait for no outcome from now on: the gateway is about to end."""
        self._awaited.hurry()

    async def next_attempt_at_ms(self, transaction: Transaction) -> int | None:
        """When the bank is asked about a pending transaction again, where that is known now."""
        if transaction.state is not State.PENDING:
            return None
        with suppress(StoreUnavailable):
            return await self._records.next_attempt_at_ms(transaction.transaction_id)
        return None

    async def _named(self, client_id: int, names: Names) -> TransactionOnOrder | None:
        """The one transaction that all names agree on, the most exact of them first."""
        candidates: list[TransactionOnOrder | None] = []
        if names.transaction_id is not None:
            candidates.append(await self._records.transaction(client_id, names.transaction_id))
        if names.idempotency_key is not None:
            candidates.append(await self._of_key(client_id, names.idempotency_key))
        if names.client_order_id is not None:
            exact = candidates[0] if candidates else None
            candidates.append(await self._of_order(client_id, names.client_order_id, exact))
        numbers = {found and found[0].transaction_id for found in candidates}
        return candidates[0] if len(numbers) == 1 else None

    async def _of_key(self, client_id: int, key: str) -> TransactionOnOrder | None:
        keyed = await self._idempotency.opened_by(client_id, key)
        return None if keyed is None else (keyed.transaction, keyed.order)

    async def _of_order(
        self, client_id: int, client_order_id: str, exact: TransactionOnOrder | None
    ) -> TransactionOnOrder | None:
        """The transaction named more exactly, where it is of this order; else its opening one."""
        order = await self._records.order_by_client_order_id(client_id, client_order_id)
        if order is None or (exact is not None and exact[1].order_id != order.order_id):
            return None
        return exact or await self._records.transaction(client_id, order.opening_id)

    async def order(
        self,
        client_id: int,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        transaction_id: int | None = None,
        netvalve_mid_id: str | None = None,
    ) -> OrderFile | None:
        """The one order that everything given agrees on.

        An account alone names its newest order; nothing given names none.
        """
        order = await self._named_order(client_id, order_id, client_order_id, transaction_id)
        if order is None and (order_id, client_order_id, transaction_id) == (None, None, None):
            order = await self._newest(client_id, netvalve_mid_id)
        if order is None or (order_id is not None and order.order_id != order_id):
            return None
        if client_order_id is not None and order.client_order_id != client_order_id:
            return None
        if netvalve_mid_id is not None and not self._through(order, netvalve_mid_id):
            return None
        transactions = await self._records.transactions_of(client_id, order.order_id)
        if transaction_id is not None and all(
            each.transaction_id != transaction_id for each in transactions
        ):
            return None
        return OrderFile(order, transactions)

    def _through(self, order: Order, netvalve_mid_id: str) -> bool:
        account = self._configuration.directory.account_by_uuid(order.client_id, netvalve_mid_id)
        return account is not None and account.mid_id == order.mid_id

    async def _named_order(
        self,
        client_id: int,
        order_id: int | None,
        client_order_id: str | None,
        transaction_id: int | None,
    ) -> Order | None:
        if order_id is not None:
            return await self._records.order(client_id, order_id)
        if client_order_id is not None:
            return await self._records.order_by_client_order_id(client_id, client_order_id)
        if transaction_id is not None:
            found = await self._records.transaction(client_id, transaction_id)
            return found[1] if found else None
        return None

    async def _newest(self, client_id: int, netvalve_mid_id: str | None) -> Order | None:
        if netvalve_mid_id is None:
            return None
        search = Search(client_id=client_id, netvalve_mid_id=netvalve_mid_id)
        page = await self._records.orders(search, PageRequest(0, 1))
        return page.rows[0] if page.rows else None

    async def orders(self, search: Search, page: PageRequest) -> Page[Order]:
        """Newest first."""
        return await self._records.orders(search, page)

    async def transactions(self, search: Search, page: PageRequest) -> Page[TransactionOnOrder]:
        """Newest first."""
        return await self._records.transactions(search, page)

    def export(
        self, search: Search, form: Callable[[TransactionColumns], Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        """What `form` makes of everything that matches, newest first, some rows at a time."""
        return self._records.export(search, form)
