"""`netvalve serve`: the gateway for real banks."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import typer

from netvalve.cli.failure import naming_ports
from netvalve.cli.keyring import require_key_ring
from netvalve.cli.output import AsJson
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.bootstrap import RunningGateway
    from netvalve.config import Settings


def serve(*, as_json: AsJson = False) -> None:
    """Run the gateway until SIGINT or SIGTERM; what it has taken by then, it finishes.

    With --json it prints one line once it listens: base_url, host, port.
    """
    from netvalve.cli.event_loop import run_until_done

    settings = load_settings()
    require_key_ring(settings)
    with naming_ports(settings.host, port=settings.port):
        run_until_done(_serve(settings, partial(_started, as_json=as_json)))


async def _serve(settings: "Settings", started: "Callable[[RunningGateway], None]") -> None:
    from netvalve.bootstrap import serve as run_gateway
    from netvalve.cli.event_loop import stop_on_signals

    await run_gateway(settings, sandbox=False, started=started, stop=stop_on_signals())


def _started(gateway: "RunningGateway", *, as_json: bool) -> None:
    if as_json:
        import orjson

        address = {"base_url": gateway.base_url, "host": gateway.host, "port": gateway.port}
        typer.echo(orjson.dumps(address).decode())
    else:
        typer.echo(f"The gateway takes requests at {gateway.base_url}")
