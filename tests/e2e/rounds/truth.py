"""Whether what merchants were told is true: at the gateway afterwards, and in the bank's book.

A breach is a sentence; no sentence, no breach. The bank's book is read as it is, past the gateway.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from e2e.rounds.call import APPROVED, CHARGES, NOT_DURABLE, PENDING, TIMED_OUT, Call
from e2e.rounds.harms.harm import Answered
from e2e.rounds.stored import Stored
from netvalve.domain.bank_book import BookLine

HALVED = 6012
"""The bank approves half of it."""
_SAID_FOR_EVER = (
    *("transactionID", "orderId", "responseCode", "responseMessage", "responseCodeType"),
    *("bankTransactionId", "authCode", "midId", "cardNumber", "cardType"),
)
_SERVED = frozenset({200, 429, 503, 504})

Book = Mapping[str, Sequence[BookLine]]
"""Lines that move money, by RRN."""


def book_of(lines: Iterable[BookLine]) -> Book:
    """The lines of a book that move money, by RRN."""
    by_rrn: dict[str, list[BookLine]] = defaultdict(list)
    for line in lines:
        if line.moves_money:
            by_rrn[line.rrn].append(line)
    return by_rrn


def odd_ends(calls: Sequence[Call], answered: Answered) -> Iterator[str]:
    """Requests that ended as none may: left hanging, refused as wrong, cut off."""
    for call in calls:
        if call.left_hanging:
            yield f"{call.path} was left hanging: {call.broken} after {call.took_s:.1f} s"
        elif call.broken is not None:
            if not call.hung_up and answered is Answered.ALL:
                yield f"{call.path} had no answer: {call.broken} after {call.took_s:.1f} s"
        elif call.status not in _SERVED and not (call.path == "/order" and call.status == 404):
            yield f"{call.path} was answered {call.status}: {call.answer}"


async def untrue_answers(
    calls: Sequence[Call], book: Book, http: httpx.AsyncClient
) -> AsyncIterator[str]:
    """Every answer that named a transaction, against what the gateway and the bank say now."""
    for call in calls:
        if call.path.startswith(("/inquiry", "/order")) or call.transaction_id is None:
            continue
        response = await http.get("/inquiry", params={"transactionId": call.transaction_id})
        if response.status_code != 200:
            yield f"{_named(call)} is not there: {response.status_code}"
            continue
        for breach in _broken_promises(call, response.json(), book):
            yield f"{_named(call)} {breach}"
        if call.code == TIMED_OUT:
            shown = await http.get("/transaction", params={"id": call.transaction_id})
            if shown.json()["status"] != "Reversed":
                yield f"{_named(call)} reads {shown.json()['status']}"


def _broken_promises(call: Call, now: Mapping[str, Any], book: Book) -> Iterator[str]:
    assert call.answer is not None
    if now["responseCode"] == PENDING:
        yield "is still pending"
        return
    if call.code != PENDING:
        for name in _SAID_FOR_EVER:
            if now.get(name) != call.answer.get(name):
                yield f"said {name} {call.answer.get(name)}, says {now.get(name)}"
    booked = book.get(str(now.get("bankTransactionId")), ())
    if now["responseCode"] != APPROVED:
        if booked:
            yield f"says {now['responseCode']}, and the bank has {booked[0].text}"
        return
    if len(booked) != 1:
        yield f"is approved and has {len(booked)} lines in the bank's book"
        return
    if call.path != "/cancel" and "amount" in call.body:
        yield from _wrong_amounts(call, now, booked[0])


def _wrong_amounts(call: Call, now: Mapping[str, Any], line: BookLine) -> Iterator[str]:
    asked_minor = round(call.body["amount"] * 100)
    if call.body["amount"] == HALVED and call.path in CHARGES and line.amount_minor != asked_minor:
        asked_minor //= 2
    if line.amount_minor != asked_minor:
        yield f"was asked for {asked_minor}, and the bank has booked {line.amount_minor}"
    if "amount" in now and round(float(now["amount"]) * 100) != asked_minor:
        yield f"was asked for {asked_minor}, and says {now['amount']}"


async def untrue_refusals(calls: Sequence[Call], http: httpx.AsyncClient) -> AsyncIterator[str]:
    """Orders of which every answer said that nothing was begun, and that hold money or did."""
    attempts: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.path in CHARGES and call.order is not None:
            attempts[call.order].append(call)
    for order, tried in attempts.items():
        if not all(_says_not_begun(each) for each in tried):
            continue
        shown = await http.get("/order", params={"clientOrderId": order})
        if shown.status_code == 200 and shown.json()["responseCode"] in {APPROVED, TIMED_OUT}:
            yield f"{order} was refused as not begun, and reads {shown.json()['status']}"


def _says_not_begun(call: Call) -> bool:
    return call.refused_the_connection or (call.status == 503 and call.code == NOT_DURABLE)


def two_for_one_key(calls: Sequence[Call]) -> Iterator[str]:
    """Requests with one key that were answered from different transactions."""
    told: dict[str, set[int]] = defaultdict(set)
    for call in calls:
        if call.key is not None and call.transaction_id is not None:
            told[call.key].add(call.transaction_id)
    for key, numbers in told.items():
        if len(numbers) > 1:
            yield f"the key {key} has named transactions {sorted(numbers)}"


def charged_twice(stored: Iterable[Stored], book: Book) -> Iterator[str]:
    """Merchant's orders that have more than one charge in the bank's book."""
    booked = Counter(each.order for each in stored if each.charges and book.get(each.rrn))
    for order, count in booked.items():
        if order is not None and count > 1:
            yield f"{order} is charged {count} times"


def _named(call: Call) -> str:
    return f"{call.path} {call.transaction_id}, told {call.code},"
