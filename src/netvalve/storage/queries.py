"""The fixed questions to the store, in Core: one text for both databases.

A question is asked with named values; who asks compiles it for its database, once.
"""

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Select,
    bindparam,
    literal_column,
    select,
)

from netvalve.domain.lifecycle import State
from netvalve.storage.schema import (
    accounts,
    api_keys,
    banks,
    basic_users,
    cards,
    clients,
    configuration,
    events,
    idempotency_keys,
    order_keys,
    orders,
    sites,
    transactions,
)

BOTH: Final = transactions.join(orders, orders.c.order_id == transactions.c.order_id)
"""A transaction with its order."""
IS_PENDING: Final = transactions.c.state == literal_column(f"'{State.PENDING}'")
"""The state stands in the text, as in that of the index: a plan for any parameter serves it."""

_CLIENT: Final[BindParameter[int]] = bindparam("client_id")

TRANSACTION_ON_ORDER: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(
        transactions.c.transaction_id == bindparam("transaction_id"),
        transactions.c.client_id == _CLIENT,
    )
)
ORDER: Final = select(orders).where(
    orders.c.order_id == bindparam("order_id"), orders.c.client_id == _CLIENT
)
ORDER_BY_CLIENT_ORDER_ID: Final = (
    select(orders)
    .select_from(order_keys.join(orders, orders.c.order_id == order_keys.c.order_id))
    .where(
        order_keys.c.client_id == _CLIENT,
        order_keys.c.client_order_id == bindparam("client_order_id"),
    )
)
OF_KEY: Final = (
    select(transactions, orders, idempotency_keys)
    .select_from(
        idempotency_keys.join(
            transactions, transactions.c.transaction_id == idempotency_keys.c.transaction_id
        ).join(orders, orders.c.order_id == transactions.c.order_id)
    )
    .where(
        idempotency_keys.c.client_id == _CLIENT,
        idempotency_keys.c.idempotency_key == bindparam("key"),
        idempotency_keys.c.created_at_ms >= bindparam("since_ms"),
        transactions.c.client_id == _CLIENT,
    )
)
"""What a living idempotency key has opened, with its order and the key itself."""
EXPIRING: Final = (
    select(orders)
    .where(
        orders.c.mid_id.in_(
            select(accounts.c.mid_id).where(accounts.c.bank_id == bindparam("bank_id"))
        ),
        orders.c.expires_at_ms <= bindparam("now_ms"),
        orders.c.state == literal_column("'APPROVED'"),
        orders.c.in_flight_id.is_(None),
    )
    .order_by(orders.c.expires_at_ms)
    .limit(bindparam("limit"))
)
"""Authorizations at one bank that are past their hold time.

Their state stands in the text, as in that of the index.
"""
TRANSACTIONS_OF_ORDER: Final = (
    select(transactions)
    .where(transactions.c.order_id == bindparam("order_id"), transactions.c.client_id == _CLIENT)
    .order_by(transactions.c.opened_at_ms, transactions.c.transaction_id)
)
SEALED_CARD: Final = select(cards).where(
    cards.c.card_id == bindparam("card_id"), cards.c.client_id == _CLIENT
)

ANY_TRANSACTION_ON_ORDER: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(transactions.c.transaction_id == bindparam("transaction_id"))
)
"""For operators: no client asked."""
ANY_ORDER: Final = select(orders).where(orders.c.order_id == bindparam("order_id"))
"""For operators: no client asked."""
ANY_TRANSACTIONS_OF_ORDER: Final = (
    select(transactions)
    .where(transactions.c.order_id == bindparam("order_id"))
    .order_by(transactions.c.opened_at_ms, transactions.c.transaction_id)
)
"""For operators: no client asked."""
HISTORY_OF_ORDER: Final = (
    select(events)
    .select_from(
        transactions.join(events, events.c.transaction_id == transactions.c.transaction_id)
    )
    .where(transactions.c.order_id == bindparam("order_id"))
    .order_by(events.c.at_ms, events.c.transaction_id, events.c.sequence)
)
HISTORY: Final = (
    select(events)
    .where(events.c.transaction_id == bindparam("transaction_id"))
    .order_by(events.c.sequence)
)

CONFIGURATION_VERSION: Final = select(configuration.c.version)
CLIENTS: Final = select(clients).order_by(clients.c.client_id)
SITES: Final = select(sites).order_by(sites.c.site_id)
BANKS: Final = select(banks).order_by(banks.c.bank_id)
ACCOUNTS: Final = select(accounts).order_by(accounts.c.mid_id)
API_KEYS: Final = select(api_keys).order_by(api_keys.c.key_id)
BASIC_USERS: Final = select(basic_users).order_by(basic_users.c.user_name)


def ordered_page(statement: Select[Any]) -> Select[Any]:
    """The slice of a listing between the named values `limit` and `offset`."""
    return statement.limit(bindparam("limit")).offset(bindparam("offset"))
