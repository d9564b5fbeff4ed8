"""`netvalve reconcile`: the gateway's money against a bank's book."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from netvalve.catalogue.currencies import currency
from netvalve.cli.failure import Failure
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.cli.settings import load_settings
from netvalve.domain.bank_book import BookError, book_lines
from netvalve.domain.money import major_text
from netvalve.domain.reconciliation import Difference, Period, Reconciliation, compare

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def reconcile(
    book: Annotated[
        typer.FileText, typer.Argument(help="The bank's book as CSV; `-` reads standard input.")
    ],
    *,
    bank: Annotated[
        str | None, typer.Option(help="Name of the bank whose book it is; left out, all banks'.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="UTC: what was opened earlier may be missing there."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="UTC: what has happened since may be missing there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what was approved here with what a bank has booked; status 1 when they differ.

    What is still being ended with the bank, or has moved since `--until`, is listed apart and is no
    difference.
    """
    found = _compared(book, bank, Period(_milliseconds(since), _milliseconds(until)))
    if as_json:
        show_record(_record(found), as_json=True)
    else:
        _show(found)
    if found.differences:
        raise typer.Exit(1)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _compared(book: Iterable[str], bank: str | None, period: Period) -> Reconciliation:
    from netvalve.storage.verification.positions import UnknownBank, positions_of

    try:
        lines = tuple(book_lines(book))
        with positions_of(load_settings().database_url, bank) as positions:
            return compare(positions, lines, period)
    except (BookError, UnknownBank) as error:
        raise Failure(str(error)) from None


def _show(found: Reconciliation) -> None:
    for heading, rows in (
        ("Money", _sum_rows(found)),
        ("Still being ended, or moved since", [asdict(each) for each in found.waiting]),
        ("Differences", [_difference_row(each) for each in found.differences]),
    ):
        if rows:
            typer.echo(heading)
            show_rows(rows, as_json=False)
            typer.echo()
    typer.echo(
        f"{found.agreed} messages agree, {len(found.waiting)} are on their way, "
        f"{len(found.differences)} differ"
    )


def _record(found: Reconciliation) -> Row:
    return {
        "agreed": found.agreed,
        "money": {
            code: {"here": asdict(found.here[code]), "there": asdict(found.there[code])}
            for code in _currencies(found)
        },
        "waiting": [asdict(each) for each in found.waiting],
        "differences": [_difference_row(each) for each in found.differences],
    }


def _sum_rows(found: Reconciliation) -> list[Row]:
    """A row a side: captured, refunded, held and reversed."""
    return [
        {
            "currency": code,
            "where": where,
            **{
                name.removesuffix("_minor"): major_text(amount_minor, currency(code))
                for name, amount_minor in asdict(sums[code]).items()
            },
        }
        for code in _currencies(found)
        for where, sums in (("gateway", found.here), ("bank", found.there))
    ]


def _currencies(found: Reconciliation) -> list[str]:
    return sorted({*found.here, *found.there})


def _difference_row(difference: Difference) -> Row:
    return {
        "transaction_id": difference.transaction_id,
        "rrn": difference.rrn,
        "gateway": difference.here,
        "bank": difference.there,
        "what_to_do": difference.verdict.value,
    }
