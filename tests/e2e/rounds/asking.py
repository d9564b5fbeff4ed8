"""How a merchant asks: once, or until there is an answer. Every call is kept."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

import httpx

from e2e.rounds.call import BUSY, HUNG_UP, Call

INSISTS_S = 6.0
"""Longer than a gateway that was killed is away."""
PAUSE_S = 0.1
"""After a call that had no answer."""

Body = Mapping[str, Any]


class Asking:
    """One merchant's connection to the gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.calls: list[Call] = []

    async def insist(
        self, path: str, body: Body, key: str | None, waits_s: float | None = None
    ) -> Call:
        """Ask the same again until it is served, for some seconds; the last call.

        The first time it hangs up after `waits_s`, where that is given.
        """
        end_s = time.monotonic() + INSISTS_S
        call = await self.post(path, body, key, waits_s)
        while (call.status != 200 or call.code == BUSY) and time.monotonic() < end_s:
            await asyncio.sleep(PAUSE_S)
            call = await self.post(path, body, key)
        return call

    async def post(
        self, path: str, body: Body, key: str | None = None, waits_s: float | None = None
    ) -> Call:
        """Ask; hang up after so many seconds where they are given."""
        headers = {"Idempotency-Key": key} if key else None
        asking = self._http.post(path, json=body, headers=headers)
        return await self._keep(Call(path, dict(body), 0.0, key), asking, waits_s)

    async def get(self, path: str, **query: Any) -> Call:
        return await self._keep(Call(path, query, 0.0), self._http.get(path, params=query))

    async def _keep(
        self, asked: Call, asking: Awaitable[httpx.Response], waits_s: float | None = None
    ) -> Call:
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(waits_s):
                call = _answered(asked, await asking)
        except TimeoutError:
            call = replace(asked, broken=HUNG_UP)
        except httpx.HTTPError as error:
            call = replace(asked, broken=type(error).__name__)
        ended_s = time.monotonic()
        self.calls.append(replace(call, took_s=ended_s - began_s, ended_s=ended_s))
        if call.broken:
            await asyncio.sleep(PAUSE_S)
        return call


def _answered(asked: Call, response: httpx.Response) -> Call:
    content = response.json()
    return replace(
        asked,
        status=response.status_code,
        answer=content if isinstance(content, dict) else {"fields": content},
        retry_after=response.headers.get("Retry-After"),
    )
