"""Ceiling (c), the bank link alone: the gateway's own link to a bank, and nothing around it.

    python -m bench.ceilings.bank_link HOST PORT

Each order `{"at_once": 64, "seconds": 3}` is a closed loop of sales, encoded, sent, answered,
decoded and matched.
"""

import asyncio
import sys

import structlog

from bench.ceilings.closed_loop import closed_loop
from bench.orders import Order, say, take_orders
from bench.samples import bank_request
from netvalve.banks.iso8583.link import Iso8583Bank
from netvalve.bootstrap.ground import SystemClock
from netvalve.cli.event_loop import run_until_done
from netvalve.config import Settings
from netvalve.domain.bank_message import Answered
from netvalve.domain.client import BankProfile
from netvalve.telemetry.metrics import Metrics

_WAIT_S = 10.0


async def _run(host: str, port: int) -> None:
    settings, clock, sent = Settings(), SystemClock(), 0
    link = Iso8583Bank(
        BankProfile(1, "Mock Bank", frozenset(), "GTW_2090", host, port),
        acquirer_id=settings.acquirer_id,
        connections=settings.bank_connections,
        in_flight_max=settings.bank_in_flight_max,
        echo_s=settings.bank_echo_s,
        reconnect_max_s=settings.bank_reconnect_max_s,
        clock=clock,
        metrics=Metrics(),
        require_test_bank=False,
        log=structlog.get_logger(),
    )
    await link.start()
    while not link.ready:  # noqa: ASYNC110  # a link tells nobody
        await asyncio.sleep(0.01)

    async def ask(_number: int) -> None:
        nonlocal sent
        sent += 1
        outcome = await link.send(bank_request(sent), clock.monotonic_s() + _WAIT_S)
        if not isinstance(outcome, Answered):
            raise TypeError(f"the bank did not answer: {outcome}")

    async def obey(order: Order) -> Order:
        return await closed_loop(ask, **order)

    say({"ready": True})
    await take_orders(obey)
    await link.stop()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    run_until_done(_run(sys.argv[1], int(sys.argv[2])))
