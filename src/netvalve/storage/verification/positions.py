"""Every transaction as it is compared with a bank's book."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Select, func, select

from netvalve.domain.lifecycle import State
from netvalve.domain.position import Position
from netvalve.domain.transaction import TransactionType
from netvalve.storage.queries import BOTH
from netvalve.storage.schema import accounts, banks, orders, transactions
from netvalve.storage.snapshot import snapshot_of

_POSITIONS: Final[Select[Any]] = (
    select(
        transactions.c.transaction_id,
        transactions.c.rrn,
        transactions.c.terminal_id,
        transactions.c.type,
        transactions.c.state,
        transactions.c.currency,
        func.coalesce(transactions.c.approved_minor, transactions.c.amount_minor),
        transactions.c.opened_at_ms,
        orders.c.captured_minor,
        orders.c.refunded_minor,
        orders.c.updated_at_ms,
        orders.c.in_flight_id.is_not(None),
    )
    .select_from(BOTH)
    .where(transactions.c.mti != "")
    .order_by(transactions.c.transaction_id)
)
"""What was sent: the cancel of a released rest has no message of its own."""


class UnknownBank(Exception):
    """No bank has this name."""


@contextmanager
def positions_of(database_url: str, bank: str | None) -> Iterator[Iterator[Position]]:
    """All transactions at one moment, of one bank or of all, the oldest first.

    Raises:
        UnknownBank: there is none of this name.
    """
    statement = _POSITIONS
    with snapshot_of(database_url) as connection:
        if bank is not None:
            number = connection.scalar(select(banks.c.bank_id).where(banks.c.name == bank))
            if number is None:
                raise UnknownBank(f"there is no bank {bank}; see `netvalve bank-profile list`")
            of_bank = select(accounts.c.mid_id).where(accounts.c.bank_id == number)
            statement = statement.where(transactions.c.mid_id.in_(of_bank))
        yield (_position(*row) for row in connection.execute(statement))


def _position(
    transaction_id: int, rrn: str, terminal_id: str, kind: str, state: str, *rest: Any
) -> Position:
    return Position(transaction_id, rrn, terminal_id, TransactionType(kind), State(state), *rest)
