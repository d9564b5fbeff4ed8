"""`netvalve order`: one order, its balance, its transactions and their history."""

from typing import Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.moment import utc_text
from netvalve.cli.number import number_of
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.cli.transaction_rows import amount_text, history_row, summary_rows
from netvalve.domain.order import Order

app = typer.Typer(no_args_is_help=True, help="Orders and their history.")


@app.command()
def show(
    order_id: Annotated[int, number_of("order")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show an order with its transactions and their history, whichever client's it is."""
    order, transactions, history = administration().order(order_id)
    record, of_order = order_record(order), summary_rows(transactions)
    events = [history_row(entry) for entry in history]
    if as_json:
        show_record({**record, "transactions": of_order, "history": events}, as_json=True)
        return
    show_record(record, as_json=False)
    for rows in (of_order, events):
        typer.echo()
        show_rows(rows, as_json=False)


def order_record(order: Order) -> Row:
    """What an operator asks of an order."""
    balance, code = order.balance, order.currency
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "client_id": order.client_id,
        "mid_id": order.mid_id,
        "type": order.type,
        "state": order.state,
        "amount": amount_text(order.amount_minor, code),
        "authorised": amount_text(balance.authorised_minor, code),
        "captured": amount_text(balance.captured_minor, code),
        "refunded": amount_text(balance.refunded_minor, code),
        "reserved": amount_text(balance.reserved_minor, code),
        "in_flight_id": order.in_flight_id,
        "card": order.card.masked,
        "trace_id": order.trace_id,
        "created": utc_text(order.created_at_ms),
        "updated": utc_text(order.updated_at_ms),
    }
