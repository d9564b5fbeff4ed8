"""`/export`: a page of transactions as JSON, or all of them as a stream of CSV or NDJSON."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from netvalve.api.accept import preferred
from netvalve.api.answers.answer import JSON, Answer, StreamedAnswer, json_answer
from netvalve.api.answers.failures import invalid_answer
from netvalve.api.answers.lists import Columns, page_body, rows_of, transaction_columns
from netvalve.api.answers.streams import CSV, NDJSON, NDJSON_FORM, Form, csv_form
from netvalve.api.call import Call
from netvalve.api.listing import Listing, read_listing
from netvalve.api.models.queries import ExportQuery
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.refusal import InvalidFields
from netvalve.domain.search import Page, Search
from netvalve.payments.ports import TransactionOnOrder


async def export(call: Call) -> Answer | StreamedAnswer:
    """Transactions, newest first; `Accept` chooses the form."""
    listing = read_listing(ExportQuery, call, "transaction_status")
    if isinstance(listing, InvalidFields):
        return invalid_answer(listing)
    accepted = preferred(call.accept, (JSON, CSV, NDJSON))
    if accepted == CSV:
        return await _streamed(call, listing, csv_form(with_billing=_with_billing(listing)))
    if accepted == NDJSON:
        return await _streamed(call, listing, NDJSON_FORM)
    return await _page(call, listing)


async def _page(call: Call, listing: Listing[ExportQuery]) -> Answer:
    page: Page[TransactionOnOrder] = Page((), 0, listing.page)
    if isinstance(listing.search, Search):
        page = await call.services.gateway.enquiries.transactions(listing.search, listing.page)
    columns = _columns(call, listing, TransactionColumns.of(page.rows))
    return json_answer(page_body(page, rows_of(columns)))


async def _streamed(call: Call, listing: Listing[ExportQuery], form: Form) -> StreamedAnswer:
    """The whole result from one snapshot; what is asked of pages does not count."""
    chunks = _chunks(call, listing, form.encode)
    return StreamedAnswer(
        content_type=form.media_type + b"; charset=utf-8",
        first=form.header + await anext(chunks, b""),
        chunks=chunks,
        headers=((b"content-disposition", b'attachment; filename="%b"' % form.file),),
    )


async def _chunks(
    call: Call, listing: Listing[ExportQuery], encode: Callable[[Columns], bytes]
) -> AsyncGenerator[bytes, None]:
    if not isinstance(listing.search, Search):
        return

    def formed(found: TransactionColumns) -> bytes:
        return encode(_columns(call, listing, found))

    async with aclosing(call.services.gateway.enquiries.export(listing.search, formed)) as chunks:
        async for chunk in chunks:
            yield chunk


def _columns(call: Call, listing: Listing[ExportQuery], found: TransactionColumns) -> Columns:
    directory = call.services.configuration.directory
    return transaction_columns(directory, found, with_billing=_with_billing(listing))


def _with_billing(listing: Listing[ExportQuery]) -> bool:
    return listing.query.collect_billing_info
