"""What a listing asks for: its page, how much of each row, and the search."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from netvalve.api.call import Call
from netvalve.api.models.queries import OrdersQuery
from netvalve.api.query import read_query, single_values
from netvalve.api.searches import NothingMatches, read_search
from netvalve.api.validation import read_fields
from netvalve.domain.refusal import InvalidFields
from netvalve.domain.search import PageRequest, Search

Query = TypeVar("Query", bound=OrdersQuery)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Query]):
    """A listing understood."""

    query: Query
    search: Search | NothingMatches

    @property
    def page(self) -> PageRequest:
        """Which slice."""
        return PageRequest(self.query.page, self.query.page_size)


def read_listing(
    model: type[Query], call: Call, status_lands_in: str
) -> Listing[Query] | InvalidFields:
    """Reads filters and page together, so that everything wrong is told at once."""
    parameters = read_query(call.query)
    if isinstance(parameters, InvalidFields):
        return parameters
    search = read_search(
        call.client, call.services.configuration.directory, parameters, status_lands_in
    )
    page = read_fields(model, single_values(parameters))
    wrong = [each.errors for each in (search, page) if isinstance(each, InvalidFields)]
    if isinstance(search, InvalidFields) or isinstance(page, InvalidFields):
        return InvalidFields(tuple(error for errors in wrong for error in errors))
    return Listing(page, search)
