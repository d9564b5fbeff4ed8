"""The gateway's own link and the test bank understand each other, for every operation."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from conformance.banks.linking import Linked
from conformance.testbank.talking import RunningBank
from netvalve.domain.bank_message import Answered, BankOperation, OriginalMessage
from unit.banks.bank_requests import bank_request, identity

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def linked(bank: RunningBank) -> AsyncIterator[Linked]:
    """A link that talks to test banks alone."""
    made = Linked(bank.port, require_test_bank=True)
    await made.bank.start()
    yield made
    await made.bank.stop()


async def ask(
    linked: Linked,
    operation: BankOperation,
    stan: int,
    amount_minor: int,
    original: tuple[BankOperation, int] | None = None,
) -> Answered:
    """An answer, not silence."""
    named = OriginalMessage(original[0], identity(original[1])) if original else None
    request = bank_request(
        operation, identity=identity(stan), amount_minor=amount_minor, original=named
    )
    outcome = await linked.send_request(request)
    assert isinstance(outcome, Answered)
    return outcome


async def test_order_runs_through_authorize_capture_and_refund(linked: Linked) -> None:
    opening = (BankOperation.AUTHORIZE, 1)
    approved = await ask(linked, *opening, 10_000)
    assert (approved.response_code, approved.amount_minor, approved.currency_number) == (
        "00",
        10_000,
        "840",
    )
    assert (approved.avs_result, approved.cvv2_result) == ("Y", "M")
    assert approved.scheme_transaction_id
    captured = await ask(linked, BankOperation.CAPTURE, 2, 6_000, opening)
    assert (captured.response_code, captured.amount_minor) == ("00", 6_000)
    over = await ask(linked, BankOperation.REFUND, 3, 6_001, (BankOperation.CAPTURE, 2))
    assert over.response_code == "13"
    refunded = await ask(linked, BankOperation.REFUND, 4, 6_000, (BankOperation.CAPTURE, 2))
    assert refunded.response_code == "00"


@pytest.mark.parametrize(
    ("opening", "undoing"),
    [
        (BankOperation.AUTHORIZE, BankOperation.CANCEL),
        (BankOperation.AUTHORIZE, BankOperation.REVERSAL),
        (BankOperation.SALE, BankOperation.REVERSAL),
        (BankOperation.REBILL, BankOperation.REVERSAL),
    ],
)
async def test_charge_is_undone(
    bank: RunningBank, linked: Linked, opening: BankOperation, undoing: BankOperation
) -> None:
    assert (await ask(linked, opening, 1, 10_000)).response_code == "00"
    assert (await ask(linked, undoing, 2, 10_000, (opening, 1))).response_code == "00"
    book = (await bank.admin.get("/book")).json()
    operations = [entry["operation"] for entry in book["entries"]]
    assert operations == [undoing.value, opening.value]
    assert {money["held_minor"] + money["captured_minor"] for money in book["money"]} == {0}
