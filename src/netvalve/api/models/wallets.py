"""What a wallet puts into a payment: Apple Pay, Google Pay, Samsung Pay, or its decrypted form."""

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from netvalve.api.models import rules
from netvalve.api.models.fields import Flag, Payload, Text
from netvalve.api.models.model import Request

Payloads = Annotated[
    tuple[str, ...],
    PlainValidator(rules.payloads),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]


class HeaderDTO(Request):
    """Header of an Apple Pay token."""

    transaction_id: Payload
    public_key_hash: Payload
    ephemeral_public_key: Payload


class ApplePaymentDataDTO(Request):
    """The encrypted part of an Apple Pay token."""

    version: Payload
    signature: Payload | None = None
    data: Payload
    header: HeaderDTO


class ApplePaymentMethodDTO(Request):
    """The card as Apple Pay names it."""

    display_name: Text = None
    network: Text = None
    type: Text = None


class ApplePaySSLDTO(Request):
    """An Apple Pay token."""

    payment_data: ApplePaymentDataDTO | None = None
    payment_method: ApplePaymentMethodDTO | None = None
    transaction_identifier: Text = None


class GoogleIntermediateSigningKeyDTO(Request):
    """The key that signed a Google Pay token."""

    signed_key: Payload | None = None
    signatures: Payloads | None = None


class GooglePaySSLDTO(Request):
    """A Google Pay token, ECv1 or ECv2."""

    protocol_version: Text = None
    signature: Payload | None = None
    intermediate_signing_key: GoogleIntermediateSigningKeyDTO | None = None
    signed_message: Payload | None = None


class Samsung3DSDTO(Request):
    """The encrypted part of a Samsung Pay credential."""

    data: Payload | None = None
    type: Text = None
    version: Text = None


class SamsungPaymentCredentialDTO(Request):
    """A Samsung Pay credential."""

    three_ds: Samsung3DSDTO | None = Field(None, alias="3DS")
    recurring_payment: Flag | None = Field(None, alias="recurring_payment")


class SamsungPaymentInfoDTO(Request):
    """The card as Samsung Pay names it."""

    card_brand: Text = None
    order_number: Text = None
    card_last4digits: Text = Field(None, alias="card_last4digits")


class SamsungDetailsDTO(Request):
    """Details of a Samsung Pay answer."""

    method: Text = None
    payment_credential: SamsungPaymentCredentialDTO | None = None
    payment_info: SamsungPaymentInfoDTO | None = None


class SamsungPaySSLDTO(Request):
    """A Samsung Pay answer."""

    request_id: Text = None
    method_name: Text = None
    details: SamsungDetailsDTO | None = None
    shipping_address: Text = None
    shipping_option: Text = None
    payer_name: Text = None
    payer_email: Text = None
    payer_phone: Text = None


class TokenizedDTO(Request):
    """A wallet's card after decryption."""

    cardholder_name: Text = None
    card_number: Payload | None = None
    card_expiry_month: Text = None
    card_expiry_year: Text = None
    cryptogram_format: Text = None
    cryptogram: Payload | None = None
    eci_indicator: Text = None
    transaction_amount: Text = None
    auth_method: Text = None
    payment_token: Payload | None = None
