"""`netvalve sandbox`: the gateway and the test bank, ready to be played with."""

import ipaddress
import os
from typing import TYPE_CHECKING

import typer

from netvalve.cli.failure import Failure
from netvalve.cli.output import AsJson
from netvalve.cli.settings import load_settings, variable_of

if TYPE_CHECKING:
    from netvalve.config import Settings


def sandbox(*, as_json: AsJson = False) -> None:
    """Start the gateway and a test bank with a merchant to play, until Ctrl-C. Keeps its data.

    With --json it prints one line once it listens: what `sandbox.json` holds.
    """
    from netvalve.cli.event_loop import run_until_done
    from netvalve.cli.sandbox.session import run_sandbox

    settings = load_settings()
    _refuse_public_address(settings)
    raise typer.Exit(run_until_done(run_sandbox(settings, as_json=as_json)))


def _refuse_public_address(settings: "Settings") -> None:
    """The credentials are public: whoever opens them to a network must have meant it."""
    variable = variable_of("host")
    if not _is_loopback(settings.host) and variable not in os.environ:
        raise Failure(
            f"the sandbox's credentials are public and {settings.host} is not loopback; "
            f"set {variable}={settings.host} in the environment if that is what you want"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
