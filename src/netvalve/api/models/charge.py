"""The body of `/sale` and `/authorize`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field
from pydantic_core import PydanticCustomError

from netvalve.api.models import rules
from netvalve.api.models.additional_data import AdditionalDataDTO
from netvalve.api.models.fields import (
    AccountName,
    Address,
    Amount,
    City,
    ClientOrderId,
    Code,
    CountryCode,
    CurrencyCode,
    Descriptor,
    Email,
    ExpiryMonth,
    ExpiryYear,
    FirstName,
    HolderName,
    IpAddress,
    LastName,
    MidId,
    Number,
    Payload,
    PaymentType,
    Phone,
    Region,
    Text,
    TextMap,
    WalletType,
    ZipCode,
)
from netvalve.api.models.model import Request
from netvalve.api.models.three_ds import ThreeDomainsSecureDTO
from netvalve.api.models.wallets import (
    ApplePaySSLDTO,
    GooglePaySSLDTO,
    SamsungPaySSLDTO,
    TokenizedDTO,
)
from netvalve.domain.money import AMOUNT_MINOR_MAX, minor_units
from netvalve.domain.refusal import FieldError

_CARD_FIELDS = {
    "cardExpireMonth": "GTW_2023",
    "cardExpireYear": "GTW_2035",
    "cardNumber": "GTW_2032",
}

_SELECTORS = ("midId", "netvalveMidId", "siteId")
"""The names of a merchant account, the first of which is used. Source: wire contract, section 1."""


class BasicInputFieldsDTO(Request):
    """A payment by card, wallet or token. Its order is the order of the errors."""

    model_config = ConfigDict(
        # Published as required, yet payments without it are approved: it defaults to CARD.
        json_schema_extra={"required": ["amount", "currency", "paymentType"]}
    )

    mid_id: MidId = None
    netvalve_mid_id: AccountName = None
    amount: Amount
    currency: CurrencyCode
    order_desc: Text = None
    client_order_id: ClientOrderId = None
    card_security_code: Code | None = None
    card_holder_name: HolderName = None
    card_expire_month: ExpiryMonth | None = None
    card_expire_year: ExpiryYear | None = None
    customer_name: FirstName = None
    customer_first_name: FirstName = None
    customer_last_name: LastName = None
    customer_address: Address = None
    customer_zip_code: ZipCode = None
    customer_city: City = None
    customer_state: Region = None
    customer_country_code: CountryCode | None = None
    customer_phone: Phone = None
    customer_email: Email = None
    customer_ip: IpAddress | None = None
    payment_type: PaymentType = "CARD"
    wallet_type: WalletType | None = None
    apple_pay_ssl: ApplePaySSLDTO | None = Field(None, alias="applePaySSL")
    google_pay_ssl: GooglePaySSLDTO | None = Field(None, alias="googlePaySSL")
    samsung_pay_ssl: SamsungPaySSLDTO | None = Field(None, alias="samsungPaySSL")
    tokenized_dto: TokenizedDTO | None = Field(None, alias="tokenizedDTO")
    additional_data: AdditionalDataDTO | None = None
    additional_parameters: TextMap | None = None
    site_id: AccountName = None
    payment_token: Payload | None = None
    descriptor: Descriptor = None
    card_number: Number | None = None
    three_ds: ThreeDomainsSecureDTO | None = Field(None, alias="3DS")

    @classmethod
    def said(cls, raw: dict[str, Any]) -> dict[str, Any]:
        """Of the names of an account the first counts; the others are not looked at."""
        said = super().said(raw)
        unused = [name for name in _SELECTORS if str(said.get(name, "")).strip()][1:]
        return {name: said[name] for name in said if name not in unused} if unused else said

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[FieldError]:
        """Decimals by the currency, and what each kind of payment cannot be without."""
        code = _amount_code(raw)
        if code:
            yield FieldError("amount", code)
        payment_type = raw.get("paymentType", "CARD")
        if payment_type == "WALLET" and "walletType" not in raw:
            yield FieldError("walletType", "GTW_2101")
        if payment_type == "TOKEN" and "paymentToken" not in raw:
            yield FieldError("paymentToken", rules.INVALID)
        if payment_type == "CARD" and "paymentToken" not in raw:
            for name, missing in _CARD_FIELDS.items():
                if name not in raw:
                    yield FieldError(name, missing)


def _amount_code(raw: Mapping[str, Any]) -> str | None:
    try:
        amount, currency = rules.amount(raw.get("amount")), rules.currency(raw.get("currency"))
    except PydanticCustomError:
        return None
    amount_minor = minor_units(amount, currency)
    if amount_minor is None:
        return "GTW_2003"
    return "GTW_2059" if amount_minor > AMOUNT_MINOR_MAX else None
