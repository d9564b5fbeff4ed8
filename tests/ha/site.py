"""The whole: the database, two gateways before it, a balancer before them, a bank behind them."""

import re
from pathlib import Path

import httpx

from ha.cluster import DATABASE, USER, Cluster, until
from ha.desk import BANK_PORT, Desk
from ha.gateway import PORT, Gateway, start_haproxy
from ha.machine import HUB, NETWORK, Machine
from netvalve.cli.administration import administration_of
from netvalve.cli.sandbox.enrolment import enrol
from netvalve.cli.sandbox.merchant import SandboxMerchant, sandbox_merchant
from netvalve.config import Settings

BALANCER = f"http://{NETWORK}.5:{PORT}"
_READY_S = 60.0
_LONGER_THAN_ANY_ANSWER_S = 40.0
_BACKLOG = re.compile(
    r"^netvalve_(?:transactions_pending|reversals_waiting)(?:\{.*\})? (\S+)$", re.MULTILINE
)


class Site:
    """Everything that runs, with one merchant enrolled."""

    def __init__(self, folder: Path, cluster: Cluster, desk: Desk) -> None:
        self.cluster, self.desk = cluster, desk
        self.database = f"postgresql://{USER}:{cluster.password}@127.0.0.1:5432/{DATABASE}"
        self._settings = {
            "NETVALVE_DATABASE": self.database,
            "NETVALVE_KEYRING": str(folder / "keyring.json"),
        }
        self.gateways = tuple(
            Gateway(Machine(name, host, folder / name), self._settings)
            for name, host in (("gw1", 21), ("gw2", 22))
        )
        self._balancer = Machine("balancer", 5, folder / "balancer")
        self._merchant: SandboxMerchant | None = None

    def start(self) -> None:
        """All of it, until both gateways are ready."""
        self.desk.start_bank()
        self._merchant = self._installed()
        for gateway in self.gateways:
            gateway.boot()
        self.until_ready(_READY_S)
        start_haproxy(self._balancer, "haproxy-balancer.cfg")
        until(_is_served, _READY_S, "the balancer")

    def stop(self) -> None:
        """Take the machines away."""
        for machine in (*(each.machine for each in self.gateways), self._balancer):
            machine.off()

    def client(self, connections: int = 1) -> httpx.AsyncClient:
        """A merchant's HTTP client, by way of the balancer."""
        assert self._merchant is not None
        return httpx.AsyncClient(
            base_url=BALANCER,
            headers={
                "netvalve-client-id": self._merchant.client.netvalve_client_id,
                "netvalve-api-key": self._merchant.credentials.api_key,
            },
            timeout=_LONGER_THAN_ANY_ANSWER_S,
            limits=httpx.Limits(max_connections=connections),
            trust_env=False,
        )

    def command(self, *arguments: str, text: str = "") -> str:
        """What a `netvalve` command says at the operator's desk.

        Raises:
            RuntimeError: its status is not 0.
        """
        return self.desk.command(self._settings, *arguments, text=text)

    def until_ready(self, within_s: float) -> float:
        """Seconds until both gateways say that they can take payments."""
        return until(
            lambda: all(each.is_ready() for each in self.gateways), within_s, "both gateways"
        )

    def until_nothing_is_unknown(self, within_s: float) -> float:
        """Seconds until every transaction has ended, with every reversal acknowledged."""
        return until(self._nothing_is_unknown, within_s, "every unknown to end")

    def _nothing_is_unknown(self) -> bool:
        counts = [count for each in self.gateways for count in _BACKLOG.findall(each.metrics())]
        return len(counts) == 2 * len(self.gateways) and {*counts} == {"0.0"}

    def _installed(self) -> SandboxMerchant:
        """What an operator does once: keys, tables, a bank and a merchant."""
        self.command("keyring", "new")
        self.command("migrate")
        settings = Settings(
            database=self.database,
            keyring=Path(self._settings["NETVALVE_KEYRING"]),
        )
        return enrol(administration_of(settings), sandbox_merchant(HUB, BANK_PORT))


def _is_served() -> bool:
    try:
        return httpx.get(f"{BALANCER}/health/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
