"""What the gateway's store holds, read past the gateway."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from e2e.rounds.call import FOLLOW_UPS, Call
from stores import rows_of

_SENT = """
SELECT t.transaction_id, t.type, t.state, t.rrn, o.client_order_id, o.opening_id
FROM transactions t JOIN orders o ON o.order_id = t.order_id WHERE t.mti <> ''
"""
"""All but what is only recorded: the rest that a partial capture lets go."""
_CHARGES = frozenset({"SALE", "AUTHORIZATION", "REBILL"})
_NEVER_SENT = frozenset({"FAILED", "DECLINED"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A transaction whose message was, or may have been, sent."""

    transaction_id: int
    type: str
    state: str
    rrn: str
    order: str | None
    """The merchant's own number."""
    opening_id: int
    """The transaction that opened the order."""

    @property
    def charges(self) -> bool:
        """Whether it opened an order."""
        return self.type in _CHARGES


def stored_in(database_url: str) -> Sequence[Stored]:
    """Every transaction with a message of its own."""
    return tuple(Stored(*row) for row in rows_of(database_url, _SENT))


def untold(stored: Sequence[Stored], calls: Sequence[Call]) -> Iterator[str]:
    """Transactions that moved money, or may have, and of which no answer has told a merchant.

    A merchant that would not wait, or was told to ask, may know nothing of its order's.
    """
    told = {call.transaction_id for call in calls}
    unheard = [call for call in calls if call.hung_up or call.left_open]
    orders = {call.order for call in unheard} - {None}
    openings = {call.body.get("transactionID") for call in unheard}
    for each in stored:
        heard = (
            each.transaction_id in told
            or each.order in orders
            or (not each.charges and each.opening_id in openings)
        )
        if not heard and each.state not in _NEVER_SENT:
            yield f"{each.type} {each.transaction_id} is {each.state}, and no answer named it"


def repeated(stored: Sequence[Stored], calls: Sequence[Call]) -> Iterator[str]:
    """Captures, refunds and cancels of an order beyond what merchants have asked for.

    However often a request with a key is sent, it asks once.
    """
    asked: dict[tuple[int, str], set[object]] = defaultdict(set)
    for place, call in enumerate(calls):
        if call.path in FOLLOW_UPS:
            name = call.path.removeprefix("/").upper()
            asked[call.body["transactionID"], name].add(call.key or place)
    done = Counter((each.opening_id, each.type) for each in stored if not each.charges)
    for (opening_id, name), count in done.items():
        wanted = len(asked[opening_id, name])
        if count > wanted:
            yield f"{name} of {opening_id} was asked for {wanted} times and done {count} times"
