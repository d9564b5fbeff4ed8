"""A harm under load, and afterwards every question: is what merchants were told still true?"""

import asyncio
import io
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from e2e.rounds.harms.harm import Answered
from e2e.rounds.stored import repeated, stored_in
from e2e.rounds.truth import (
    book_of,
    charged_twice,
    odd_ends,
    two_for_one_key,
    untrue_answers,
    untrue_refusals,
)
from ha.cluster import until
from ha.figures import Figures
from ha.harms import Harm
from ha.shopper import Shopper
from ha.site import Site
from netvalve.domain.bank_book import book_lines

MERCHANTS = 16
BEFORE_S = 8.0
"""How long the load runs unharmed."""
AFTER_S = 5.0
"""How long it runs after each turn."""
BACK_S = 120.0
WHOLE_S = 180.0
ENDED_S = 180.0
_AT_ONCE = 8
_PARTS = range(_AT_ONCE)
"""The questions are asked by as many at once."""


async def drill(site: Site, harms: Sequence[Harm], name: str) -> Figures:
    """Do one harm after the other while merchants buy; what was seen of it."""
    figures, stop = Figures(name), asyncio.Event()
    async with site.client(MERCHANTS) as http:
        shoppers = [
            Shopper(http, f"{name.replace(' ', '-')}-{secrets.token_hex(3)}-{place}")
            for place in range(MERCHANTS)
        ]
        working = [asyncio.create_task(each.work(stop)) for each in shoppers]
        await asyncio.sleep(BEFORE_S)
        struck_s = time.monotonic()
        try:
            for harm in harms:
                await _struck_and_mended(site, harm, shoppers, figures)
        except (TimeoutError, RuntimeError) as error:
            figures.breaches.append(f"{type(error).__name__}: {error}")
        stop.set()
        await asyncio.gather(*working)
    figures.count([each for one in shoppers for each in one.told], struck_s)
    figures.breaches += [f"{each}: no answer ever" for one in shoppers for each in one.given_up]
    figures.breaches += [each async for each in _untrue(site, shoppers, figures)]
    figures.save()
    return figures


async def _struck_and_mended(
    site: Site, harm: Harm, shoppers: Sequence[Shopper], figures: Figures
) -> None:
    """Strike, wait until sales are approved again, mend, wait until all is as before."""
    await asyncio.to_thread(harm.strike)
    await asyncio.sleep(1)
    await _sales_again(shoppers)
    await asyncio.sleep(AFTER_S)
    mended_s = time.monotonic()
    await asyncio.to_thread(harm.mend)
    await asyncio.to_thread(site.cluster.until_whole, WHOLE_S)
    await asyncio.to_thread(site.until_ready, WHOLE_S)
    figures.whole_s = max(figures.whole_s, time.monotonic() - mended_s)
    await _sales_again(shoppers)
    await asyncio.sleep(AFTER_S)


async def _sales_again(shoppers: Sequence[Shopper]) -> None:
    """Return once a sale is approved that was not before."""
    before = _sales(shoppers)
    await asyncio.to_thread(until, lambda: _sales(shoppers) > before, BACK_S, "an approved sale")


def _sales(shoppers: Sequence[Shopper]) -> int:
    return sum(each.is_sale for one in shoppers for each in one.told)


async def _untrue(site: Site, shoppers: Sequence[Shopper], figures: Figures) -> AsyncIterator[str]:
    """Everything that is not as it must be, by whoever can tell."""
    calls = [each.call for one in shoppers for each in one.told]
    for place, gateway in enumerate(site.gateways, 1):
        if not gateway.runs:
            yield f"gateway {place} has ended by itself"
    try:
        figures.unknown_s = await asyncio.to_thread(site.until_nothing_is_unknown, ENDED_S)
    except TimeoutError as error:
        yield str(error)
    text = site.desk.book()
    for breach in (
        *_of_command(lambda: site.command("verify")),
        *_of_command(lambda: site.command("reconcile", "-", text=text)),
    ):
        yield breach
    book = book_of(book_lines(io.StringIO(text)))
    orders = {each.order for each in calls if each.order is not None}
    stored = [each for each in stored_in(site.database) if each.order in orders]
    for breach in (
        *charged_twice(stored, book),
        *repeated(stored, calls),
        *two_for_one_key(calls),
        *odd_ends([each for each in calls if each.path != "/inquiry"], Answered.NOT_ALL),
    ):
        yield breach
    async with site.client(_AT_ONCE) as http:
        parts = [_listed(untrue_answers(calls[each::_AT_ONCE], book, http)) for each in _PARTS]
        for found in await asyncio.gather(*parts, _listed(untrue_refusals(calls, http))):
            for breach in found:
                yield breach


def _of_command(said: Callable[[], str]) -> Iterator[str]:
    """What is wrong with a command's answer; nothing where it finds all well."""
    try:
        text = said()
    except RuntimeError as error:
        yield str(error)
        return
    if "all agree" not in text and " 0 are on their way, 0 differ" not in text:
        yield text


async def _listed(breaches: AsyncIterator[str]) -> list[str]:
    return [each async for each in breaches]
