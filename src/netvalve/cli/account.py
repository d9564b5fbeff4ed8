"""`netvalve account`: merchant accounts (MIDs), one client's contract with one bank each."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from netvalve.catalogue.currencies import currency as currency_of
from netvalve.cli.administration import administration
from netvalve.cli.client import ClientId
from netvalve.cli.failure import Failure
from netvalve.cli.name_list import Name, name_list
from netvalve.cli.number import number_of
from netvalve.cli.output import AsJson, Row, show_record, show_rows
from netvalve.domain.client import Channel, MerchantAccount, Permission, RequiredField
from netvalve.domain.money import major_text, minor_units

app = typer.Typer(no_args_is_help=True, help="Merchant accounts.")

NameOption = Annotated[str | None, typer.Option(help="Name for people.")]


@app.command()
def add(
    client_id: ClientId,
    bank_id: Annotated[int, number_of("bank")],
    *,
    name: Annotated[str, typer.Option(help="Name for people.")],
    currency: Annotated[str, typer.Option(help="Its one currency: USD.")],
    bank_merchant_id: Annotated[
        str, typer.Option(help="The bank's number for the merchant, at most 15 characters.")
    ],
    descriptor: Annotated[str, typer.Option(help="What card holders read on their statement.")],
    mcc: Annotated[str, typer.Option(help="Merchant category code, four digits.")],
    country: Annotated[str, typer.Option(help="Country of the merchant, two letters.")],
    site_id: Annotated[str | None, typer.Option(help="UUID of the client's site.")] = None,
    netvalve_mid_id: Annotated[
        str | None, typer.Option(help="UUID of the account; a new one if left out.")
    ] = None,
    hold_days: Annotated[
        int | None,
        typer.Option(help="Days an authorization waits for its capture; its brand's if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add an account without restrictions; `account set` restricts it."""
    added = administration().add_account(
        MerchantAccount(
            mid_id=0,
            netvalve_mid_id=netvalve_mid_id or "",
            client_id=client_id,
            bank_id=bank_id,
            name=name,
            currency=currency.upper(),
            bank_merchant_id=bank_merchant_id,
            descriptor=descriptor,
            mcc=mcc,
            country=country.upper(),
            site_id=site_id,
            hold_days=hold_days,
        )
    )
    show_record(_row(added), as_json=as_json)


@app.command("list")
def list_accounts(*, as_json: AsJson = False) -> None:
    """List the accounts."""
    show_rows([_row(each) for each in administration().accounts()], as_json=as_json)


@app.command("set")
def set_account(
    mid_id: Annotated[int, number_of("account")],
    *,
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Whether it takes new payments.")
    ] = None,
    name: NameOption = None,
    descriptor: Annotated[str | None, typer.Option(help="What card holders read.")] = None,
    amount_min: Annotated[
        str | None, typer.Option(help="Lowest amount in major units, 10.00, or none.")
    ] = None,
    amount_max: Annotated[
        str | None, typer.Option(help="Highest amount in major units, 100.00, or none.")
    ] = None,
    required_fields: Annotated[
        str | None, typer.Option(help="Fields a payment must have: a comma list, or none.")
    ] = None,
    permissions: Annotated[
        str | None, typer.Option(help="What it allows: a comma list, or none.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="What it is used through: a comma list, or none.")
    ] = None,
    rebill_needs_marker: Annotated[
        bool | None,
        typer.Option(
            "--rebill-needs-marker/--rebill-needs-no-marker",
            help="Whether a rebill asks for a payment marked RECURRING.",
        ),
    ] = None,
    hold_days: Annotated[
        str | None,
        typer.Option(help="Days an authorization waits for its capture, or none for its brand's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change an account; what is not given stays."""
    store = administration()
    currency = store.account(mid_id).currency
    given = {
        "enabled": enabled,
        "name": name,
        "descriptor": descriptor,
        "required_fields": _names(required_fields, RequiredField),
        "permissions": _names(permissions, Permission),
        "channels": _names(channels, Channel),
        "rebill_needs_marker": rebill_needs_marker,
    }
    changes: dict[str, Any] = {field: each for field, each in given.items() if each is not None}
    changes |= _limit("amount_min_minor", amount_min, currency)
    changes |= _limit("amount_max_minor", amount_max, currency)
    changes |= _hold(hold_days)
    show_record(_row(store.set_account(mid_id, changes)), as_json=as_json)


def _names(text: str | None, kind: type[Name]) -> frozenset[Name] | None:
    return None if text is None else name_list(text, kind)


def _limit(field: str, text: str | None, currency: str) -> dict[str, int | None]:
    """The change that a limit in major units means, in minor units; none lifts it."""
    if text is None:
        return {}
    if text.lower() == "none":
        return {field: None}
    try:
        amount_minor = minor_units(Decimal(text), currency_of(currency))
    except (InvalidOperation, OverflowError):
        amount_minor = None
    if amount_minor is None:
        raise Failure(f"{text} is not an amount of {currency}")
    return {field: amount_minor}


def _hold(text: str | None) -> dict[str, int | None]:
    """The change that a number of days means; none lets each brand have its own."""
    if text is None:
        return {}
    if text.lower() == "none":
        return {"hold_days": None}
    if not (text.isascii() and text.isdigit()):
        raise Failure(f"{text} is not a number of days")
    return {"hold_days": int(text)}


def _row(account: MerchantAccount) -> Row:
    currency = currency_of(account.currency)
    limits = (account.amount_min_minor, account.amount_max_minor)
    low, high = (None if each is None else major_text(each, currency) for each in limits)
    return {
        "mid_id": account.mid_id,
        "netvalve_mid_id": account.netvalve_mid_id,
        "client_id": account.client_id,
        "bank_id": account.bank_id,
        "site_id": account.site_id,
        "name": account.name,
        "currency": account.currency,
        "bank_merchant_id": account.bank_merchant_id,
        "descriptor": account.descriptor,
        "mcc": account.mcc,
        "country": account.country,
        "enabled": account.enabled,
        "amount_min": low,
        "amount_max": high,
        "required_fields": sorted(account.required_fields),
        "permissions": sorted(account.permissions),
        "channels": sorted(account.channels),
        "rebill_needs_marker": account.rebill_needs_marker,
        "hold_days": account.hold_days,
    }
