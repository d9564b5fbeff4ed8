"""The property `3DS`: the result of an authentication that comes with a payment."""

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from netvalve.api.models import rules
from netvalve.api.models.fields import Flag, Text
from netvalve.api.models.model import Request

_STRING = WithJsonSchema({"type": "string"})

# What travels to the bank has a bank's limits. Source: docs/bank-link.md, field 48.
Cavv = Annotated[str | None, PlainValidator(rules.bank_text(64)), _STRING]
DsTransactionId = Annotated[str | None, PlainValidator(rules.bank_text(36)), _STRING]
Xid = Annotated[str | None, PlainValidator(rules.bank_text(64)), _STRING]
Eci = Annotated[str | None, PlainValidator(rules.bank_text(4)), _STRING]
Version = Annotated[str | None, PlainValidator(rules.bank_text(8)), _STRING]


class ThreeDomainsSecureDTO(Request):
    """Sent with a payment, and shown with it."""

    cavv: Cavv = None
    ds_transaction_id: DsTransactionId = None
    xid: Xid = None
    eci: Eci = None
    status: Text = None
    version: Version = None
    master_card_dsrp: Text = Field(None, alias="masterCardDSRP")
    cavv_algorithm: Text = None
    provider: Text = None
    verify_transaction_id: Text = None
    is_friction_less: Flag | None = None
