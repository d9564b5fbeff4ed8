"""Faults that hold until cleared: set by an operator, kept in memory, gone at a restart."""

from dataclasses import dataclass, replace
from random import Random

from netvalve.banks.testbank.misbehaviour import Misbehaviour
from netvalve.domain.bank_message import BankOperation


@dataclass(frozen=True, slots=True)
class StandingFault:
    """A fault that happens to messages, whatever their amounts and cards are."""

    number: int
    misbehaviour: Misbehaviour
    operation: BankOperation | None = None
    """None is every operation."""
    messages_left: int | None = None
    """None is until it is cleared."""
    percent: float = 100
    """How many of the messages it happens to, at random."""
    seed: int = 0
    """The same seed picks the same messages of a sequence."""
    happened: int = 0


class StandingFaults:
    """Which faults hold now. The oldest that wants a message has it."""

    def __init__(self) -> None:
        self._faults: dict[int, StandingFault] = {}
        self._dice: dict[int, Random] = {}
        self._last_number = 0

    def add(
        self,
        misbehaviour: Misbehaviour,
        *,
        operation: BankOperation | None = None,
        messages: int | None = None,
        percent: float = 100,
        seed: int = 0,
    ) -> StandingFault:
        """Let a fault happen from now on: to so many messages, or until it is cleared."""
        self._last_number += 1
        fault = StandingFault(self._last_number, misbehaviour, operation, messages, percent, seed)
        self._faults[fault.number] = fault
        self._dice[fault.number] = Random(seed)  # noqa: S311  # chance that is to be repeated
        return fault

    def clear(self, number: int | None = None) -> int:
        """End one fault, or all; says how many ended."""
        numbers = list(self._faults) if number is None else [number]
        return sum(self._end(each) for each in numbers)

    def listing(self) -> tuple[StandingFault, ...]:
        """The faults that hold, oldest first."""
        return tuple(self._faults.values())

    def take(self, operation: BankOperation) -> Misbehaviour | None:
        """What happens to the next message, which counts."""
        for fault in self._faults.values():
            if fault.operation in {None, operation} and self._hits(fault):
                self._count(fault)
                return fault.misbehaviour
        return None

    def _hits(self, fault: StandingFault) -> bool:
        return fault.percent >= 100 or self._dice[fault.number].random() * 100 < fault.percent

    def _count(self, fault: StandingFault) -> None:
        left = None if fault.messages_left is None else fault.messages_left - 1
        if left == 0:
            self._end(fault.number)
            return
        self._faults[fault.number] = replace(fault, messages_left=left, happened=fault.happened + 1)

    def _end(self, number: int) -> bool:
        self._dice.pop(number, None)
        return self._faults.pop(number, None) is not None
