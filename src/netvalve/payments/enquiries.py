"""The enquiries: what there is to know of transactions and orders, one client's own."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search
from netvalve.domain.transaction import Transaction
from netvalve.payments.ports import Configuration, Records, TransactionOnOrder


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

    def __init__(self, records: Records, configuration: Configuration) -> None:
        self._records, self._configuration = records, configuration

    async def transaction(self, client_id: int, transaction_id: int) -> TransactionFile | None:
        """A transaction in its order."""
        found = await self._records.transaction(client_id, transaction_id)
        if found is None:
            return None
        transaction, order = found
        return TransactionFile(
            transaction, order, await self._records.transactions_of(client_id, order.order_id)
        )

    async def inquiry(self, client_id: int, transaction_id: int) -> TransactionOnOrder | None:
        """A transaction and its order, for the answer that its request had or will have."""
        return await self._records.transaction(client_id, transaction_id)

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

    def export(self, search: Search) -> AsyncIterator[Sequence[TransactionOnOrder]]:
        """Everything that matches, newest first, in batches, from one consistent snapshot."""
        return self._records.export(search)
