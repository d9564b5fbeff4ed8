"""What an answer says by its code: message and type, to the letter."""

from collections.abc import Mapping
from typing import Final

from netvalve.api.models.fields import ENUMERATIONS
from netvalve.catalogue.bank_codes import bank_code
from netvalve.catalogue.response_codes import RESPONSE_CODES, CodeType, response_code
from netvalve.domain.transaction import Outcome

PENDING: Final = "GTW_1002"
APPROVED_39: Final = "00"
"""What every whole approval shows as the bank's value, `SUCCESS` as its message."""


def _message(code: str) -> str:
    values = ", ".join(ENUMERATIONS.get(code, ()))
    return RESPONSE_CODES[code].message.replace("{enumValues}", f"[{values}]")


MESSAGES: Final[Mapping[str, str]] = {code: _message(code) for code in RESPONSE_CODES}
"""Every message, with the values of enumerations filled in."""


def code_of(outcome: Outcome | None) -> str:
    """The response code of a transaction, which is pending without an outcome."""
    return outcome.response_code if outcome else PENDING


def response(code: str) -> dict[str, object]:
    """The three properties of a response code."""
    return {
        "responseCode": code,
        "responseMessage": MESSAGES[code],
        "responseCodeType": response_code(code).type,
    }


def bank_response(outcome: Outcome | None) -> dict[str, object]:
    """What the bank said, where it said something.

    A whole approval shows one value whichever the bank chose; a partial one keeps its own, so that
    the merchant sees it. Source: wire contract, section 1.
    """
    if outcome is None or outcome.bank_response_code is None:
        return {}
    whole = _approved(outcome) and outcome.approved_minor is None
    said = bank_code(APPROVED_39 if whole else outcome.bank_response_code)
    return {"bankResponseCode": said.value, "bankResponseMessage": said.message}


def retry(outcome: Outcome | None) -> dict[str, object]:
    """Whether the same payment may succeed later, where a bank declined it."""
    if outcome is None or outcome.bank_response_code is None:
        return {}
    if _approved(outcome):
        return {}
    return {"isRetryAllowed": bank_code(outcome.bank_response_code).retry_allowed}


def _approved(outcome: Outcome) -> bool:
    return response_code(outcome.response_code).type is CodeType.APPROVED
