"""`netvalve check`: whether this installation could serve, before it does."""

import typer

from netvalve.cli.output import AsJson, show_rows
from netvalve.cli.settings import load_settings, unknown_variables


def check(*, as_json: AsJson = False) -> None:
    """Check settings, key ring, database and bank links; status 1 when something is wrong."""
    from netvalve.installation import check as check_parts

    settings = load_settings()
    unknown = ", ".join(unknown_variables())
    rows: list[dict[str, object]] = [
        {
            "name": "settings",
            "ok": not unknown,
            "detail": f"no setting reads {unknown}" if unknown else "read and valid",
        }
    ]
    rows += [
        {"name": each.name, "ok": each.ok, "detail": each.detail} for each in check_parts(settings)
    ]
    show_rows(rows, as_json=as_json)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)
