"""`/export`: a page of transactions as JSON, or all of them as a stream of CSV or NDJSON."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Final

from netvalve.api.accept import preferred
from netvalve.api.answers.answer import JSON, Answer, StreamedAnswer, json_answer
from netvalve.api.answers.failures import invalid_answer
from netvalve.api.answers.lists import page_body, transaction_row
from netvalve.api.answers.streams import CSV, NDJSON, CsvChunks, ndjson_chunk
from netvalve.api.call import Call
from netvalve.api.listing import Listing, read_listing
from netvalve.api.models.queries import ExportQuery
from netvalve.domain.refusal import InvalidFields
from netvalve.domain.search import Page, Search
from netvalve.payments.ports import TransactionOnOrder

Rows = Iterable[dict[str, object]]
Encode = Callable[[Rows], bytes]

_ROWS_OF_A_CHUNK: Final = 128
"""About 64 KiB of either format."""


async def export(call: Call) -> Answer | StreamedAnswer:
    """Transactions, newest first; `Accept` chooses the form."""
    listing = read_listing(ExportQuery, call, "transaction_status")
    if isinstance(listing, InvalidFields):
        return invalid_answer(listing)
    form = preferred(call.accept, (JSON, CSV, NDJSON))
    if form == CSV:
        chunks = CsvChunks(with_billing=listing.query.collect_billing_info)
        return await _streamed(call, listing, CSV, chunks.encode, b"transactions.csv")
    if form == NDJSON:
        return await _streamed(call, listing, NDJSON, ndjson_chunk, b"transactions.ndjson")
    return await _page(call, listing)


async def _page(call: Call, listing: Listing[ExportQuery]) -> Answer:
    page: Page[TransactionOnOrder] = Page((), 0, listing.page)
    if isinstance(listing.search, Search):
        page = await call.services.gateway.enquiries.transactions(listing.search, listing.page)
    return json_answer(page_body(page, _rows(call, listing, page.rows)))


async def _streamed(
    call: Call, listing: Listing[ExportQuery], form: bytes, encode: Encode, file: bytes
) -> StreamedAnswer:
    attachment = (b"content-disposition", b'attachment; filename="%b"' % file)
    chunks = _chunks(call, listing, encode)
    return StreamedAnswer(
        content_type=form + b"; charset=utf-8",
        first=encode(()) + await anext(chunks, b""),
        chunks=chunks,
        headers=(attachment,),
    )


async def _chunks(
    call: Call, listing: Listing[ExportQuery], encode: Encode
) -> AsyncGenerator[bytes, None]:
    """The whole result from one snapshot; what is asked of pages does not count."""
    if not isinstance(listing.search, Search):
        return
    async for batch in call.services.gateway.enquiries.export(listing.search):
        for first in range(0, len(batch), _ROWS_OF_A_CHUNK):
            yield encode(_rows(call, listing, batch[first : first + _ROWS_OF_A_CHUNK]))


def _rows(call: Call, listing: Listing[ExportQuery], found: Sequence[TransactionOnOrder]) -> Rows:
    directory = call.services.configuration.directory
    with_billing = listing.query.collect_billing_info
    return (
        transaction_row(directory, transaction, order, with_billing=with_billing)
        for transaction, order in found
    )
