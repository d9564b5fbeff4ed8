"""What a merchant asked and what it heard: kept as it came, to be held against the truth."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PENDING = "GTW_1002"
APPROVED = "GTW_1000"
TIMED_OUT = "GTW_2054"
DUPLICATE = "GTW_2065"
BUSY = "GTW_2049"
NOT_DURABLE = "GTW_9999"
NOT_BEGUN, UNCERTAIN = 503, 504
HUNG_UP = "the merchant hung up"
LINK_DOWN = frozenset({"GTW_2051", "GTW_2052", "GTW_2053", "GTW_2080", "GTW_2090", "GTW_2091"})
CHARGES = frozenset({"/sale", "/authorize", "/rebill"})
FOLLOW_UPS = frozenset({"/capture", "/refund", "/cancel"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its end."""

    path: str
    body: Mapping[str, Any]
    took_s: float
    key: str | None = None
    """Its Idempotency-Key."""
    status: int | None = None
    answer: Mapping[str, Any] | None = None
    retry_after: str | None = None
    broken: str | None = None
    """Why there was no answer: the name of the client's error."""
    ended_s: float = 0.0
    """When it was over, by the monotonic clock."""

    @property
    def code(self) -> str | None:
        """The response code that the merchant heard."""
        return None if self.answer is None else str(self.answer.get("responseCode"))

    @property
    def transaction_id(self) -> int | None:
        """The transaction that the merchant heard of."""
        return None if self.answer is None else self.answer.get("transactionID")

    @property
    def order(self) -> str | None:
        """The merchant's own number."""
        return self.body.get("clientOrderId")

    @property
    def charged(self) -> bool:
        """Whether it is a charge that was approved."""
        return self.code == APPROVED and self.path in CHARGES

    @property
    def left_open(self) -> bool:
        """The gateway could not say whether anything was begun: the merchant is to ask."""
        return self.status == UNCERTAIN

    @property
    def refused_the_connection(self) -> bool:
        """Nobody listened: it was surely not taken."""
        return self.broken == "ConnectError"

    @property
    def left_hanging(self) -> bool:
        """Neither an answer nor a closed connection."""
        return self.broken in {"ReadTimeout", "WriteTimeout", "PoolTimeout", "ConnectTimeout"}

    @property
    def hung_up(self) -> bool:
        """The merchant itself would not wait."""
        return self.broken == HUNG_UP

    @property
    def answer_lost(self) -> bool:
        """It may have been taken, and the merchant does not know."""
        return self.broken is not None and not self.refused_the_connection


def misshapen(calls: Iterable[Call]) -> Iterator[str]:
    """Refusals that are not the contract's: 503 says when to come again, 504 that one must ask."""
    for each in calls:
        if each.status not in {NOT_BEGUN, UNCERTAIN}:
            continue
        says_when = each.retry_after is not None
        if each.code != NOT_DURABLE or says_when != (each.status == NOT_BEGUN):
            yield f"{each.status} not in the contract's shape: {each.answer}, {each.retry_after}"
