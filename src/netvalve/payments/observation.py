"""What an operator is told of a bank's answers, whoever was waiting for them."""

from structlog.typing import FilteringBoundLogger

from netvalve.catalogue.bank_codes import bank_code
from netvalve.domain.bank_message import Answered, BankOutcome
from netvalve.domain.journal import Closing, StoredMessage
from netvalve.payments.payment import Payment
from netvalve.payments.resolve import mismatched
from netvalve.telemetry.metrics import Metrics


class Observer:
    """Counts and logs; called after the closing write, never before."""

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._metrics, self._log = metrics, log

    def met_fault(self, payment: Payment, fault: Exception) -> None:
        """Something in us broke after a payment was opened; its message may have left."""
        number = payment.transaction.transaction_id
        self._log.error("payment_fault", transaction_id=number, error=type(fault).__name__)

    def heard_late(self, message: StoredMessage, answer: Answered, *, contradicts: bool) -> None:
        """A bank has answered what had ended; `contradicts` what an operator has resolved."""
        facts = {"transaction_id": message.forward.transaction_id, "field_39": answer.response_code}
        if contradicts:
            self._metrics.contradicted_resolution()
            self._log.error("resolution_contradicted", **facts)
        else:
            self._log.info("late_answer", **facts)

    def saw(self, payment: Payment, outcome: BankOutcome, closing: Closing) -> None:
        """A message has ended, and this is what it came to."""
        bank = payment.bank.name
        if isinstance(outcome, Answered) and not bank_code(outcome.response_code).listed:
            self._metrics.unlisted_bank_code(bank)
        if mismatched(payment, outcome):
            self._metrics.mismatched_approval(bank)
            self._log.error("approval_mismatched", transaction_id=closing.transaction_id, bank=bank)
        if closing.forward is not None:
            self._log.warning(
                "outcome_to_be_ended",
                transaction_id=closing.transaction_id,
                ended_by_event=closing.event.value,
                by=closing.forward.kind.value,
            )
