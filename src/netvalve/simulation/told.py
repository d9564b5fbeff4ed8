"""What merchants were told: every answer of a run, with what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

PATIENCE_S: Final[Mapping[str, float]] = {
    "/sale": 30,
    "/authorize": 30,
    "/rebill": 30,
    "/capture": 15,
    "/refund": 15,
    "/cancel": 15,
}
"""How long a merchant waits for the answer of a payment: an answer comes before."""
OTHERWISE_S: Final = 60.0


@dataclass(slots=True)
class Told:
    """One request with its answer, if one came."""

    number: int
    client: str
    asked_at_s: float
    path: str
    request: Mapping[str, Any]
    key: str | None = None
    """The idempotency key."""
    status: int | None = None
    """None: no answer left the gateway."""
    body: Any = None
    heard: bool = False
    """Whether the answer reached the merchant."""
    late: bool = False
    """Whether it took longer than the merchant waits, with nobody hindering the gateway."""

    @property
    def code(self) -> str | None:
        """The response code of an answer about one thing."""
        return self.body.get("responseCode") if isinstance(self.body, dict) else None

    @property
    def transaction_id(self) -> int | None:
        """The transaction that was told of."""
        return self.body.get("transactionID") if isinstance(self.body, dict) else None


def parsed(body: bytes) -> Any:
    """The JSON of an answer."""
    return orjson.loads(body) if body else None
