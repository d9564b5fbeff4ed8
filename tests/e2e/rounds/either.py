"""A balancer on the merchant's side: each request goes to one of several gateways, by chance."""

from collections.abc import Sequence
from random import choice

import httpx


class EitherGateway(httpx.AsyncBaseTransport):
    """Sends a request to any of the ports, whatever its address says."""

    def __init__(self, ports: Sequence[int], connections: int) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._way = httpx.AsyncHTTPTransport(verify=False, limits=limits, trust_env=False)
        self._ports = ports

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = choice(self._ports)  # noqa: S311  # no secret hangs on it
        request.url = request.url.copy_with(port=port)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._way.aclose()
