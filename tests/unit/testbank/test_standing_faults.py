"""Faults that hold until they are cleared."""

from netvalve.banks.testbank.misbehaviour import Fault, Misbehaviour
from netvalve.banks.testbank.standing_faults import StandingFaults
from netvalve.domain.bank_message import BankOperation

SILENT = Misbehaviour(Fault.SILENT)
TWICE = Misbehaviour(Fault.TWICE)
SALE, CAPTURE = BankOperation.SALE, BankOperation.CAPTURE


def test_fault_ends_after_so_many_messages() -> None:
    faults = StandingFaults()
    faults.add(SILENT, messages=2)
    assert [faults.take(SALE) for _ in range(3)] == [SILENT, SILENT, None]
    assert faults.listing() == ()


def test_fault_without_a_count_holds_until_it_is_cleared() -> None:
    faults = StandingFaults()
    number = faults.add(SILENT).number
    assert {faults.take(SALE) for _ in range(50)} == {SILENT}
    assert faults.listing()[0].happened == 50
    assert (faults.clear(number), faults.clear(number)) == (1, 0)
    assert faults.take(SALE) is None


def test_fault_of_one_operation_spares_the_others() -> None:
    faults = StandingFaults()
    faults.add(SILENT, operation=CAPTURE)
    assert (faults.take(SALE), faults.take(CAPTURE)) == (None, SILENT)


def test_oldest_fault_that_wants_the_message_has_it() -> None:
    faults = StandingFaults()
    faults.add(TWICE, operation=CAPTURE)
    faults.add(SILENT)
    assert (faults.take(CAPTURE), faults.take(SALE)) == (TWICE, SILENT)
    assert faults.clear() == 2


def test_share_of_the_messages_is_the_same_for_the_same_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = StandingFaults()
        faults.add(SILENT, percent=20, seed=seed)
        return [faults.take(SALE) is SILENT for _ in range(500)]

    assert hits(7) == hits(7) != hits(8)
    assert 60 < sum(hits(7)) < 140
