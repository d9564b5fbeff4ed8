"""A cluster that loses a machine loses no payment: each harm by itself, then all in a row."""

from collections.abc import Callable, Mapping

import pytest

from ha.drill import drill
from ha.figures import Figures
from ha.harms import CutPrimary, Harm, KillGateway, KillPrimary, StopReplica
from ha.site import Site

HARMS: Mapping[str, Callable[[Site], Harm]] = {
    "kill the primary": lambda site: KillPrimary(site.cluster),
    "kill a gateway": lambda site: KillGateway(site.gateways[0]),
    "stop the replica": lambda site: StopReplica(site.cluster),
    "cut off the primary": lambda site: CutPrimary(site.cluster),
}


@pytest.mark.parametrize("name", HARMS)
async def test_no_payment_is_lost(name: str, site: Site, results: list[Figures]) -> None:
    results.append(await drill(site, [HARMS[name](site)], name))
    assert results[-1].breaches == []


async def test_no_payment_is_lost_by_all_in_a_row(site: Site, results: list[Figures]) -> None:
    harms = [make(site) for make in HARMS.values()]
    results.append(await drill(site, harms, "all in a row"))
    assert results[-1].breaches == []
