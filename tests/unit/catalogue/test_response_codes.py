"""Response codes are facts of the wire: messages to the letter, types by number."""

import pytest

from netvalve.catalogue.errors import CatalogueError, CatalogueFileError, UnknownEntryError
from netvalve.catalogue.response_codes import (
    REFUSAL_WORDS,
    RESPONSE_CODES,
    CodeType,
    ResponseCode,
    read_response_codes,
    refusal_word,
    response_code,
)
from netvalve.catalogue.tables import Source


def read(*lines: str) -> dict[str, ResponseCode]:
    text = "\n".join(("code,constant,message,type", *lines))
    return dict(read_response_codes(Source("codes.csv", text)))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("GTW_1000", "Transaction Approved/ Request Successful."),
        ("GTW_1002", "Transaction status is Pending."),
        ("GTW_2001", "Missing CVV Value, Required For e-Commerce Transaction."),
        ("GTW_2002", "Amount Value Missing /Invalid Value/ Amount Does Not Match"),
        ("GTW_2013", "Invalid Gateway Transaction Operation/ Invalid  GTO."),
        ("GTW_2034", "Card Number Invalid."),
        ("GTW_2054", "Transaction Response Timeout."),
        (
            "GTW_2065",
            "Client Order Id Duplicate or Invalid . Kindly contact NetValve support.",
        ),
        (
            "GTW_2072",
            (
                "Card details already used for this order/transaction and failed,"
                " try with different card details "
            ),
        ),
        ("GTW_2103", "Reference Transaction Not Found ."),
        ("GTW_9999", "Transaction Processing Error"),
        ("BNK_2002", "Invalid Card Number"),
        ("BNK_2005", "Do not honour"),
        ("3DS_2000", "Three DS Transaction Processing Error. "),
        (
            "SMR_2002",
            "Rule Processing Error:-  Site or default site not present for given client.",
        ),
    ],
)
def test_message_is_kept_to_the_letter(code: str, message: str) -> None:
    assert response_code(code).message == message


def test_published_name_is_kept_and_may_be_missing() -> None:
    assert response_code("GTW_1000").constant == "TRANSACTION_SUCCESSFULLY_COMPLETED"
    assert response_code("GTW_2123").constant is None


def test_no_code_has_been_lost() -> None:
    families = [code.partition("_")[0] for code in RESPONSE_CODES]
    counts = {family: families.count(family) for family in families}
    assert counts == {"GTW": 124, "BNK": 14, "3DS": 64, "SMR": 6}


def test_type_follows_the_thousand_of_the_number() -> None:
    types = {"1": CodeType.APPROVED, "2": CodeType.SOFT_DECLINE, "3": CodeType.HARD_DECLINE}
    for code, entry in RESPONSE_CODES.items():
        thousand = code.partition("_")[2][0]
        if code != "GTW_1002" and thousand in types:
            assert entry.type is types[thousand], code


def test_only_gtw_1002_is_pending() -> None:
    pending = [code for code, entry in RESPONSE_CODES.items() if entry.type is CodeType.PENDING]
    assert pending == ["GTW_1002"]


@pytest.mark.parametrize("code", ["GTW_4000", "GTW_4001", "GTW_4002"])
def test_blocked_card_email_and_address_are_hard_declines(code: str) -> None:
    assert response_code(code).type is CodeType.HARD_DECLINE


def test_unknown_code_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownEntryError) as error:
        response_code("GTW_0000")
    assert str(error.value) == "response_codes has no entry 'GTW_0000'"
    assert error.value.key == "GTW_0000"
    assert isinstance(error.value, KeyError)
    assert isinstance(error.value, CatalogueError)


def test_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        RESPONSE_CODES["GTW_1000"] = response_code("GTW_1001")  # type: ignore[index]


def test_message_is_read_with_its_odd_spaces() -> None:
    assert read('GTW_2000,,"Two  spaces, one behind ",SOFT DECLINE')["GTW_2000"].message == (
        "Two  spaces, one behind "
    )


@pytest.mark.parametrize("word", REFUSAL_WORDS)
def test_approval_that_sounds_like_a_refusal_is_refused(word: str) -> None:
    with pytest.raises(CatalogueFileError, match=rf"codes\.csv, line 3: .*{word!r}"):
        read("GTW_1000,,Fine,APPROVED", f"GTW_1001,,Not {word.upper()} at all,APPROVED")


def test_decline_may_sound_like_a_refusal() -> None:
    assert "GTW_2000" in read("GTW_2000,,Declined,SOFT DECLINE")


def test_no_approval_sounds_like_a_refusal() -> None:
    approvals = [e for e in RESPONSE_CODES.values() if e.type is CodeType.APPROVED]
    assert approvals
    assert [e for e in approvals if refusal_word(e.message)] == []


def test_unknown_type_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 2: type 'DECLINE' is none of APPROVED"):
        read("GTW_1000,,Fine,DECLINE")


def test_blank_message_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 2: message is blank"):
        read("GTW_1000,, ,APPROVED")


@pytest.mark.parametrize("code", ["GTW1000", "GTW_100", "ABC_1000", "gtw_1000", "GTW_10000"])
def test_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(CatalogueFileError, match="line 2: code"):
        read(f"{code},,Fine,APPROVED")


def test_duplicate_code_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: code 'GTW_1000' is already on line 2"):
        read("GTW_1000,,Fine,APPROVED", "GTW_1000,,Good,APPROVED")
