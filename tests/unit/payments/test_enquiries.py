"""An inquiry: which transaction the names mean, and how long a pending one is waited for."""

import asyncio
import time

import pytest

from making import a_transaction, an_order
from netvalve.domain.journal import KeyedRequest, KeyedTransaction, StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import TransactionType
from netvalve.payments.enquiries import Enquiries, Names
from netvalve.payments.idempotency import Idempotency

CLIENT = 7
ORDER = an_order(client_order_id="order-1")
HOLD = a_transaction()
CAPTURE = a_transaction(TransactionType.CAPTURE, transaction_id=1002, parent_id=1001)
SALE = a_transaction(TransactionType.SALE, transaction_id=2001, order_id=5002)
SALE_ORDER = an_order(TransactionType.SALE, order_id=5002, opening_id=2001)
KEYED_AT_MS = 1_000


class Records:
    """An order with its hold and the capture, which came by a key; another order with a sale."""

    def __init__(self):
        self.capture = CAPTURE
        self.asked, self.away = 0, False

    async def transaction(self, client_id, transaction_id):
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        both = {1001: (HOLD, ORDER), 1002: (self.capture, ORDER), 2001: (SALE, SALE_ORDER)}
        return both.get(transaction_id) if client_id == CLIENT else None

    async def order_by_client_order_id(self, client_id, client_order_id):
        return ORDER if (client_id, client_order_id) == (CLIENT, "order-1") else None

    async def of_key(self, client_id, key, since_ms):
        if (client_id, key) != (CLIENT, "Idempotency-Key key-1") or since_ms > KEYED_AT_MS:
            return None
        keyed = KeyedRequest(CLIENT, key, "/capture", {}, KEYED_AT_MS)
        return KeyedTransaction(keyed, self.capture, ORDER)

    async def next_attempt_at_ms(self, _transaction_id):
        if self.away:
            raise StoreUnavailable("away")
        return 77


class Digests:
    def of_field(self, _client_id, name, value):
        return f"{name} {value.decode()}"


class Clock:
    def __init__(self, now_ms=KEYED_AT_MS):
        self._now_ms = now_ms

    def now_ms(self):
        return self._now_ms


def enquiries_of(records, *, since_ms=KEYED_AT_MS):
    life_ms = 500
    return Enquiries(
        records, None, Idempotency(records, Digests(), Clock(since_ms + life_ms), life_ms)
    )


async def asked(records, names, *, client_id=CLIENT, since_ms=KEYED_AT_MS, wait_s=0.3):
    found = await enquiries_of(records, since_ms=since_ms).inquiry(
        client_id, names, wait_s=wait_s, waiting_max=2
    )
    return found and found[0].transaction_id


async def waited_for(enquiries, *, waiting_max=10):
    return await enquiries.inquiry(CLIENT, Names(1002), wait_s=5, waiting_max=waiting_max)


@pytest.mark.parametrize(
    ("names", "number"),
    [
        (Names(transaction_id=1002), 1002),
        (Names(client_order_id="order-1"), 1001),
        (Names(idempotency_key="key-1"), 1002),
        (Names(transaction_id=1002, idempotency_key="key-1"), 1002),
        (Names(transaction_id=1002, client_order_id="order-1"), 1002),
        (Names(client_order_id="order-1", idempotency_key="key-1"), 1002),
        (Names(1002, "order-1", "key-1"), 1002),
        (Names(transaction_id=1001, idempotency_key="key-1"), None),
        (Names(transaction_id=2001, client_order_id="order-1"), None),
        (Names(transaction_id=2001, idempotency_key="key-1"), None),
        (Names(transaction_id=1002, idempotency_key="key-2"), None),
        (Names(transaction_id=1002, client_order_id="order-2"), None),
        (Names(transaction_id=9, client_order_id="order-1"), None),
        (Names(), None),
    ],
)
async def test_all_names_that_are_given_must_agree(names, number):
    assert await asked(Records(), names) == number


async def test_a_key_names_nothing_once_its_life_is_over():
    assert await asked(Records(), Names(idempotency_key="key-1"), since_ms=KEYED_AT_MS + 1) is None


@pytest.mark.parametrize(
    "names", [Names(1002), Names(client_order_id="order-1"), Names(idempotency_key="key-1")]
)
async def test_another_clients_names_mean_nothing(names):
    assert await asked(Records(), names, client_id=8) is None


async def test_an_outcome_that_comes_within_the_wait_is_the_answer():
    records = Records()
    records.capture = a_transaction(TransactionType.CAPTURE, State.PENDING, transaction_id=1002)
    waiting = asyncio.create_task(waited_for(enquiries_of(records)))
    await asyncio.sleep(0.05)
    records.capture = CAPTURE
    found = await asyncio.wait_for(waiting, 1)
    assert found == (CAPTURE, ORDER)


@pytest.mark.parametrize("wait_s", [0, 0.25])
async def test_a_pending_transaction_is_waited_for_no_longer_than_the_wait(wait_s):
    records = Records()
    records.capture = a_transaction(TransactionType.CAPTURE, State.PENDING, transaction_id=1002)
    began = time.monotonic()
    assert await asked(records, Names(1002), wait_s=wait_s) == 1002
    assert wait_s <= time.monotonic() - began < wait_s + 0.2


async def test_nothing_is_waited_for_while_the_gateway_ends():
    records = Records()
    records.capture = a_transaction(TransactionType.CAPTURE, State.PENDING, transaction_id=1002)
    enquiries = enquiries_of(records)
    waiting = [asyncio.create_task(waited_for(enquiries)) for _ in range(2)]
    await asyncio.sleep(0.02)
    enquiries.hurry()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 0.5) == [(records.capture, ORDER)] * 2
    assert await asyncio.wait_for(waited_for(enquiries), 0.05) == (records.capture, ORDER)


async def test_who_finds_no_place_to_wait_is_answered_at_once_with_what_is_known():
    records = Records()
    records.capture = a_transaction(TransactionType.CAPTURE, State.PENDING, transaction_id=1002)
    enquiries = enquiries_of(records)
    waiting = asyncio.create_task(waited_for(enquiries, waiting_max=2))
    await asyncio.sleep(0.02)
    assert await asyncio.wait_for(waited_for(enquiries, waiting_max=2), 0.05) == (
        records.capture,
        ORDER,
    )
    records.capture = CAPTURE
    assert await asyncio.wait_for(waiting, 1) == (CAPTURE, ORDER)
    assert await waited_for(enquiries, waiting_max=2) == (CAPTURE, ORDER)


async def test_a_store_that_goes_away_meanwhile_leaves_what_was_known():
    records = Records()
    records.capture = a_transaction(TransactionType.CAPTURE, State.PENDING, transaction_id=1002)
    enquiries = enquiries_of(records)
    waiting = asyncio.create_task(waited_for(enquiries))
    await asyncio.sleep(0.02)
    records.away = True
    assert (await asyncio.wait_for(waiting, 1))[0] == records.capture
    assert await enquiries.next_attempt_at_ms(records.capture) is None


async def test_what_has_ended_is_neither_waited_for_nor_attempted_again():
    records = Records()
    assert await asked(records, Names(1002), wait_s=5) == 1002
    assert records.asked == 1
    assert await enquiries_of(records).next_attempt_at_ms(CAPTURE) is None
    pending = a_transaction(TransactionType.CAPTURE, State.PENDING)
    assert await enquiries_of(records).next_attempt_at_ms(pending) == 77
