"""The pipeline: open durably, ask the bank, judge, close durably. Written once for all six."""

import asyncio
from dataclasses import dataclass, replace

from structlog.typing import FilteringBoundLogger

from netvalve.catalogue.bank_codes import bank_code
from netvalve.domain.bank_message import Answered, BankOutcome
from netvalve.domain.journal import (
    Closing,
    OpeningRefusal,
    StoreUnavailable,
    StoreUncertain,
)
from netvalve.domain.lifecycle import Event
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Banks, Clock, Journal, Records, TransactionOnOrder
from netvalve.payments.resolve import as_closed, closing_of
from netvalve.telemetry.metrics import Metrics

_RETRY_FIRST_S = 0.05
_RETRY_MAX_S = 1.0


@dataclass(slots=True)
class Progress:
    """How far a payment has come, for the answer that cannot wait for its end."""

    payment: Payment | None = None
    """Set before the opening write begins: from then on it may be durable."""


class Pipeline:
    """Carries one payment from its opening to its closing write.

    `run` is to be called in a task that nothing but the end of the process stops: once the
    opening write is durable the payment goes on whether or not anyone waits for it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        records: Records,
        banks: Banks,
        clock: Clock,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._journal, self._records, self._banks = journal, records, banks
        self._clock, self._metrics, self._log = clock, metrics, log

    async def run(
        self, payment: Payment, deadline_s: float, progress: Progress
    ) -> TransactionOnOrder | OpeningRefusal:
        """The transaction as it ended, or still pending; or why it was not opened.

        Raises:
            StoreUnavailable: nothing was opened.
        """
        progress.payment = payment
        try:
            refusal = await self._open(payment)
        except StoreUnavailable:
            progress.payment = None
            raise
        if refusal is not None:
            progress.payment = None
            return refusal
        outcome = await self._banks.link(payment.bank).send(payment.request, deadline_s)
        closing = closing_of(payment, outcome, self._clock.now_ms())
        self._observe(payment, outcome, closing)
        if await self._close(closing):
            return as_closed(payment.transaction, closing), payment.order
        return await self._as_stored(payment)

    async def _open(self, payment: Payment) -> OpeningRefusal | None:
        try:
            return await self._journal.open(payment.opening)
        except StoreUncertain:
            transaction = payment.transaction
            found = await self._records.transaction(
                transaction.client_id, transaction.transaction_id
            )
            if found is None:
                raise StoreUnavailable("the opening write was lost") from None
            return None

    async def _close(self, closing: Closing) -> bool:
        """Write the closing; a store that is away is waited for as long as it takes."""
        pause_s = _RETRY_FIRST_S
        while True:
            try:
                return await self._journal.close(closing)
            except (StoreUnavailable, StoreUncertain) as broken:
                self._log.warning(
                    "closing_write_waits",
                    transaction_id=closing.transaction_id,
                    reason=str(broken),
                )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RETRY_MAX_S)

    async def _as_stored(self, payment: Payment) -> TransactionOnOrder:
        """The transaction as somebody else, or an earlier try of ours, has closed it."""
        transaction = payment.transaction
        found = await self._records.transaction(transaction.client_id, transaction.transaction_id)
        return found or (replace(transaction), payment.order)

    def _observe(self, payment: Payment, outcome: BankOutcome, closing: Closing) -> None:
        bank = payment.bank.name
        if isinstance(outcome, Answered) and not bank_code(outcome.response_code).listed:
            self._metrics.unlisted_bank_code(bank)
        if closing.event is Event.MISMATCHED:
            self._metrics.mismatched_approval(bank)
        if closing.forward is not None:
            self._log.warning(
                "outcome_to_be_ended",
                transaction_id=closing.transaction_id,
                ended_by_event=closing.event.value,
                by=closing.forward.kind.value,
            )
