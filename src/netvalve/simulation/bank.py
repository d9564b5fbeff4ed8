"""A bank as a machine of its own: the real test bank's book, teller and link on the network."""

import asyncio
from pathlib import Path

from netvalve.banks.testbank.book import Book, card_key
from netvalve.banks.testbank.pace import Pace
from netvalve.banks.testbank.server import LinkServer
from netvalve.banks.testbank.standing_faults import StandingFaults
from netvalve.banks.testbank.statement import Statement
from netvalve.banks.testbank.teller import Reply, Teller
from netvalve.domain.bank_book import BookLine, book_lines
from netvalve.simulation.clock import SteppedClock
from netvalve.simulation.disk import Disk
from netvalve.simulation.machine import Machine
from netvalve.simulation.premises import BANK_PORT


class SimulatedBank:
    """Runs, is killed, and runs again with the same book."""

    def __init__(self, name: str, home: Path, clock: SteppedClock, disk: Disk, pace: Pace) -> None:
        self.name = name
        self.machines: list[Machine] = []
        self._home, self._clock, self._disk, self._pace = home, clock, disk, pace

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return bool(self.machines) and not self.machines[-1].dead

    def start(self) -> None:
        """Boot."""
        machine = Machine(self.name, self._disk)
        machine.when_dead(self._disk.cut_power)
        self.machines.append(machine)
        machine.context.run(asyncio.get_running_loop().create_task, self._serve())

    def kill(self) -> None:
        """End without a word."""
        if self.running:
            self.machines[-1].kill()

    def lines(self) -> tuple[BookLine, ...]:
        """The book, as the bank would hand it over."""
        return tuple(book_lines("".join(self.text()).splitlines(keepends=True)))

    def text(self) -> str:
        """The book as CSV."""
        return "".join(Statement(self._home).csv())

    async def _serve(self) -> None:
        book = Book[Reply](self._home)
        book.open()
        teller = Teller(card_key(self._home), StandingFaults(), self._clock.now_ms)
        await LinkServer(book, teller, self._pace).start(self.name, BANK_PORT)
        await asyncio.Event().wait()
