"""The sections of `docs/sandbox.md` that are made from the test bank's tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from netvalve.banks.testbank import misbehaviour, rules, verification
from netvalve.banks.testbank.cards import CARDS, SandboxCard
from netvalve.banks.testbank.misbehaviour import FAULTS, FaultRow
from netvalve.catalogue.bank_codes import BANK_CODES, BankCode, bank_code
from netvalve.catalogue.verification_results import avs_result, cvv2_result

_PARTIAL_APPROVALS: Final = frozenset({"10", "32"})
"""Approvals of less than was asked; the amounts' charges did not ask for one."""
_REFUSALS: Final = MappingProxyType(
    {
        rules.INVALID_TRANSACTION: "The original is captured, cancelled, reversed, declined or in "
        "another currency; or the message's own reversal came before it",
        rules.INVALID_AMOUNT: "More than is held, more than is left to refund, or nothing",
        rules.INVALID_CARD: "The card number's check digit is wrong",
        rules.UNKNOWN_ORIGINAL: "The message that this one is about never came",
        rules.FORMAT_ERROR: "A field is missing or makes no sense",
        rules.EXPIRED_CARD: "The card's month has passed (UTC)",
        rules.DUPLICATE: "Another message was booked under the same identity",
        rules.SYSTEM_MALFUNCTION: "Too much is waiting; nothing is booked",
        rules.WRONG_SECURITY_CODE: "The security code is `000` or `0000`",
    }
)


def cards_section() -> str:
    """The cards and what happens to their charges."""
    header = ("Card number", "Expires", "Security code", "Brand", "What the bank does", "Answer")
    return _table(header, map(_card_row, CARDS.values()))


def amounts_section() -> str:
    """The amounts that ask for a fault, what comes of it for charges and for what follows."""
    header = (
        "Amount",
        "For what follows",
        "At the bank",
        "A charge is answered",
        "and ends as",
        "A capture, cancel or refund is answered",
        "and ends as",
    )
    return _table(header, map(_fault_row, FAULTS.values()))


def amount_codes_section() -> str:
    """Which amounts lead to which response code by way of field 39."""
    amounts: dict[str, list[str]] = {}
    for entry in BANK_CODES.values():
        if entry.value.isdigit():
            amount = str(misbehaviour.CODE_OF_MESSAGE + int(entry.value))
            amounts.setdefault(_code_of_charge(entry), []).append(amount)
    rows = ((_code(code), ", ".join(some)) for code, some in sorted(amounts.items()))
    return _table(("Response code", "Amounts of a charge"), rows)


def _code_of_charge(entry: BankCode) -> str:
    """What a charge that asked for no partial approval is answered."""
    standing = rules.INVALID_TRANSACTION if entry.value in _PARTIAL_APPROVALS else entry.value
    return bank_code(standing).response_code.code


def refusals_section() -> str:
    """What the bank refuses of itself."""
    rows = (
        (_code(value), why, _code(bank_code(value).response_code.code))
        for value, why in _REFUSALS.items()
    )
    return _table(("Field 39", "When", "The gateway's code"), rows)


def avs_section() -> str:
    """Which address leads to which AVS result."""
    rows = [
        ("address and postal code", verification.BOTH_MATCH),
        ("address alone", verification.ADDRESS_MATCHES),
        ("postal code alone", verification.ZIP_MATCHES),
        ("neither", verification.NOT_AVAILABLE),
        *((f"postal code `{zip_code}`", result) for zip_code, result in _zips()),
    ]
    shown = ((given, _code(result), avs_result(result).description) for given, result in rows)
    return _table(("Given", "AVS result", "Meaning"), shown)


def cvv2_section() -> str:
    """Which security code leads to which result."""
    rows = (
        ("`000` or `0000`", verification.CODE_WRONG),
        ("any other", verification.CODE_MATCHES),
        ("none", verification.CODE_ABSENT),
    )
    shown = ((given, _code(result), cvv2_result(result).description) for given, result in rows)
    return _table(("Given", "CVV2 result", "Meaning"), shown)


_SECTIONS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "cards": cards_section,
        "amounts": amounts_section,
        "amount-codes": amount_codes_section,
        "refusals": refusals_section,
        "avs": avs_section,
        "cvv2": cvv2_section,
    }
)


def sections() -> Mapping[str, str]:
    """The sections' Markdown by the name of their markers."""
    return {name: section() for name, section in _SECTIONS.items()}


def _zips() -> Iterable[tuple[str, str]]:
    return verification.AVS_ZIPS.items()


def _card_row(card: SandboxCard) -> Sequence[str]:
    asked = card.misbehaviour
    code = (asked.response_code if asked else rules.APPROVED) or ""
    answer = _code(bank_code(code).response_code.code) if code else _answer_to(card)
    expires = f"{card.expiry_month}/{card.expiry_year}"
    shown = f"Field 39 = {code}. {card.outcome}" if asked and code else card.outcome
    return _code(card.number), expires, card.security_code, card.brand, shown, answer


def _answer_to(card: SandboxCard) -> str:
    """What the row of the same fault says of charges."""
    rows = (row for row in FAULTS.values() if row.misbehaviour == card.misbehaviour)
    return ", ".join(_code(row.charge_answer) for row in rows)


def _fault_row(row: FaultRow) -> Sequence[str]:
    follow_ups = "61" + row.last_digits if row.follow_up_answer else ""
    return (
        "60" + row.last_digits,
        follow_ups,
        row.at_the_bank,
        row.charge_answer,
        row.charge_end,
        row.follow_up_answer or "as usual",
        row.follow_up_end or "",
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`"
