"""The book on its own: what fails is undone alone, what was returned is on the disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from netvalve.banks.testbank.book import FILE, Book, card_key
from netvalve.banks.testbank.entry import Balance
from netvalve.banks.testbank.ledger import Ledger

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = b"digest"


@pytest_asyncio.fixture(loop_scope="module")
async def book(tmp_path: Path) -> AsyncIterator[Book[str]]:
    opened = Book[str](tmp_path)
    opened.open()
    yield opened
    await opened.close()


def held(home: Path) -> int:
    """What another connection sees, which is what is committed."""
    connection = sqlite3.connect(home / FILE)
    (held_minor,) = connection.execute("SELECT sum(held_minor) FROM balances").fetchone()
    connection.close()
    return held_minor or 0


def hold(amount_minor: int, ledger: Ledger) -> str:
    ledger.move(CARD, "USD", Balance(held_minor=amount_minor))
    return f"held {amount_minor}"


def hold_and_fail(ledger: Ledger) -> str:
    hold(1_000_000, ledger)
    raise LookupError("after its statement")


async def test_work_is_committed_when_it_returns(tmp_path: Path, book: Book[str]) -> None:
    assert await book.within(lambda ledger: hold(7, ledger)) == "held 7"
    assert held(tmp_path) == 7


async def test_work_that_fails_is_undone_alone_in_its_batch(
    tmp_path: Path, book: Book[str]
) -> None:
    works = [lambda ledger: hold(1, ledger), hold_and_fail, lambda ledger: hold(2, ledger)]
    results = await asyncio.gather(*map(book.within, works), return_exceptions=True)
    assert [type(result) for result in results] == [str, LookupError, str]
    assert held(tmp_path) == 3


async def test_balance_below_nought_cannot_be_written(tmp_path: Path, book: Book[str]) -> None:
    await book.within(lambda ledger: hold(5, ledger))
    with pytest.raises(sqlite3.IntegrityError):
        await book.within(lambda ledger: hold(-6, ledger))
    assert held(tmp_path) == 5


async def test_key_of_the_card_digests_is_for_its_owner_alone(tmp_path: Path) -> None:
    key = card_key(tmp_path)
    assert card_key(tmp_path) == key
    assert len(key) == 32
    assert (tmp_path / "bank.key").stat().st_mode & 0o777 == 0o600  # a test may wait
