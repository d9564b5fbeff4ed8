"""What is done to a cluster or a gateway, and undone."""

from typing import Protocol

from ha.cluster import Cluster
from ha.gateway import Gateway
from ha.machine import Machine


class Harm(Protocol):
    """One way to lose a machine."""

    def strike(self) -> None:
        """Do it; return at once."""

    def mend(self) -> None:
        """Bring back what was lost."""


class KillPrimary:
    """The primary loses its power: etcd, Patroni and PostgreSQL end as kill -9 ends them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lost: Machine | None = None

    def strike(self) -> None:
        self._lost = self._cluster.primary()
        self._lost.kill()

    def mend(self) -> None:
        assert self._lost is not None
        self._cluster.boot(self._lost)


class CutPrimary:
    """The primary's cable is pulled: it lives, and neither etcd nor a gateway hears of it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lost: Machine | None = None

    def strike(self) -> None:
        self._lost = self._cluster.primary()
        self._lost.cut()

    def mend(self) -> None:
        assert self._lost is not None
        self._lost.join()


class StopReplica:
    """A standby that every commit waits for is stopped, as for maintenance."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lost: Machine | None = None

    def strike(self) -> None:
        self._lost = self._cluster.synchronous()
        self._cluster.stop_patroni(self._lost)

    def mend(self) -> None:
        assert self._lost is not None
        self._cluster.start_patroni(self._lost)


class KillGateway:
    """A gateway's machine loses its power, with payments under way."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def strike(self) -> None:
        self._gateway.machine.kill()

    def mend(self) -> None:
        self._gateway.boot()
