"""A log that cannot be written stops neither a payment nor the gateway, over real processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import SHORT
from running import Merchant, Sandbox

LINES_TO_FILL_A_PIPE = 400
"""At about 250 bytes each, more than the 64 KiB a pipe holds."""


class Piped:
    """A sandbox whose output goes into a pipe, and the pipe's other end."""

    def __init__(self, home: Path) -> None:
        self.sandbox = Sandbox(home, **SHORT)
        os.mkfifo(self.sandbox.log)
        self.reading = os.open(self.sandbox.log, os.O_RDONLY | os.O_NONBLOCK)
        self.sandbox.start()

    def read(self) -> bytes:
        """What waits in the pipe."""
        try:
            return os.read(self.reading, 1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
def piped(tmp_path: Path) -> Iterator[Piped]:
    running = Piped(tmp_path)
    yield running
    assert running.sandbox.interrupt() == 0


def dropped(shop: Merchant) -> float:
    (line,) = [
        line
        for line in shop.http.get("/metrics").text.splitlines()
        if line.startswith("netvalve_log_lines_dropped_total ")
    ]
    return float(line.split()[1])


def pays_without_an_answer(shop: Merchant) -> None:
    """A sale that the bank never answers: its end, its lines and its reversal are all there."""
    answer = shop.sale(6001)
    assert answer["responseCode"] == "GTW_2054"
    assert shop.get("/transaction", id=answer["transactionID"])["status"] == "Failed"
    assert shop.sale(10)["responseCode"] == "GTW_1000"


def test_a_payment_ends_though_the_reader_of_the_log_is_gone(piped: Piped) -> None:
    os.close(piped.reading)
    with piped.sandbox.client() as http:
        shop = Merchant(http)
        for _ in range(3):
            pays_without_an_answer(shop)
        assert dropped(shop) > 0


def test_a_payment_ends_though_nobody_reads_the_log(piped: Piped) -> None:
    with piped.sandbox.client() as http:
        shop = Merchant(http)
        for _ in range(LINES_TO_FILL_A_PIPE):
            assert http.get("/transaction", params={"id": 1}).status_code == 404
        pays_without_an_answer(shop)
    assert piped.read().startswith(b"\nNetValve sandbox")
