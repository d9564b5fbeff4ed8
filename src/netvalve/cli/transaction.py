"""`netvalve transaction`: one transaction, what has no end yet, and an end by hand."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from netvalve.cli.administration import administration
from netvalve.cli.failure import Failure
from netvalve.cli.number import NUMBER_MAX, number_of
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.cli.transaction_rows import (
    history_row,
    message_row,
    transaction_record,
    unended_row,
)
from netvalve.domain.journal import Resolution, ResolvedAs
from netvalve.domain.lifecycle import State

if TYPE_CHECKING:
    from netvalve.storage.administration import Administration

app = typer.Typer(no_args_is_help=True, help="Transactions, their history and their end.")

Number = Annotated[int, number_of("transaction", metavar="ID")]

_WAIT_S = 5.0
"""How long a running gateway is waited for; it looks several times a second."""
_LOOK_AGAIN_S = 0.1
_OPEN = (State.PENDING, State.REVERSING)


@app.command()
def show(transaction_id: Number, *, as_json: AsJson = False) -> None:
    """Show a transaction and its history, whichever client's it is."""
    store = administration()
    transaction, order, history = store.transaction(transaction_id)
    messages = [message_row(each) for each in store.stored_messages(transaction_id)]
    record, steps = transaction_record(transaction, order), [history_row(each) for each in history]
    if as_json:
        show_record({**record, "messages": messages, "history": steps}, as_json=True)
        return
    show_record(record, as_json=False)
    for rows in filter(None, (messages, steps)):
        typer.echo()
        show_rows(rows, as_json=False)


@app.command("list")
def list_unended(
    *,
    pending: Annotated[
        bool, typer.Option("--pending", help="Everything whose end is not known yet.")
    ] = False,
    refused: Annotated[
        bool,
        typer.Option(
            "--refused",
            help="What its bank has last refused to undo, or approved otherwise than asked.",
        ),
    ] = False,
    first: Annotated[
        int, typer.Option(min=1, max=NUMBER_MAX, help="How many to show, the oldest first.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """List what has no end yet, or what a bank has refused to end."""
    if pending == refused:
        raise Failure("say which to list: --pending or --refused")
    now_ms = time.time_ns() // 1_000_000
    found = administration().unended(first=first, refused=refused)
    show_rows([unended_row(each, now_ms) for each in found], as_json=as_json)


@app.command()
def resolve(
    transaction_id: Number,
    *,
    as_: Annotated[
        ResolvedAs,
        typer.Option(
            "--as",
            help="reversed: a charge that is being reversed. approved, declined: a capture, refund "
            "or cancel that is pending.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, and who says so; kept in the history.")],
    as_json: AsJson = False,
) -> None:
    """End by hand what no answer of the bank ends. A running gateway carries it out."""
    store = administration()
    store.resolve(transaction_id, Resolution(as_, reason))
    record = _once_ended(store, transaction_id)
    show_record(record, as_json=as_json)
    if record["state"] in _OPEN and not as_json:
        typer.echo()
        typer.echo(f"Recorded. It ends as {as_} as soon as a gateway runs on this store.")


def _once_ended(store: "Administration", transaction_id: int) -> Row:
    """The transaction as it stands when it has ended, or when it has been waited for enough."""
    end_s = time.monotonic() + _WAIT_S
    while True:
        transaction, order, _ = store.transaction(transaction_id)
        if transaction.state not in _OPEN or time.monotonic() >= end_s:
            return transaction_record(transaction, order)
        time.sleep(_LOOK_AGAIN_S)
