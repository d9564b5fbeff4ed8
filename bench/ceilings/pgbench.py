"""Ceiling (d), PostgreSQL alone: pgbench, 64 clients, the rows of one sale after another.

Three ways to write the same rows into the same tables, each prepared once a connection:

- the journal's own two statements, for one payment each, as no gateway with company sends them;
- plainly, a commit for the opening and one for the closing: what a gateway does without groups;
- plainly, all of a payment in one commit: less than any gateway may do, since nothing would be
  durable before the bank is asked.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Table

from bench.samples import NOW_MS, sale, sealed_card
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.mapping import order_row, outcome_values, transaction_row
from netvalve.storage.migrate import migrate
from netvalve.storage.months import first_number, month_of
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.closing import Closings
from netvalve.storage.postgres.opening import Openings, WantedOpening
from netvalve.storage.schema import events, order_keys, orders, transactions
from postgres_programs import find_programs

CLIENTS: Final = 64
JOURNAL: Final = "the journal's statements"
PLAIN: Final = "a commit each for opening and closing"
ONE_COMMIT: Final = "one commit for both"

_NUMBER: Final = 987_654_321_012
_EPOCH: Final = 424_242_424_242
_VARIABLES: Final = {_NUMBER: ":id", _EPOCH: ":client_id"}
"""Numbers that stand for what differs from payment to payment, wherever they occur in a value."""
_NUMBERING: Final = "\\set i :i + 1\n\\set id :base + :client_id * 100000000 + :i\n"
_ABOVE_THE_FIRST: Final = 1_000_000_000
_CONNECTED_S: Final = 3
"""At least so long: the clock runs while sixty-four clients connect."""
_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_OUTCOME: Final = (
    "response_code", "bank_response_code", "auth_code", "scheme_transaction_id", "avs_result",
    "cvv2_result", "approved_minor",
)  # fmt: skip
_SALE: Final = sale(_NUMBER, _NUMBER, NOW_MS, sealed_card())
_OWNER: Final = Owner("bench", _EPOCH)


class Pgbench:
    """The three scripts, on a database of their own."""

    def __init__(self, database_url: str, home: Path) -> None:
        self._url, self._home = database_url, home
        self._program = find_programs(home).folder / "pgbench"
        migrate(database_url)
        with closing(psycopg.connect(database_url, autocommit=True)) as connection:
            connection.execute(
                "INSERT INTO batches (epoch, writer, session, batch, verdicts)"
                " SELECT epoch, writer, 1, 0, '' FROM generate_series(0, %s) epoch,"
                " unnest(ARRAY['opening', 'closing']) writer",
                [CLIENTS - 1],
            )
        self._base = first_number(month_of(time.time_ns() // 1_000_000)) + _ABOVE_THE_FIRST
        self._runs = 0
        for name, text in _scripts().items():
            self._script(name).write_text(text)
            self._run(name, "-c", "1", "-t", "1")  # the card is known from here on

    def per_s(self, name: str, seconds: float) -> float:
        """Payments a second; none where not a single one was done."""
        output = self._run(
            name, "-c", str(CLIENTS), "-j", "2", "-T", str(max(round(seconds), _CONNECTED_S))
        )
        found = _TPS.search(output)
        return float(found[1]) if found else 0.0

    def _run(self, name: str, *options: str) -> str:
        self._runs += 1
        base = self._base + self._runs * CLIENTS * 100_000_000
        done = subprocess.run(
            [
                *(str(self._program), "-n", "-M", "prepared", "-f", str(self._script(name))),
                *("-D", "i=0", "-D", f"base={base}", *options, self._url),
            ],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"bench: pgbench failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def _script(self, name: str) -> Path:
        return self._home / f"{name.replace(' ', '-')}.sql"


def _scripts() -> dict[str, str]:
    opening, ending = list(_plain_opening()), list(_plain_closing())
    return {
        JOURNAL: _script([_journal_opening(), _journal_closing()]),
        PLAIN: _script(["BEGIN", *opening, "COMMIT", "BEGIN", *ending, "COMMIT"]),
        ONE_COMMIT: _script(["BEGIN", *opening, *ending, "COMMIT"]),
    }


def _script(statements: Sequence[str]) -> str:
    return _NUMBERING + "".join(f"{each.strip()};\n" for each in statements)


def _journal_opening() -> str:
    text, arguments = Openings(_OWNER).call([WantedOpening(_SALE.opening, lambda: True)])
    return _filled(text, Openings.writer, arguments)


def _journal_closing() -> str:
    text, arguments = Closings(_OWNER).call([_SALE.closing])
    return _filled(text, Closings.writer, arguments)


def _filled(text: str, writer: str, arguments: Sequence[Any]) -> str:
    """A batch of one with its values in the text: epoch, writer, session and batch come first."""
    values = [literal(each) for each in (_EPOCH, writer, 1, 1, *arguments)]
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1]) - 1], text)


def _plain_opening() -> Iterator[str]:
    opening = _SALE.opening
    assert opening.new_order is not None  # noqa: S101  # a sale opens one
    order, transaction = opening.new_order.order, opening.transaction
    key = (order.client_id, order.client_order_id, order.order_id)
    yield _insert(order_keys, key)
    yield _insert(orders, order_row(order, card_id=_NUMBER, in_flight_id=_NUMBER))
    yield _insert(
        transactions, transaction_row(transaction, mti=opening.mti, node="bench", owner_epoch=1)
    )
    yield _event(1, Event.OPENED, State.PENDING, opening.mti)


def _plain_closing() -> Iterator[str]:
    ending = _SALE.closing
    balance = ending.balance
    outcome = ", ".join(
        f"{name} = {literal(value)}"
        for name, value in zip(_OUTCOME, outcome_values(ending.outcome), strict=True)
    )
    yield (
        f"UPDATE orders SET state = '{State.APPROVED}', in_flight_id = NULL, charge_id = :id,"
        f" authorised_minor = authorised_minor + {balance.authorised_minor},"
        f" captured_minor = captured_minor + {balance.captured_minor},"
        f" updated_at_ms = {ending.at_ms} WHERE order_id = :id AND in_flight_id = :id"
    )
    yield (
        f"UPDATE transactions SET state = '{State.APPROVED}', closed_at_ms = {ending.at_ms},"
        f" {outcome} WHERE transaction_id = :id AND state = '{State.PENDING}'"
    )
    yield _event(2, Event.APPROVED, State.APPROVED, ending.answer_mti)


def _insert(table: Table, row: Sequence[object]) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(map(literal, row))})"


def _event(sequence: int, event: Event, state: State, mti: str | None) -> str:
    identity = _SALE.opening.transaction.identity
    code = None if event is Event.OPENED else _SALE.closing.response_code_39
    named = (identity.transmitted_at, identity.stan, identity.rrn, identity.terminal_id)
    row = (_NUMBER, sequence, event, state, NOW_MS, "bench", mti, *named, code, None)
    return _insert(events, row)


def literal(value: object) -> str:
    """A value as SQL, with variables where one of the numbers that stand for them occurs.

    Colons within texts are escaped: pgbench would take what follows for a variable's name.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int():
            return _VARIABLES.get(value, str(value))
        case bytes():
            return f"decode('{value.hex()}', 'hex')"
        case list() | tuple():
            return f"ARRAY[{', '.join(map(literal, value))}]"
    text = str(value).replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    quoted = f"E'{text}'"
    for number, variable in _VARIABLES.items():
        if str(number) in text:
            quoted = f"replace({quoted}, '{number}', ({variable})::text)"
    return quoted
