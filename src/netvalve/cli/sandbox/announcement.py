"""What a started sandbox says: on the screen for people, in `sandbox.json` for programs."""

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson
import typer

from netvalve.cli.sandbox.bank_process import BankProcess
from netvalve.cli.sandbox.merchant import SandboxMerchant

FILE_NAME: Final = "sandbox.json"

_SALE: Final = (
    '{"midId": 1, "amount": 12.00, "currency": "USD", "paymentType": "CARD", '
    '"clientOrderId": "%s", "cardNumber": "4012000098765439", "cardExpireMonth": "12", '
    '"cardExpireYear": "2030", "cardSecurityCode": "999"}'
)
_FRESH_ORDER: Final = "try-'\"$(date +%s)-$RANDOM\"'"
"""Leaves the quotes of the body for a moment, so that each paste is an order of its own."""


def tell(line: str, *, error: bool = False) -> None:
    """Prints to who may have gone: the sandbox works on, and ends, without a reader."""
    with suppress(OSError, ValueError):  # a broken pipe, a full disk; a closed stream
        typer.echo(line, err=error)


def announce(base_url: str, bank: BankProcess, merchant: SandboxMerchant, home: Path) -> None:
    """Prints what runs, where, for whom, and a sale to paste."""
    credentials = merchant.credentials
    tell(
        f"""
NetValve sandbox

  gateway             {base_url}
  API reference       {base_url}/api
  test bank           {bank.host}:{bank.port}, its admin http://127.0.0.1:{bank.admin_port}
  data                {home.resolve()} (kept; delete it to begin anew)

  netvalve-client-id  {merchant.client.netvalve_client_id}
  netvalve-api-key    {credentials.api_key}
  Basic user          {credentials.basic_user}
  Basic password      {credentials.basic_password}
                      (public, for the sandbox only)

A sale to paste into another terminal, as often as you like:

{sale_command(base_url, merchant)}

Ctrl-C ends the gateway, then the bank.
"""
    )


def announce_as_json(base_url: str, merchant: SandboxMerchant) -> None:
    """Prints in one line what `sandbox.json` holds."""
    tell(orjson.dumps(_facts(base_url, merchant)).decode())


def sale_command(base_url: str, merchant: SandboxMerchant) -> str:
    """One curl command for a sale that is approved; each run of it is a new order."""
    return " \\\n  ".join(
        (
            f"curl -s {base_url}/sale",
            f"-H {shlex.quote(f'netvalve-client-id: {merchant.client.netvalve_client_id}')}",
            f"-H {shlex.quote(f'netvalve-api-key: {merchant.credentials.api_key}')}",
            "-H 'content-type: application/json'",
            f"-d '{_SALE % _FRESH_ORDER}'",
        )
    )


def write_sandbox_file(base_url: str, merchant: SandboxMerchant, home: Path) -> None:
    """Writes `sandbox.json` whole or not at all, readable by its owner alone."""
    file = home / FILE_NAME
    beside = home / f".{FILE_NAME}.{os.getpid()}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(orjson.dumps(_facts(base_url, merchant), option=orjson.OPT_INDENT_2))
    beside.replace(file)


def _facts(base_url: str, merchant: SandboxMerchant) -> dict[str, Any]:
    """Where a program finds the gateway, and as whom it may ask."""
    credentials = merchant.credentials
    return {
        "base_url": base_url,
        "client_id": merchant.client.netvalve_client_id,
        "api_key": credentials.api_key,
        "basic_user": credentials.basic_user,
        "basic_password": credentials.basic_password,
        "site_id": merchant.site.site_id,
        "accounts": [
            {
                "mid_id": account.mid_id,
                "netvalve_mid_id": account.netvalve_mid_id,
                "currency": account.currency,
                "bank": merchant.bank_of(account).name,
                "name": account.name,
            }
            for account in merchant.accounts
        ],
    }
