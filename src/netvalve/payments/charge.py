"""What sale and authorize ask of an account before anything is opened. Pure.

Sources of the rules: wire contract, sections 1 and 3.
"""

from collections.abc import Mapping

from netvalve.catalogue.currencies import Currency
from netvalve.domain.client import Channel, MerchantAccount, RequiredField
from netvalve.domain.directory import Directory
from netvalve.domain.refusal import ChannelRefused, FieldError, InvalidFields, Refusal
from netvalve.payments.commands import AccountSelector, ChargeCommand

_MISSING: dict[RequiredField, str] = {
    RequiredField.SECURITY_CODE: "GTW_2001",
    RequiredField.CARD_HOLDER_NAME: "GTW_2021",
    RequiredField.FIRST_NAME: "GTW_2025",
    RequiredField.LAST_NAME: "GTW_2036",
    RequiredField.ADDRESS: "GTW_2010",
    RequiredField.ZIP_CODE: "GTW_2011",
    RequiredField.COUNTRY: "GTW_2012",
}
"""In the order of the request's model, which is the order of the answer."""


def select_account(
    directory: Directory, client_id: int, selector: AccountSelector, currency: Currency
) -> MerchantAccount | Refusal:
    """The one account a payment uses: by midId, else netvalveMidId, else the site's.

    Of a site it is the first enabled account in the payment's currency.
    """
    if selector.mid_id is not None:
        account = directory.account(client_id, selector.mid_id)
    elif selector.netvalve_mid_id is not None:
        account = directory.account_by_uuid(client_id, selector.netvalve_mid_id)
    elif selector.site_id is not None:
        return _account_of_site(directory, client_id, selector.site_id, currency)
    else:
        return Refusal("GTW_2000", "no account named")
    if account is None or not account.enabled:
        return Refusal("GTW_2000", "account unknown or disabled")
    return account


def _account_of_site(
    directory: Directory, client_id: int, site_id: str, currency: Currency
) -> MerchantAccount | Refusal:
    accounts = [each for each in directory.site_accounts(client_id, site_id) or () if each.enabled]
    if not accounts:
        return Refusal("GTW_2000", "site unknown or without an account")
    for account in accounts:
        if account.currency == currency.code:
            return account
    return Refusal("GTW_2019", "no account of the site has this currency")


def refusal_of(
    command: ChargeCommand, account: MerchantAccount
) -> Refusal | InvalidFields | ChannelRefused | None:
    """Why this account may not take this payment, or None."""
    return (
        _channel_refusal(command, account)
        or _refused_fields(command, account)
        or _currency_refusal(command.currency, account)
        or limit_refusal(command.amount_minor, account)
    )


def _channel_refusal(command: ChargeCommand, account: MerchantAccount) -> ChannelRefused | None:
    details = command.details
    if Channel.API not in account.channels:
        return ChannelRefused("account has no channel API")
    if details.payment_type != "CARD" or command.has_payment_token:
        return ChannelRefused(f"payment by {details.wallet_type or 'token'} is not enabled")
    if details.three_ds is not None and Channel.API_3DS not in account.channels:
        return ChannelRefused("account has no channel API_3DS")
    if details.descriptor and Channel.ENABLE_DYNAMIC_DESCRIPTOR not in account.channels:
        return ChannelRefused("account has no channel ENABLE_DYNAMIC_DESCRIPTOR")
    return None


def _refused_fields(command: ChargeCommand, account: MerchantAccount) -> InvalidFields | None:
    if not account.required_fields:
        return None
    customer = command.details.customer
    given = {
        RequiredField.SECURITY_CODE: command.card.security_code,
        RequiredField.CARD_HOLDER_NAME: command.card_holder_name,
        RequiredField.FIRST_NAME: customer.first_name,
        RequiredField.LAST_NAME: customer.last_name,
        RequiredField.ADDRESS: customer.address,
        RequiredField.ZIP_CODE: customer.zip_code,
        RequiredField.COUNTRY: customer.country,
    }
    errors = missing_fields(account, given)
    return InvalidFields(errors) if errors else None


def missing_fields(
    account: MerchantAccount, given: Mapping[RequiredField, object]
) -> tuple[FieldError, ...]:
    """What the account requires and is not given, in the order of the request's model."""
    return tuple(
        FieldError(field, code)
        for field, code in _MISSING.items()
        if field in account.required_fields and _says_nothing(given[field])
    )


def _says_nothing(value: object) -> bool:
    """Not sent, or blanks alone."""
    return not value or (isinstance(value, str) and not value.strip())


def _currency_refusal(currency: Currency, account: MerchantAccount) -> Refusal | None:
    if currency.code != account.currency:
        return Refusal("GTW_2019", f"the account's currency is {account.currency}")
    return None


def limit_refusal(amount_minor: int, account: MerchantAccount) -> Refusal | None:
    """GTW_2008 below the account's lowest amount, GTW_2009 above its highest."""
    if account.amount_min_minor is not None and amount_minor < account.amount_min_minor:
        return Refusal("GTW_2008")
    if account.amount_max_minor is not None and amount_minor > account.amount_max_minor:
        return Refusal("GTW_2009")
    return None
