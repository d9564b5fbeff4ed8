"""Who may ask for payments and through what: clients, sites, banks and merchant accounts."""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """What a merchant account may be used through. Source: the API's PaymentChannelType."""

    HPP = "HPP"
    API = "API"
    API_3DS = "API_3DS"
    HPP_3DS = "HPP_3DS"
    RETRY_WITH_HPP = "RETRY_WITH_HPP"
    SMART_ROUTING = "SMART_ROUTING"
    RETRY_WITH_SMART_ROUTING = "RETRY_WITH_SMART_ROUTING"
    SERVER_TO_SERVER = "SERVER_TO_SERVER"
    RETRY_WITH_SERVER_TO_SERVER = "RETRY_WITH_SERVER_TO_SERVER"
    APPLE_PAY = "APPLE_PAY"
    GOOGLE_PAY = "GOOGLE_PAY"
    SAMSUNG_PAY = "SAMSUNG_PAY"
    HPP_3DS_CARDS = "HPP_3DS_CARDS"
    HPP_3DS_APPLE_PAY = "HPP_3DS_APPLE_PAY"
    HPP_3DS_GOOGLE_PAY = "HPP_3DS_GOOGLE_PAY"
    HPP_3DS_SAMSUNG_PAY = "HPP_3DS_SAMSUNG_PAY"
    HPP_APPLE_PAY_CONFIG_NETVALVE_LEVEL = "HPP_APPLE_PAY_CONFIG_NETVALVE_LEVEL"
    HPP_APPLE_PAY_CONFIG_CLIENT_LEVEL = "HPP_APPLE_PAY_CONFIG_CLIENT_LEVEL"
    HPP_APPLE_PAY_CONFIG_MID_LEVEL = "HPP_APPLE_PAY_CONFIG_MID_LEVEL"
    HPP_GOOGLE_PAY_CONFIG_NETVALVE_LEVEL = "HPP_GOOGLE_PAY_CONFIG_NETVALVE_LEVEL"
    HPP_GOOGLE_PAY_CONFIG_CLIENT_LEVEL = "HPP_GOOGLE_PAY_CONFIG_CLIENT_LEVEL"
    HPP_GOOGLE_PAY_CONFIG_MID_LEVEL = "HPP_GOOGLE_PAY_CONFIG_MID_LEVEL"
    GATEWAY_TOKEN_SAVING = "GATEWAY_TOKEN_SAVING"
    GATEWAY_TOKEN_PROCESSING = "GATEWAY_TOKEN_PROCESSING"
    NETWORK_TOKEN_SAVING = "NETWORK_TOKEN_SAVING"
    NETWORK_TOKEN_PROCESSING = "NETWORK_TOKEN_PROCESSING"
    HOSTED_PAYMENT_FIELDS = "HOSTED_PAYMENT_FIELDS"
    ACCOUNT_UPDATER = "ACCOUNT_UPDATER"
    DISABLE_BLACKLIST = "DISABLE_BLACKLIST"
    ENABLE_DYNAMIC_DESCRIPTOR = "ENABLE_DYNAMIC_DESCRIPTOR"


class RequiredField(StrEnum):
    """A field of a sale or authorize that an account may ask for, by its name in the request."""

    SECURITY_CODE = "cardSecurityCode"
    CARD_HOLDER_NAME = "cardHolderName"
    FIRST_NAME = "customerName"
    LAST_NAME = "customerLastName"
    ADDRESS = "customerAddress"
    ZIP_CODE = "customerZipCode"
    COUNTRY = "customerCountryCode"


class Permission(StrEnum):
    """What an account allows beyond the plain operations."""

    PARTIAL_CAPTURE = "partial_capture"
    PARTIAL_REFUND = "partial_refund"
    REBILL = "rebill"


class BankCapability(StrEnum):
    """What a bank can do beyond authorize and sale."""

    CAPTURE = "capture"
    PARTIAL_CAPTURE = "partial_capture"
    CANCEL = "cancel"
    REFUND = "refund"
    PARTIAL_REFUND = "partial_refund"
    REBILL = "rebill"


@dataclass(frozen=True, slots=True)
class Client:
    """A merchant company."""

    client_id: int
    netvalve_client_id: str
    """The UUID sent in the header `netvalve-client-id`."""
    name: str
    enabled: bool = True
    requests_per_s: int | None = None
    """How many requests it may make in a second, over all gateways; None: as many as it likes."""


@dataclass(frozen=True, slots=True)
class Site:
    """A merchant's site, by which a payment may name its accounts."""

    site_id: str
    client_id: int
    name: str


@dataclass(frozen=True, slots=True)
class BankProfile:
    """A bank as the rules see it: what it can do and the code that names its failures."""

    bank_id: int
    name: str
    capabilities: frozenset[BankCapability]
    unreachable_code: str
    """The response code when a message surely was not sent: GTW_2052 for TSYS, GTW_2090, …"""
    host: str = "127.0.0.1"
    port: int = 8583


@dataclass(frozen=True, slots=True)
class MerchantAccount:
    """A merchant account (MID): one client's contract with one bank in one currency."""

    mid_id: int
    netvalve_mid_id: str
    client_id: int
    bank_id: int
    name: str
    currency: str
    bank_merchant_id: str
    """The bank's own number for the merchant, at most 15 characters (ISO 8583 field 42)."""
    descriptor: str
    mcc: str
    """Merchant category code, four digits (ISO 18245)."""
    country: str
    """ISO 3166 alpha-2."""
    site_id: str | None = None
    enabled: bool = True
    amount_min_minor: int | None = None
    amount_max_minor: int | None = None
    required_fields: frozenset[RequiredField] = frozenset()
    permissions: frozenset[Permission] = frozenset(Permission)
    channels: frozenset[Channel] = frozenset({Channel.API, Channel.API_3DS})
    rebill_needs_marker: bool = False
    """Whether a rebill asks for `requestTransactionType = RECURRING` on its parent."""
    hold_days: int | None = None
    """How long an authorization may wait for its capture; None: as long as its brand holds."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One of a client's API keys; the key itself is not kept."""

    key_id: int
    client_id: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class BasicUser:
    """A user name of a client for Basic authentication; the password itself is not kept."""

    user_name: str
    client_id: int
    digest: bytes
