"""What a payment asks, as an ISO 8583 message: which type, which fields, which tagged values."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.banks.iso8583.fields import TYPE, ImpossibleField, folded
from netvalve.banks.iso8583.messages import encode_message
from netvalve.banks.iso8583.specification import (
    POS_CONDITION_ECOMMERCE,
    POS_CONDITION_RECURRING,
    POS_ENTRY_MODE,
    MessageType,
    ProcessingCode,
    Tag,
    repeat_type,
)
from netvalve.catalogue.countries import COUNTRIES
from netvalve.domain.bank_message import BankOperation, BankRequest, Merchant, OriginalMessage

DESCRIPTOR_LENGTH: Final = 22
"""The name's share of field 43; street end, city and region, 16 characters, stay blank."""

_ACQUIRER_LENGTH = 11
_FORWARDER = "0" * _ACQUIRER_LENGTH
_ADDRESS_LENGTH = 128
_ZIP_LENGTH = 10
_DESCRIPTOR_LENGTH_MAX = 50


@dataclass(frozen=True, slots=True)
class Form:
    """How one operation is said: its message type, its processing code, what it must name."""

    message_type: str
    processing_code: str = ProcessingCode.PURCHASE
    names_original: bool = True
    """Whether fields 38 and 90 name an earlier message."""


FORMS: Final[Mapping[BankOperation, Form]] = MappingProxyType(
    {
        BankOperation.AUTHORIZE: Form(MessageType.AUTHORIZE, names_original=False),
        BankOperation.SALE: Form(MessageType.FINANCIAL, names_original=False),
        BankOperation.REBILL: Form(MessageType.FINANCIAL, names_original=False),
        BankOperation.REFUND: Form(MessageType.FINANCIAL, ProcessingCode.REFUND),
        BankOperation.CAPTURE: Form(MessageType.ADVICE),
        BankOperation.CANCEL: Form(MessageType.CANCEL),
        BankOperation.REVERSAL: Form(MessageType.REVERSAL),
    }
)
"""What names no original is a charge: it alone carries the customer and the security code."""


def encode_request(request: BankRequest, acquirer_id: str) -> bytes:
    """The request without its length header.

    Raises:
        ImpossibleField: the layout has no room for a value of the request.
    """
    form = FORMS[request.operation]
    fields = _plain_fields(request, form, acquirer_id) | _card_fields(request)
    tags = _descriptor_tags(request.merchant)
    if form.names_original:
        fields |= _original_fields(request.original, acquirer_id)
        tags |= _present({Tag.FINAL_CAPTURE: _flag(value=request.final_capture)})
    else:
        tags |= _charge_tags(request)
    return encode_message(fields, tags)


def _plain_fields(request: BankRequest, form: Form, acquirer_id: str) -> dict[str, str]:
    identity, merchant = request.identity, request.merchant
    message_type = repeat_type(form.message_type) if request.repeat else form.message_type
    return {
        TYPE: message_type,
        "3": form.processing_code,
        "4": f"{request.amount_minor:012d}",
        "7": identity.transmitted_at,
        "11": identity.stan,
        "12": identity.transmitted_at[4:],
        "13": identity.transmitted_at[:4],
        "18": merchant.mcc,
        "19": _country_number(merchant.country),
        "22": POS_ENTRY_MODE,
        "25": _condition(request),
        "32": acquirer_id,
        "37": identity.rrn,
        "41": f"{identity.terminal_id:<8}",
        "42": f"{folded(merchant.merchant_id):<15}",
        "43": f"{folded(merchant.descriptor):<38.{DESCRIPTOR_LENGTH}}{merchant.country}",
        "49": request.currency.number,
    }


def _card_fields(request: BankRequest) -> dict[str, str]:
    card = request.card
    if card is None:
        return {}
    return {"2": card.number.reveal(), "14": f"{card.expiry_year[-2:]}{card.expiry_month}"}


def _original_fields(original: OriginalMessage | None, acquirer_id: str) -> dict[str, str]:
    if original is None:
        raise ImpossibleField("field 90 has no original message to name")
    identity = original.identity
    elements = (
        FORMS[original.operation].message_type,
        identity.stan,
        identity.transmitted_at,
        acquirer_id.zfill(_ACQUIRER_LENGTH),
        _FORWARDER,
    )
    return {"90": "".join(elements), **_present({"38": _auth_code(original)})}


def _auth_code(original: OriginalMessage) -> str | None:
    return f"{original.auth_code:<6}" if original.auth_code else None


def _descriptor_tags(merchant: Merchant) -> dict[str, str]:
    text = folded(merchant.descriptor)
    return {Tag.DESCRIPTOR: text[:_DESCRIPTOR_LENGTH_MAX]} if len(text) > DESCRIPTOR_LENGTH else {}


def _charge_tags(request: BankRequest) -> dict[str, str]:
    code = request.card.security_code if request.card else None
    return _present(
        {
            **_stored_credential_tags(request),
            Tag.PARTIAL_APPROVAL: _flag(value=request.partial_approval_allowed),
            **_three_ds_tags(request),
            Tag.AVS_ADDRESS: _cut(request.customer.address, _ADDRESS_LENGTH),
            Tag.AVS_ZIP: _cut(request.customer.zip_code, _ZIP_LENGTH),
            Tag.CVV2: code.reveal() if code else None,
        }
    )


def _stored_credential_tags(request: BankRequest) -> dict[str, str | None]:
    rebill = _flag(value=request.operation is BankOperation.REBILL)
    credential = request.stored_credential
    if credential is None:
        return {Tag.REBILL: rebill}
    return {
        Tag.RECURRENCE: credential.recurrence,
        Tag.INITIATOR: credential.initiator,
        Tag.SCHEDULE: credential.schedule,
        Tag.TRANSACTION_TYPE: credential.transaction_type,
        Tag.SCHEME_TRANSACTION_ID: credential.scheme_transaction_id,
        Tag.REBILL: rebill,
    }


def _three_ds_tags(request: BankRequest) -> dict[str, str | None]:
    three_ds = request.three_ds
    if three_ds is None:
        return {}
    return {
        Tag.ECI: three_ds.eci,
        Tag.CAVV: three_ds.cavv,
        Tag.THREE_DS_VERSION: three_ds.version,
        Tag.DS_TRANSACTION_ID: three_ds.ds_transaction_id,
        Tag.XID: three_ds.xid,
    }


def _condition(request: BankRequest) -> str:
    credential = request.stored_credential
    by_merchant = credential is not None and credential.initiator == "MIT"
    if by_merchant or request.operation is BankOperation.REBILL:
        return POS_CONDITION_RECURRING
    return POS_CONDITION_ECOMMERCE


def _country_number(alpha_2: str) -> str:
    country = COUNTRIES.get(alpha_2)
    if country is None:
        raise ImpossibleField("field 19 takes a country of ISO 3166")
    return country.number


def _flag(*, value: bool) -> str | None:
    return "1" if value else None


def _cut(text: str | None, length: int) -> str | None:
    return folded(text)[:length] if text else None


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
