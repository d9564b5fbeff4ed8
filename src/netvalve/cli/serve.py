"""`netvalve serve`: the gateway for real banks."""

from typing import TYPE_CHECKING

import typer

from netvalve.cli.failure import naming_ports
from netvalve.cli.keyring import require_key_ring
from netvalve.cli.settings import load_settings

if TYPE_CHECKING:
    from netvalve.bootstrap import RunningGateway
    from netvalve.config import Settings


def serve() -> None:
    """Run the gateway until SIGINT or SIGTERM; what it has taken by then, it finishes."""
    from netvalve.cli.event_loop import run_until_done

    settings = load_settings()
    require_key_ring(settings)
    with naming_ports(settings.host, port=settings.port):
        run_until_done(_serve(settings))


async def _serve(settings: "Settings") -> None:
    from netvalve.bootstrap import serve as run_gateway
    from netvalve.cli.event_loop import stop_on_signals

    await run_gateway(settings, sandbox=False, started=_started, stop=stop_on_signals())


def _started(gateway: "RunningGateway") -> None:
    typer.echo(f"The gateway takes requests at {gateway.base_url}")
