"""`/transaction`, `/order`, `/inquiry` and `/orders`."""

from typing import TypeVar

from netvalve.api.answers.answer import Answer, json_answer
from netvalve.api.answers.enquiry import Shown, order_output, transaction_output
from netvalve.api.answers.failures import NOT_FOUND, failure_answer, invalid_answer
from netvalve.api.answers.lists import order_row, page_body
from netvalve.api.answers.payment import inquiry_answer
from netvalve.api.call import Call
from netvalve.api.listing import read_listing
from netvalve.api.models.follow_up import InquiryInputDTO
from netvalve.api.models.model import Request
from netvalve.api.models.queries import (
    InquiryQuery,
    OrderQuery,
    OrdersQuery,
    TransactionQuery,
)
from netvalve.api.query import read_query, single_values
from netvalve.api.validation import read_body, read_fields
from netvalve.domain.order import Order
from netvalve.domain.refusal import InvalidFields
from netvalve.domain.search import Page, Search

Query = TypeVar("Query", bound=Request)


async def transaction(call: Call) -> Answer:
    """One transaction with its order."""
    query = _read(TransactionQuery, call)
    if isinstance(query, InvalidFields):
        return invalid_answer(query)
    found = await call.services.gateway.enquiries.transaction(call.client.client_id, query.id)
    if found is None:
        return _not_found(call)
    shown = Shown(found.order, found.transactions, found.transaction, query.collect_billing_info)
    return json_answer(
        transaction_output(call.services.configuration.directory, shown),
        transaction_id=found.transaction.transaction_id,
    )


async def order(call: Call) -> Answer:
    """One order with its transactions."""
    query = _read(OrderQuery, call)
    if isinstance(query, InvalidFields):
        return invalid_answer(query)
    if query.id is not None and query.order_id not in (None, query.id):
        return _not_found(call)
    found = await call.services.gateway.enquiries.order(
        call.client.client_id,
        order_id=query.id if query.id is not None else query.order_id,
        client_order_id=query.client_order_id,
        transaction_id=query.transaction_id,
        netvalve_mid_id=query.netvalve_mid_id,
    )
    if found is None:
        return _not_found(call)
    opening_id = found.order.opening_id
    opening = next((t for t in found.transactions if t.transaction_id == opening_id), None)
    shown = Shown(found.order, found.transactions, opening, query.collect_billing_info)
    body = order_output(call.services.configuration.directory, shown)
    return json_answer(body, transaction_id=opening_id)


async def inquiry(call: Call) -> Answer:
    """The answer of a transaction once more, by a query parameter."""
    query = _read(InquiryQuery, call)
    if isinstance(query, InvalidFields):
        return invalid_answer(query)
    return await _inquire(call, query.transaction_id)


async def posted_inquiry(call: Call) -> Answer:
    """The answer of a transaction once more, by a body."""
    request = read_body(InquiryInputDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _inquire(call, request.transaction_id)


async def orders(call: Call) -> Answer:
    """A page of orders, newest first."""
    listing = read_listing(OrdersQuery, call, "order_status")
    if isinstance(listing, InvalidFields):
        return invalid_answer(listing)
    page: Page[Order] = Page((), 0, listing.page)
    if isinstance(listing.search, Search):
        page = await call.services.gateway.enquiries.orders(listing.search, listing.page)
    directory = call.services.configuration.directory
    return json_answer(page_body(page, (order_row(directory, row) for row in page.rows)))


async def _inquire(call: Call, transaction_id: int) -> Answer:
    found = await call.services.gateway.enquiries.inquiry(call.client.client_id, transaction_id)
    if found is None:
        return _not_found(call)
    return inquiry_answer(call.services.configuration.directory, *found, call.now_ms)


def _read(model: type[Query], call: Call) -> Query | InvalidFields:
    parameters = read_query(call.query)
    if isinstance(parameters, InvalidFields):
        return parameters
    return read_fields(model, single_values(parameters))


def _not_found(call: Call) -> Answer:
    return failure_answer(NOT_FOUND, call.trace_id, call.now_ms)
