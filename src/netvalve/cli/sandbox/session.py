"""One run of the sandbox, from the bank's start to its end."""

import asyncio

from netvalve.bootstrap import RunningGateway, serve
from netvalve.cli.event_loop import stop_on_signals
from netvalve.cli.failure import naming_ports
from netvalve.cli.sandbox.announcement import (
    FILE_NAME,
    announce,
    announce_as_json,
    tell,
    write_sandbox_file,
)
from netvalve.cli.sandbox.bank_process import BankProcess, bank_process
from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings


async def run_sandbox(settings: Settings, *, as_json: bool) -> int:
    """Runs until a signal comes or the bank dies; the exit status.

    The gateway finishes what it has taken before the bank is ended, for it may need its answers.
    """
    stop = stop_on_signals()
    async with bank_process(settings) as bank:
        (settings.home / FILE_NAME).unlink(missing_ok=True)
        given = sandbox_merchant(bank.host, bank.port)
        merchant = await asyncio.to_thread(prepare_store, settings, given)

        def started(gateway: RunningGateway) -> None:
            if as_json:
                announce_as_json(gateway.base_url, merchant)
            else:
                announce(gateway.base_url, bank, merchant, settings.home)
            write_sandbox_file(gateway.base_url, merchant, settings.home)

        watch = asyncio.create_task(_stop_when_ended(bank, stop))
        try:
            with naming_ports(settings.host, port=settings.port):
                await serve(settings, sandbox=True, started=started, stop=stop)
        finally:
            died = watch.done()
            watch.cancel()
    return 1 if died else 0


async def _stop_when_ended(bank: BankProcess, stop: asyncio.Event) -> None:
    status = await bank.ended()
    stop.set()
    tell(f"netvalve: the test bank has ended with status {status}; stopping", error=True)
