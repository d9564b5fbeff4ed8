"""`additionalData`: stored-credential, level 2 and marketing indicators of a payment."""

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from netvalve.api.models import rules
from netvalve.api.models.fields import (
    INDICATORS,
    REQUEST_TYPES,
    SCHEDULE_TYPES,
    DoubleText,
    Flag,
    NumberText,
    Text,
    enumeration,
)
from netvalve.api.models.model import Request

_STRING = WithJsonSchema({"type": "string"})

RequestTransactionType = Annotated[
    str,
    PlainValidator(rules.one_of(REQUEST_TYPES, "GTW_2062")),
    WithJsonSchema(enumeration(REQUEST_TYPES)),
]
ScheduleType = Annotated[str, PlainValidator(rules.one_of(SCHEDULE_TYPES, "GTW_2057")), _STRING]
Indicator = Annotated[str, PlainValidator(rules.spelled_as(INDICATORS, "GTW_2060")), _STRING]
Initiator = Annotated[
    str, PlainValidator(rules.spelled_as({"CIT": "CIT", "MIT": "MIT"}, rules.INVALID)), _STRING
]
Recurrence = Annotated[
    str,
    PlainValidator(rules.spelled_as({"Initial": "Initial", "Repeated": "Repeated"}, rules.INVALID)),
    _STRING,
]


class AdditionalDataDTO(Request):
    """What comes with a payment beside money, card and customer."""

    industry_code: Text = None
    is_card_authentication: Flag | None = None
    is_offline_transaction: Flag | None = None
    request_transaction_type: RequestTransactionType | None = None
    is_level2_transaction: Flag | None = None
    tax_amount: DoubleText | None = None
    settlement_amount: NumberText | None = None
    is_direct_marketing: Flag | None = None
    recurring_schedule_type: ScheduleType | None = None
    partial_authorization_indicator: Indicator | None = None
    direct_marketing_txn_mode: Text = None
    card_usage: Text = None
    recipient_dob: Text = None
    recipient_account_no: Text = None
    recipient_postal_code: Text = None
    recipient_surname: Text = None
    sca_exemption_indicator: Text = None
    credential_on_file_transaction: Initiator | None = None
    recurrence_mode: Recurrence | None = None

    def as_sent(self) -> dict[str, object]:
        """The fields that were sent, by their names on the wire."""
        return self.model_dump(by_alias=True, exclude_none=True)
