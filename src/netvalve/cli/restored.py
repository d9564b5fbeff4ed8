"""`netvalve restored`: makes a restored store fit to go on."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from netvalve.cli.output import AsJson, show_record, show_rows
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.storage.restored import Resumption


def restored(*, as_json: AsJson = False) -> None:
    """Move every counter past what was given out since the copy was taken.

    Once after each restore to an earlier moment, before the first gateway starts.
    """
    from netvalve.storage.restored import resume

    found = resume(load_settings().database_url, time.time_ns() // 1_000_000)
    if as_json:
        show_record(asdict(found), as_json=True)
        return
    show_rows([asdict(each) for each in found.counters], as_json=False)
    typer.echo()
    typer.echo(_what_is_left(found))


def _what_is_left(found: "Resumption") -> str:
    if not found.pending:
        return "Nothing was under way in the copy. Reconcile it with the banks' books."
    return (
        f"{found.pending} transactions were under way in the copy (`netvalve transaction list "
        "--pending`): a gateway will reverse or repeat them, whatever came of them since. "
        "Reconcile with the banks' books first."
    )
