"""The admin's one page, as plain HTML without scripts."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from netvalve.banks.testbank.entry import Entry
from netvalve.banks.testbank.misbehaviour import Fault
from netvalve.banks.testbank.pace import Pace
from netvalve.banks.testbank.server import Traffic
from netvalve.banks.testbank.standing_faults import StandingFault
from netvalve.banks.testbank.statement import Totals, booked_at
from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.money import major_text

_STYLE: Final = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1b1f24; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border: 1px solid #d0d7de; padding: .25rem .6rem; text-align: left; }
th { background: #f3f5f7; } td.amount { text-align: right; }
form.inline { display: inline; } label { margin-right: 1rem; }
input { width: 6rem; }
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows."""

    totals: Totals
    latest: tuple[Entry, ...]
    faults: tuple[StandingFault, ...]
    pace: Pace
    traffic: Traffic


def admin_page(overview: Overview) -> str:
    """The whole page."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Test bank</title>
<style>{_STYLE}</style></head><body>
<h1>Test bank</h1>
<p>{overview.traffic.connections} connections, {overview.traffic.messages} messages since the
start, {overview.traffic.unreadable} of them unreadable.
The whole book: <a href="/book.csv">CSV</a>, <a href="/book">JSON</a>.</p>
<h2>Faults that hold</h2>
{_faults(overview.faults)}
{_fault_form()}
<h2>Pace</h2>
{_pace_form(overview.pace)}
<h2>Money on cards</h2>
{_table(("Currency", "Held", "Captured", "Refunded"), _money_rows(overview.totals))}
<h2>Messages</h2>
{_table(("Operation", "State", "Field 39", "Messages"), _count_rows(overview.totals))}
<h2>Latest entries</h2>
{_table(_LATEST_HEADER, map(_latest_row, overview.latest))}
</body></html>
"""


_LATEST_HEADER: Final = (
    "Booked",
    "Operation",
    "RRN",
    "Card",
    "Amount",
    "Field 39",
    "Auth code",
    "State",
)


def _faults(faults: Iterable[StandingFault]) -> str:
    rows = [
        (
            str(fault.number),
            " ".join(filter(None, (fault.misbehaviour.fault, fault.misbehaviour.response_code))),
            fault.operation or "every operation",
            f"{fault.percent:g} %",
            "until cleared" if fault.messages_left is None else f"{fault.messages_left} messages",
            str(fault.happened),
        )
        for fault in faults
    ]
    if not rows:
        return "<p>None.</p>"
    header = ("Number", "Fault", "Of", "Chance", "Left", "Happened")
    return f"""{_table(header, rows)}
<form method="post" action="/faults/clear"><button>Clear all</button></form>
<form method="post" action="/faults/clear"><label>Number <input name="number" required></label>
<button>Clear one</button></form>"""


def _fault_form() -> str:
    faults = "".join(f"<option>{fault}</option>" for fault in Fault)
    operations = '<option value="">every</option>' + "".join(
        f"<option>{operation}</option>" for operation in BankOperation
    )
    return f"""<form method="post" action="/faults">
<label>Fault <select name="fault">{faults}</select></label>
<label>Field 39 (code) <input name="response_code" maxlength="2"></label>
<label>Seconds (slow, late) <input name="delay_s"></label>
<label>Operation <select name="operation">{operations}</select></label>
<label>Next messages <input name="messages"></label>
<label>Percent <input name="percent"></label>
<label>Seed <input name="seed"></label>
<button>Set</button></form>"""


def _pace_form(pace: Pace) -> str:
    return f"""<form method="post" action="/pace">
<label>Every answer takes (s) <input name="latency_s" value="{pace.latency_s:g}"></label>
<label>A late answer takes (s) <input name="late_s" value="{pace.late_s:g}"></label>
<button>Set</button></form>"""


def _money_rows(totals: Totals) -> Iterable[tuple[str, ...]]:
    for money in totals.money:
        amounts = (money.held_minor, money.captured_minor, money.refunded_minor)
        of = currency(money.currency)
        yield money.currency, *(major_text(amount_minor, of) for amount_minor in amounts)


def _count_rows(totals: Totals) -> Iterable[tuple[str, ...]]:
    for count in totals.counts:
        yield count.operation, count.state, count.response_code, str(count.messages)


def _latest_row(entry: Entry) -> tuple[str, ...]:
    amount = major_text(entry.amount_minor, currency(entry.currency))
    return (
        booked_at(entry),
        entry.operation,
        entry.rrn,
        entry.card or "",
        f"{amount} {entry.currency}",
        entry.response_code,
        entry.auth_code or "",
        entry.state,
    )


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>"
