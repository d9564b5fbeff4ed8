"""Field 39 becomes a response code by the table, and by its family where the table is silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.catalogue.bank_codes import (
    BANK_CODES,
    NEVER_APPROVED,
    BankCode,
    bank_code,
    read_bank_codes,
)
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.response_codes import REFUSAL_WORDS, CodeType, refusal_word
from netvalve.catalogue.tables import Source

APPROVED_VALUES = {"00", "08", "10", "11", "16", "32", "85", "87"}


def read(*lines: str) -> dict[str, BankCode]:
    text = "\n".join(("value,response_code,message,retry_allowed", *lines))
    return dict(read_bank_codes(Source("bank.csv", text)))


@pytest.mark.parametrize(
    ("value", "code", "message", "retry_allowed"),
    [
        ("00", "GTW_1000", "SUCCESS", False),
        ("01", "BNK_2000", "Refer To Card Issuer", True),
        ("03", "BNK_2009", "Invalid Merchant or Service Provider", False),
        ("05", "BNK_2005", "Do not honour", True),
        ("10", "GTW_1000", "PARTIAL APPROVAL", False),
        ("13", "BNK_2010", "Invalid Amount", False),
        ("14", "BNK_2002", "Invalid Card Number", False),
        ("41", "BNK_3002", "Lost Card - Pick Up", False),
        ("43", "BNK_3003", "Stolen Card - Pick Up", False),
        ("51", "BNK_2011", "Insufficient Funds", True),
        ("54", "BNK_2004", "Expired Card", False),
        ("59", "BNK_3004", "Suspected Fraud", False),
        ("61", "BNK_2001", "Exceeds Withdrawal Amount Limit", True),
        ("65", "BNK_2003", "Exceeds Withdrawal Frequency Limit", True),
        ("75", "BNK_3500", "Allowable PIN Tries Exceeded", False),
        ("85", "GTW_1000", "ACCOUNT VERIFIED", False),
        ("91", "BNK_2003", "Issuer Or Switch Inoperative", True),
        ("96", "BNK_2003", "System Malfunction", True),
        ("N7", "BNK_3501", "Declined - CVV2 MISMATCH", False),
    ],
)
def test_value_becomes_its_response_code(
    value: str, code: str, message: str, retry_allowed: bool
) -> None:
    entry = bank_code(value)
    assert (entry.response_code.code, entry.message) == (code, message)
    assert entry.retry_allowed is retry_allowed
    assert entry.listed


def test_only_these_values_are_approvals() -> None:
    approved = {v for v, e in BANK_CODES.items() if e.response_code.type is CodeType.APPROVED}
    assert approved == APPROVED_VALUES


@pytest.mark.parametrize(
    "value", ["04", "07", "33", "34", "35", "36", "37", "38", "41", "43", "67"]
)
def test_card_to_be_picked_up_is_never_retried(value: str) -> None:
    assert not bank_code(value).retry_allowed
    assert "Pick Up" in bank_code(value).message


def test_duplicate_or_unfinished_request_is_never_retried() -> None:
    assert not bank_code("09").retry_allowed
    assert not bank_code("94").retry_allowed


def test_retry_is_allowed_for_soft_declines_alone() -> None:
    retried = [e for e in BANK_CODES.values() if e.retry_allowed]
    assert {e.response_code.type for e in retried} == {CodeType.SOFT_DECLINE}


@given(st.text().filter(lambda value: value not in BANK_CODES))
def test_unlisted_value_is_a_plain_decline_that_keeps_its_value(value: str) -> None:
    entry = bank_code(value)
    assert entry.value == value
    assert entry.response_code.code == "BNK_2003"
    assert entry.message == "Authorization Declined."
    assert not entry.retry_allowed
    assert not entry.listed


def test_no_approval_looks_like_a_refusal() -> None:
    assert not NEVER_APPROVED & APPROVED_VALUES
    assert [v for v in APPROVED_VALUES if refusal_word(bank_code(v).message)] == []


@pytest.mark.parametrize("word", REFUSAL_WORDS)
def test_approval_that_sounds_like_a_refusal_is_refused(word: str) -> None:
    with pytest.raises(CatalogueFileError, match=rf"bank\.csv, line 2: .*{word!r}"):
        read(f"00,GTW_1000,NOT {word.upper()},false")


@pytest.mark.parametrize("value", sorted(NEVER_APPROVED))
def test_value_that_clients_take_for_a_refusal_cannot_be_an_approval(value: str) -> None:
    with pytest.raises(CatalogueFileError, match=f"line 2: clients take the value '{value}'"):
        read(f"{value},GTW_1000,SUCCESS,false")


def test_code_that_does_not_exist_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: response_code 'BNK_9999' does not exist"):
        read("00,GTW_1000,SUCCESS,false", "05,BNK_9999,Do not honour,false")


@pytest.mark.parametrize("code", ["GTW_1000", "BNK_3004"])
def test_retry_of_an_approval_or_a_hard_decline_is_refused(code: str) -> None:
    with pytest.raises(CatalogueFileError, match="line 2: only a soft decline may be retried"):
        read(f"00,{code},SUCCESS,true")


def test_pending_bank_answer_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match=r"line 2: .* never pending"):
        read("09,GTW_1002,Request In Progress,false")


@pytest.mark.parametrize("value", ["0", "000", "n7", "0-"])
def test_value_that_is_not_two_characters_of_field_39_is_refused(value: str) -> None:
    with pytest.raises(CatalogueFileError, match="line 2: value"):
        read(f"{value},BNK_2003,Whatever,false")


def test_duplicate_value_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: value '05' is already on line 2"):
        read("05,BNK_2005,Do not honour,true", "05,BNK_2003,Do not honour,true")
