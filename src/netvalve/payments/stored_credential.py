"""How a card on file is used: the indicators that travel with a payment.

Source: wire contract, section 5, stored credentials.
"""

from collections.abc import Mapping

from netvalve.domain.bank_message import StoredCredential


def credential_of_charge(data: Mapping[str, object]) -> StoredCredential | None:
    """The stored-credential indicators of a sale or authorize, where it has any."""
    initiator = _text(data, "credentialOnFileTransaction")
    schedule = _text(data, "recurringScheduleType")
    kind = _text(data, "requestTransactionType")
    recurrence = _text(data, "recurrenceMode")
    if not (initiator or schedule or kind or recurrence):
        return None
    return StoredCredential(
        initiator=initiator or ("MIT" if (schedule or "").startswith("MIT") else "CIT"),
        schedule=schedule,
        transaction_type=kind,
        recurrence=recurrence,
    )


def credential_of_rebill(
    data: Mapping[str, object], scheme_transaction_id: str | None
) -> StoredCredential:
    """The indicators of a rebill: by the merchant, unscheduled unless the request says more."""
    return StoredCredential(
        initiator="MIT",
        schedule=_text(data, "recurringScheduleType") or "MIT_UNSCHEDULED_COF",
        transaction_type=_text(data, "requestTransactionType"),
        recurrence="Repeated",
        scheme_transaction_id=scheme_transaction_id,
    )


def _text(data: Mapping[str, object], name: str) -> str | None:
    value = data.get(name)
    return str(value) if value else None
