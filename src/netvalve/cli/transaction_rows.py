"""Transactions, their history and their stored messages, as an operator reads them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netvalve.catalogue.currencies import currency
from netvalve.cli.moment import utc_text
from netvalve.cli.output import Row
from netvalve.domain.journal import HistoryEntry
from netvalve.domain.lifecycle import public_status
from netvalve.domain.money import major_text
from netvalve.domain.order import Order
from netvalve.domain.transaction import Outcome, Transaction

if TYPE_CHECKING:
    from netvalve.storage.stored_messages import MessageReport, Unended

_NO_OUTCOME = Outcome(response_code="")


def transaction_record(transaction: Transaction, order: Order) -> Row:
    """What an operator asks of a transaction."""
    outcome = transaction.outcome or _NO_OUTCOME
    return {
        "transaction_id": transaction.transaction_id,
        "type": transaction.type,
        "state": transaction.state,
        "status": public_status(transaction.type, transaction.state),
        "amount": amount_text(transaction.amount_minor, transaction.currency),
        "order_id": transaction.order_id,
        "client_order_id": order.client_order_id,
        "client_id": transaction.client_id,
        "mid_id": transaction.mid_id,
        "parent_id": transaction.parent_id,
        "card": order.card.masked,
        "response_code": outcome.response_code or None,
        "field_39": outcome.bank_response_code,
        "auth_code": outcome.auth_code,
        "stan": transaction.identity.stan,
        "rrn": transaction.identity.rrn,
        "terminal": transaction.identity.terminal_id,
        "trace_id": transaction.trace_id,
        "opened": utc_text(transaction.opened_at_ms),
        "closed": utc_text(transaction.closed_at_ms),
    }


def history_row(entry: HistoryEntry) -> Row:
    """One event as it is listed."""
    identity = entry.identity
    return {
        "transaction_id": entry.transaction_id,
        "event": entry.event,
        "state": entry.state,
        "at": utc_text(entry.at_ms),
        "message_type": entry.mti,
        "stan": identity.stan if identity else None,
        "rrn": identity.rrn if identity else None,
        "field_39": entry.response_code_39,
        "node": entry.node,
        "detail": entry.detail,
    }


def amount_text(amount_minor: int, code: str) -> str:
    """`12.00 USD`."""
    return f"{major_text(amount_minor, currency(code))} {code}"


def summary_rows(transactions: Sequence[Transaction]) -> list[Row]:
    """The transactions of an order, a row each."""
    return [
        {
            "transaction_id": each.transaction_id,
            "type": each.type,
            "state": each.state,
            "amount": amount_text(each.amount_minor, each.currency),
            "response_code": each.outcome.response_code if each.outcome else None,
            "rrn": each.identity.rrn,
            "opened": utc_text(each.opened_at_ms),
        }
        for each in transactions
    ]


def message_row(message: "MessageReport") -> Row:
    """One stored message of a transaction."""
    resolution = message.resolution
    return {
        "message": message.kind,
        "attempts": message.attempts,
        "next_attempt": utc_text(message.next_attempt_at_ms),
        "ended": utc_text(message.ended_at_ms),
        "refused_with": message.refused_39,
        "resolved_as": resolution.as_ if resolution else None,
        "reason": resolution.reason if resolution else None,
    }


def unended_row(unended: "Unended", now_ms: int) -> Row:
    """One transaction without an end, and what is done about it."""
    transaction, message = unended.transaction, unended.message
    resolution = message.resolution if message else None
    return {
        "transaction_id": transaction.transaction_id,
        "type": transaction.type,
        "state": transaction.state,
        "amount": amount_text(transaction.amount_minor, transaction.currency),
        "client_id": transaction.client_id,
        "rrn": transaction.identity.rrn,
        "opened": utc_text(transaction.opened_at_ms),
        "age_s": max(now_ms - transaction.opened_at_ms, 0) // 1000,
        "message": message.forward.kind if message else None,
        "attempts": message.attempts if message else None,
        "next_attempt": utc_text(message.forward.next_attempt_at_ms) if message else None,
        "refused_with": message.refused_39 if message else None,
        "resolved_as": resolution.as_ if resolution else None,
    }
