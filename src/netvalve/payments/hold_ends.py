"""The end of one hold: cancelled, left to who was first, or put off.

The cancel is one like any merchant's: it takes its turn and the store's claim, and it is repeated
where the bank's answer is lost. What the bank refuses it is asked again ever more seldom.
"""

from enum import StrEnum

from structlog.typing import FilteringBoundLogger

from netvalve.domain.client import BankProfile
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.gateway import Gateway, PaymentAnswer
from netvalve.payments.ports import Clock, Configuration, Expiring, Records
from netvalve.telemetry.metrics import Metrics

REASON = "the hold time is over"
"""In the history of the cancel: nobody asked for it."""
NOT_SENT_PAUSE_MS = 60_000
_HOUR_MS = 3_600_000
REFUSED_PAUSES_MS = (_HOUR_MS, 4 * _HOUR_MS, 24 * _HOUR_MS)
"""After the first refusal, the second, and each one more."""
_OTHERS = frozenset({"GTW_2046", "GTW_2047", "GTW_2049"})
"""Captured, cancelled or in flight: somebody else was first, and it is not ours to end."""


class End(StrEnum):
    """What came of one hold."""

    CANCELLED = "cancelled"
    PENDING = "pending"
    """The cancel is at the bank, or stored to be repeated."""
    OTHERS = "others"
    """Another operation of the order, or another gateway, was first."""
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    """By the bank or by ourselves; or something failed that may fail again."""


def refused_pause_ms(refusals: int) -> int:
    """How long is waited after so many; after a failure that is none, as after the first."""
    return REFUSED_PAUSES_MS[min(max(refusals, 1), len(REFUSED_PAUSES_MS)) - 1]


class HoldEnds:
    """Ends holds, each by itself."""

    def __init__(
        self,
        *,
        expiring: Expiring,
        records: Records,
        gateway: Gateway,
        configuration: Configuration,
        clock: Clock,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._expiring, self._records, self._gateway = expiring, records, gateway
        self._configuration, self._clock = configuration, clock
        self._metrics, self._log = metrics, log

    async def end(self, order: Order, bank: BankProfile) -> End:
        """Cancel, or put off. Never raises: what fails concerns this hold alone."""
        try:
            end, pause_ms = await self._end(order, bank)
        except StoreUnavailable:
            end, pause_ms = End.NOT_SENT, NOT_SENT_PAUSE_MS
        except Exception as error:  # noqa: BLE001  # whatever it is, the others' ends must come
            self._tell_refused(bank, order.opening_id, error=type(error).__name__)
            end, pause_ms = End.REFUSED, refused_pause_ms(0)
        if pause_ms:
            await self._put_off(order, pause_ms)
        return end

    async def _end(self, order: Order, bank: BankProfile) -> tuple[End, int]:
        """What came of it, and how long it is put off; 0: not at all.

        The last refusal may be too near: it was the answer to a repeat, or to the merchant.
        """
        refused = await self._refused_cancels(order)
        if _may_ask(refused, self._clock.now_ms()):
            answer = await self._cancel(order)
            cancel = _refused_cancel(answer)
            if cancel is None:
                return self._unless_refused(order, bank, answer)
            refused = (*refused, cancel)
        self._tell_refused(bank, refused[-1].transaction_id, **_codes(refused[-1]))
        return End.REFUSED, refused_pause_ms(len(refused))

    def _unless_refused(
        self, order: Order, bank: BankProfile, answer: PaymentAnswer
    ) -> tuple[End, int]:
        """What the bank's refusal is not: the bank's other answers, and our own."""
        match answer:
            case (transaction, _) if transaction.state in _ENDS:
                return _ENDS[transaction.state]
            case Refusal(code=code) if code in _OTHERS:
                return End.OTHERS, 0
            case Refusal(code=code):
                self._tell_refused(bank, order.opening_id, code=code)
            case _:
                self._tell_refused(bank, order.opening_id, error=type(answer).__name__)
        return End.REFUSED, refused_pause_ms(0)

    async def _cancel(self, order: Order) -> PaymentAnswer:
        """Through the gateway's own path."""
        return await self._gateway.follow_up(
            self._configuration.directory.clients[order.client_id],
            FollowUpCommand(TransactionType.CANCEL, order.opening_id, reason=REASON),
            trace_id=order.trace_id,
            arrived_s=self._clock.monotonic_s(),
        )

    async def _refused_cancels(self, order: Order) -> tuple[Transaction, ...]:
        """Oldest first. A merchant's own count too: it is the same bank's word."""
        transactions = await self._records.transactions_of(order.client_id, order.order_id)
        return tuple(filter(_is_refused_cancel, transactions))

    async def _put_off(self, order: Order, pause_ms: int) -> None:
        """What cannot be written is found due again by a later look."""
        try:
            await self._expiring.put_off(order.order_id, self._clock.now_ms() + pause_ms)
        except (StoreUnavailable, StoreUncertain) as error:
            name = type(error).__name__
            self._log.error("expiry_not_put_off", order_id=order.order_id, error=name)

    def _tell_refused(self, bank: BankProfile, transaction_id: int, **facts: str | None) -> None:
        """The card holder's money is still held: each wants a person."""
        self._metrics.hold_refused(bank.name)
        self._log.error("hold_refused", transaction_id=transaction_id, bank=bank.name, **facts)


_ENDS = {
    State.APPROVED: (End.CANCELLED, 0),
    State.PENDING: (End.PENDING, 0),
    State.FAILED: (End.NOT_SENT, NOT_SENT_PAUSE_MS),
}
"""What the cancel came to, and how long the hold is put off."""


def _is_refused_cancel(transaction: Transaction) -> bool:
    return transaction.type is TransactionType.CANCEL and transaction.state is State.DECLINED


def _refused_cancel(answer: PaymentAnswer) -> Transaction | None:
    match answer:
        case (transaction, _) if _is_refused_cancel(transaction):
            return transaction
    return None


def _may_ask(refused: tuple[Transaction, ...], now_ms: int) -> bool:
    """Whether the pause after the last refusal is over."""
    last_ms = max((each.closed_at_ms or 0 for each in refused), default=None)
    return last_ms is None or now_ms >= last_ms + refused_pause_ms(len(refused))


def _codes(cancel: Transaction) -> dict[str, str | None]:
    outcome = cancel.outcome
    if outcome is None:
        return {}
    return {"code": outcome.response_code, "field_39": outcome.bank_response_code}
