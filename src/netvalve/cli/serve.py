"""`netvalve serve`: the gateway for real banks."""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from netvalve.cli.failure import Failure, naming_ports
from netvalve.cli.keyring import require_key_ring
from netvalve.cli.output import AsJson
from netvalve.cli.settings import load_settings, variable_of

if TYPE_CHECKING:
    from netvalve.config import Settings

Started = Callable[[str, int], None]
"""Hears the host and the port once requests are taken."""


def serve(
    *,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes on the one port; the setting workers."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the gateway until SIGINT or SIGTERM; what it has taken by then, it finishes.

    With --json it prints one line once it listens: base_url, host, port.
    """
    from netvalve.cli.event_loop import run_until_done

    settings = load_settings(**({} if workers is None else {"workers": workers}))
    require_key_ring(settings)
    started = partial(_started, as_json=as_json)
    run = _serve if settings.workers == 1 else _supervise
    with naming_ports(settings.host, port=settings.port):
        raise typer.Exit(run_until_done(run(settings, started)))


async def _serve(settings: "Settings", started: Started) -> int:
    from netvalve.bootstrap import serve as run_gateway
    from netvalve.cli.event_loop import stop_on_signals

    await run_gateway(
        settings,
        sandbox=False,
        started=lambda gateway: started(gateway.host, gateway.port),
        stop=stop_on_signals(),
    )
    return 0


async def _supervise(settings: "Settings", started: Started) -> int:
    """Goes past `bootstrap`, which loads a whole gateway: this process runs none."""
    from netvalve.cli.event_loop import stop_on_signals
    from netvalve.workers.supervisor import supervise
    from netvalve.workers.worker_process import WorkerFailed

    _require_room_for_several(settings)
    command = (sys.executable, "-m", "netvalve.cli.worker")
    try:
        finished = await supervise(
            settings, command=command, started=started, stop=stop_on_signals()
        )
    except WorkerFailed as failed:
        raise Failure(str(failed)) from None
    return 0 if finished else 1


def _require_room_for_several(settings: "Settings") -> None:
    from netvalve.storage.engine import is_postgres

    if not is_postgres(settings.database_url):
        raise Failure(
            f"{settings.workers} workers need PostgreSQL ({variable_of('database')}="
            "postgresql://…); a SQLite database is for one process"
        )


def _started(host: str, port: int, *, as_json: bool) -> None:
    from netvalve.api.port import base_url

    url = base_url(host, port)
    if as_json:
        import orjson

        typer.echo(orjson.dumps({"base_url": url, "host": host, "port": port}).decode())
    else:
        typer.echo(f"The gateway takes requests at {url}")
