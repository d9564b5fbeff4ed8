"""The pipeline: open durably, ask the bank, judge, close durably. Written once for all six."""

from dataclasses import dataclass

from netvalve.domain.bank_message import Answered, BankOutcome, NoAnswer, NotSent
from netvalve.domain.journal import (
    OpeningRefusal,
    StoreUnavailable,
    StoreUncertain,
)
from netvalve.payments.endings import Endings
from netvalve.payments.lease import LEASE_RAN_OUT, Lease
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Banks, Clock, Journal, TransactionOnOrder
from netvalve.payments.resolve import as_closed, closing_of


@dataclass(slots=True)
class Progress:
    """How far a payment has come, for the answer that cannot wait for its end."""

    opened: Payment | None = None
    """The payment, once its opening write is durable."""
    in_doubt: bool = False
    """The opening is being written: nobody knows whether it will be durable."""
    given_up: bool = False
    """The merchant has been answered: nothing may be sent any more."""

    def still_wanted(self) -> bool:
        """Whether the opening is to be written; asked when its turn to be written has come."""
        self.in_doubt = not self.given_up
        return self.in_doubt


class Pipeline:
    """Carries one payment from its opening to its closing write.

    `run` is to be called in a task that nothing but the end of the process stops: once the
    opening write is durable the payment goes on whether or not anyone waits for it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        lease: Lease,
        banks: Banks,
        clock: Clock,
        patient: PatientStore,
        endings: Endings,
        observer: Observer,
    ) -> None:
        self._journal, self._lease, self._banks, self._clock = journal, lease, banks, clock
        self._patient, self._endings, self._observer = patient, endings, observer

    async def run(
        self, payment: Payment, deadline_s: float, progress: Progress
    ) -> TransactionOnOrder | OpeningRefusal:
        """The transaction as it ended, or still pending; or why it was not opened.

        Raises:
            StoreUnavailable: nothing was opened.
        """
        term = self._lease.term
        if term is None:
            raise StoreUnavailable(LEASE_RAN_OUT)
        refusal = await self._open(payment, progress)
        if refusal is not None:
            return refusal
        progress.opened = payment
        try:
            outcome = await self._ask(payment, deadline_s, progress, term)
            return await self._ended(payment, outcome)
        except Exception as fault:  # noqa: BLE001  # opened is opened: whatever it is, it must end
            self._observer.met_fault(payment, fault)
            return await self._ended(payment, NoAnswer("a fault of our own"))

    async def _ended(self, payment: Payment, outcome: BankOutcome) -> TransactionOnOrder:
        """The transaction, its outcome judged and durable."""
        closing = closing_of(payment, outcome, self._clock.now_ms())
        closed = await self._patient.close(closing)
        self._observer.saw(payment, outcome, closing)
        if closed:
            return as_closed(payment.transaction, closing), payment.order
        return await self._as_stored(payment, outcome)

    async def _open(self, payment: Payment, progress: Progress) -> OpeningRefusal | None:
        """Write the opening; where the commit's answer was lost, look it up and do not guess.

        One that comes to be written only after its merchant was told that nothing was begun is
        not written: its clientOrderId stays free.
        """
        try:
            return await self._journal.open(payment.opening, progress.still_wanted)
        except StoreUncertain:
            if await self._found(payment) is None:
                raise StoreUnavailable("the opening write was lost") from None
            return None

    async def _ask(
        self, payment: Payment, deadline_s: float, progress: Progress, term: int
    ) -> BankOutcome:
        if progress.given_up:
            return NotSent("its opening came after its answer")
        if not self._lease.holds(term):
            return NotSent(LEASE_RAN_OUT)
        return await self._banks.link(payment.bank).send(payment.request, deadline_s)

    async def _as_stored(self, payment: Payment, outcome: BankOutcome) -> TransactionOnOrder:
        """The transaction as somebody else, or an earlier try of ours, has closed it.

        To one who has taken it over without an answer, this answer comes late.
        """
        if isinstance(outcome, Answered):
            await self._endings.by_late_answer(payment.transaction.identity, outcome)
        return await self._found(payment) or (payment.transaction, payment.order)

    async def _found(self, payment: Payment) -> TransactionOnOrder | None:
        transaction = payment.transaction
        return await self._patient.transaction(transaction.client_id, transaction.transaction_id)
