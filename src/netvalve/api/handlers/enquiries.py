"""`/transaction`, `/order`, `/inquiry` and `/orders`."""

from typing import Any, Final, TypeVar

from netvalve.api.answers.answer import Answer, json_answer
from netvalve.api.answers.enquiry import Shown, order_output, transaction_output
from netvalve.api.answers.failures import NOT_FOUND, failure_answer, invalid_answer
from netvalve.api.answers.lists import order_row, page_body
from netvalve.api.answers.payment import inquiry_answer
from netvalve.api.call import Call
from netvalve.api.idempotency import key_of
from netvalve.api.listing import read_listing
from netvalve.api.models.inquiry import InquiryInputDTO, InquiryQuery
from netvalve.api.models.model import Request, wire_names
from netvalve.api.models.queries import OrderQuery, OrdersQuery, TransactionQuery
from netvalve.api.query import read_query, single_values
from netvalve.api.validation import read_fields, read_object
from netvalve.domain.order import Order
from netvalve.domain.refusal import InvalidFields
from netvalve.domain.search import Page, Search
from netvalve.payments.enquiries import Names

Query = TypeVar("Query", bound=Request)
_KEY: Final = "idempotencyKey"


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
    """The answer of a transaction once more, by query parameters."""
    parameters = read_query(call.query)
    if isinstance(parameters, InvalidFields):
        return invalid_answer(parameters)
    return await _inquire(call, InquiryQuery, single_values(parameters))


async def posted_inquiry(call: Call) -> Answer:
    """The answer of a transaction once more, by a body."""
    raw = read_object(call.body)
    if isinstance(raw, InvalidFields):
        return invalid_answer(raw)
    return await _inquire(call, InquiryInputDTO, raw)


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


async def _inquire(
    call: Call, model: type[InquiryQuery | InquiryInputDTO], raw: dict[str, Any]
) -> Answer:
    """By what is said. The header counts only where nothing is: a client may put a new key on
    every request that it posts.
    """
    said = model.said(raw)
    if not said.keys() & set(wire_names(model)):
        key = key_of(call.idempotency_keys)
        if isinstance(key, InvalidFields):
            return invalid_answer(key)
        said = said if key is None else {**said, _KEY: key}
    named = read_fields(model, said)
    if isinstance(named, InvalidFields):
        return invalid_answer(named)
    services, enquiries = call.services, call.services.gateway.enquiries
    found = await enquiries.inquiry(
        call.client.client_id,
        Names(named.transaction_id, named.client_order_id, named.idempotency_key),
        wait_s=services.settings.inquiry_wait_s,
        waiting_max=services.settings.inquiries_waiting_max,
    )
    if found is None:
        return _not_found(call)
    next_attempt_at_ms = await enquiries.next_attempt_at_ms(found[0])
    return inquiry_answer(services.configuration.directory, *found, call.now_ms, next_attempt_at_ms)


def _read(model: type[Query], call: Call) -> Query | InvalidFields:
    parameters = read_query(call.query)
    if isinstance(parameters, InvalidFields):
        return parameters
    return read_fields(model, single_values(parameters))


def _not_found(call: Call) -> Answer:
    return failure_answer(NOT_FOUND, call.trace_id, call.now_ms)
