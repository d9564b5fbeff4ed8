"""What a round breaks: a bank, gateways, their database and the lines between them, each apart."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from pathlib import Path

import httpx

from e2e.rounds.database import StationDatabase, station_database
from e2e.rounds.either import EitherGateway
from e2e.rounds.program import Program
from e2e.rounds.proxy import Proxy
from e2e.rounds.small_disk import FULL_DEVICE, LimitedFiles, SmallDisk, small_file_system
from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import SandboxMerchant, sandbox_merchant
from netvalve.config import Settings
from stores import SQLITE_FILE, Databases

BANK_NAME = "Mock Bank"
ANSWERED_WITHIN_S = 20.0
"""Far above every deadline: a request that takes longer is left hanging."""
LATE_S = 2.0
"""How late the bank's late answers come."""
LEASE_S = 3.0
SETTINGS: Mapping[str, object] = {
    "charge_deadline_s": 1.5,
    "follow_up_deadline_s": 1.2,
    "turn_wait_s": 0.6,
    "bank_echo_s": 1,
    "bank_reconnect_max_s": 0.5,
    "shutdown_grace_s": 5,
    "lease_s": LEASE_S,
}
"""Short times, so that a round sees what otherwise takes minutes."""


class Small(StrEnum):
    """What of the gateway lies on a disk that can be filled."""

    NOTHING = "nothing"
    HOME = "home"
    LOG = "log"


SMALL_MIB: Mapping[Small, int] = {Small.HOME: 24, Small.LOG: 1}
_READY = re.compile(rf'^netvalve_bank_ready{{bank="{BANK_NAME}"}} 1\.0$', re.MULTILINE)
_BACKLOG = re.compile(
    r"^netvalve_(?:transactions_pending|reversals_waiting)(?:\{.*\})? (\S+)$", re.MULTILINE
)


class Station:
    """The processes of one round."""

    def __init__(
        self,
        folder: Path,
        home: Path,
        *,
        log_file: Path,
        disk: SmallDisk | None = None,
        database: StationDatabase | None = None,
        nodes: int = 1,
        **settings: object,
    ) -> None:
        self.home, self.disk, self._database = home, disk, database
        self.database_url = str(home / SQLITE_FILE) if database is None else database.url
        self.bank = Program(
            "bank",
            environment=_environment(home=folder / "bank", bank_port=0, bank_admin_port=0),
            log=folder / "bank.log",
        )
        given = {**SETTINGS, **settings, "home": home, "log_file": log_file, "port": 0}
        if database is not None:
            given["database"] = database.reached_at
        self.gateways = [
            Program("serve", environment=_environment(**given), log=folder / f"gateway-{node}.err")
            for node in range(nodes)
        ]
        self.proxy = Proxy(lambda: int(self.bank.environment["NETVALVE_BANK_PORT"]))
        self._merchant: SandboxMerchant | None = None

    @property
    def gateway(self) -> Program:
        """The first gateway, and mostly the only one."""
        return self.gateways[0]

    @property
    def database(self) -> StationDatabase:
        """Its PostgreSQL."""
        assert self._database is not None, "it stores in a file"
        return self._database

    def client(self, *nodes: int, connections: int = 64) -> httpx.AsyncClient:
        """The merchant's HTTP client, to any of these gateways; to all where none is named."""
        assert self._merchant is not None
        return httpx.AsyncClient(
            base_url="http://127.0.0.1",
            headers={
                "netvalve-client-id": self._merchant.client.netvalve_client_id,
                "netvalve-api-key": self._merchant.credentials.api_key,
            },
            timeout=ANSWERED_WITHIN_S,
            transport=EitherGateway(
                [self.port(node) for node in nodes or range(len(self.gateways))], connections
            ),
        )

    def port(self, node: int = 0) -> int:
        """Where a gateway listens."""
        return int(self.gateways[node].environment["NETVALVE_PORT"])

    async def start(self) -> None:
        """Everything, with a merchant enrolled."""
        await self.start_bank()
        await self.proxy.start()
        given = sandbox_merchant("127.0.0.1", self.proxy.port)
        settings = Settings(home=self.home, database=self.database_url)
        self._merchant = await asyncio.to_thread(prepare_store, settings, given)
        for node in range(len(self.gateways)):
            await self.start_gateway(node)

    async def start_bank(self) -> None:
        """The bank, at the ports it had before."""
        facts = await self.bank.start()
        self.bank.environment |= {
            "NETVALVE_BANK_PORT": str(facts["port"]),
            "NETVALVE_BANK_ADMIN_PORT": str(facts["admin_port"]),
        }
        async with self._admin() as admin:
            answer = await admin.put("/pace", json={"latency_s": 0.0, "late_s": LATE_S})
            answer.raise_for_status()

    async def start_gateway(self, node: int = 0) -> None:
        """A gateway, at the port it had before."""
        gateway = self.gateways[node]
        facts = await gateway.start()
        gateway.environment["NETVALVE_PORT"] = str(facts["port"])

    async def book(self) -> str:
        """The bank's own book."""
        async with self._admin() as admin:
            return (await admin.get("/book.csv")).raise_for_status().text

    async def until_bank_is_ready(self, within_s: float) -> None:
        """Return when each gateway can reach the bank.

        Raises:
            TimeoutError: it cannot.
        """
        end_s = time.monotonic() + within_s
        for node, gateway in enumerate(self.gateways):
            async with self.client(node) as http:
                while gateway.runs and not _READY.search(await _metrics(http)):
                    if time.monotonic() > end_s:
                        raise TimeoutError("the bank cannot be reached")
                    await asyncio.sleep(0.05)

    async def until_nothing_is_unknown(self, within_s: float) -> float:
        """Seconds until every transaction has ended, with every reversal acknowledged.

        Raises:
            TimeoutError: some have not; the message says how many.
        """
        began_s = time.monotonic()
        running = [node for node, gateway in enumerate(self.gateways) if gateway.runs]
        async with self.client(*running) as http:
            while (backlog := _BACKLOG.findall(await _metrics(http))) != ["0.0", "0.0"]:
                if time.monotonic() - began_s > within_s:
                    raise TimeoutError(f"pending, reversals waiting: {backlog}")
                await asyncio.sleep(0.1)
        return time.monotonic() - began_s

    async def command(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run another `netvalve` command on the gateways' data."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "netvalve.cli", *arguments],
            env=self.gateway.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def keep_evidence(self, folder: Path) -> None:
        """Copy what the gateways have written, and what their store holds."""
        shutil.copytree(self.home, folder)
        if self._database is not None:
            self._database.keep_evidence(folder / "database")

    async def stop(self) -> None:
        """End everything, the gateways first; whatever state they are in."""
        for program in (*self.gateways, self.bank):
            await program.kill()
        await self.proxy.stop()

    def _admin(self) -> httpx.AsyncClient:
        port = self.bank.environment["NETVALVE_BANK_ADMIN_PORT"]
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)


def _environment(**settings: object) -> dict[str, str]:
    """This process's environment with no settings but the given ones."""
    own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
    return {**own, **{f"NETVALVE_{name.upper()}": str(each) for name, each in settings.items()}}


async def _metrics(http: httpx.AsyncClient) -> str:
    return (await http.get("/metrics")).text


@asynccontextmanager
async def running_station(
    folder: Path,
    small: Small = Small.NOTHING,
    databases: Databases | None = None,
    *,
    by_line: bool = False,
    nodes: int = 1,
    **settings: object,
) -> AsyncIterator[Station]:
    """A station in an empty folder; its home, or its log, on a disk that can be filled.

    It stores in one of the databases, where they are given, else in a file; `by_line` it reaches
    that one over a line that can be cut.
    """
    home, log_file = folder / "gateway", folder / "gateway.log"
    disk: SmallDisk | None = None
    async with AsyncExitStack() as stack:
        if small is not Small.NOTHING:
            place = small_file_system(folder / "small", SMALL_MIB[small])
            disk = stack.enter_context(place)
        if small is Small.HOME:
            home = folder / "small" / "gateway"
            disk = disk or LimitedFiles(home)
        elif small is Small.LOG:
            log_file = FULL_DEVICE if disk is None else disk.path / "gateway.log"
        database: StationDatabase | None = None
        if databases is not None:
            database = await stack.enter_async_context(station_database(databases, by_line=by_line))
        station = Station(
            folder,
            home,
            log_file=log_file,
            disk=disk,
            database=database,
            nodes=nodes,
            **settings,
        )
        try:
            await station.start()
            yield station
        finally:
            await station.stop()
