"""The property `3DS`: the result of an authentication that comes with a payment."""

from pydantic import Field

from netvalve.api.models.fields import Flag, Text
from netvalve.api.models.model import Request


class ThreeDomainsSecureDTO(Request):
    """Sent with a payment, and shown with it."""

    cavv: Text = None
    ds_transaction_id: Text = None
    xid: Text = None
    eci: Text = None
    status: Text = None
    version: Text = None
    master_card_dsrp: Text = Field(None, alias="masterCardDSRP")
    cavv_algorithm: Text = None
    provider: Text = None
    verify_transaction_id: Text = None
    is_friction_less: Flag | None = None
