"""Whether this process lives, whether it can take payments, and its metrics."""

from netvalve.api.answers.answer import Answer, json_answer
from netvalve.api.services import Services
from netvalve.telemetry.metrics import CONTENT_TYPE


async def live(services: Services) -> Answer:
    """The process answers."""
    del services
    return json_answer({"status": "UP"})


async def ready(services: Services) -> Answer:
    """503 unless this gateway holds its lease, the store takes writes, the configuration is
    fresh and a bank can be reached.

    One bank of several that is down refuses its own payments and no others.
    """
    store = await services.records.writable()
    banks = dict(services.bank_readiness())
    fresh = services.configuration.fresh
    lease = services.holds_lease()
    up = lease and store and fresh and any(banks.values())
    body = {
        "status": "UP" if up else "DOWN",
        "lease": lease,
        "store": store,
        "configuration": fresh,
        "banks": banks,
    }
    return json_answer(body, status=200 if up else 503)


async def metrics(services: Services) -> Answer:
    """For Prometheus, with the backlog and the links as of now."""
    now_ms = services.clock.now_ms()
    services.metrics.backlog(await services.records.backlog(now_ms), now_ms)
    for bank, is_ready in services.bank_readiness().items():
        services.metrics.bank_ready(bank, ready=is_ready)
    return Answer(200, await services.metrics.render(), CONTENT_TYPE.encode())
