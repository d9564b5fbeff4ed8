"""From query parameters to the search of one client."""

from collections.abc import Iterator
from typing import Any

import orjson
from pydantic_core import PydanticCustomError

from netvalve.api.filters import FILTERS, OWN_ID, OWN_NAME, SITE_NAME, STATUS, Filter
from netvalve.api.models.rules import INVALID
from netvalve.api.query import Parameters
from netvalve.domain.client import Client
from netvalve.domain.directory import Directory
from netvalve.domain.refusal import FieldError, InvalidFields
from netvalve.domain.search import Search


class NothingMatches:
    """A search that contradicts itself, or asks for another client's rows."""


NOTHING = NothingMatches()


def read_search(
    client: Client, directory: Directory, parameters: Parameters, status_lands_in: str
) -> Search | NothingMatches | InvalidFields:
    """All given filters must hold.

    `filters` holds a JSON object; a parameter of its own stands before the same name in it.
    `status_lands_in` says whose status the filter `status` means.
    """
    given = _given(parameters)
    if given is None:
        return InvalidFields((FieldError("filters", INVALID),))
    read = tuple(_read(given))
    errors = tuple(value for _, value in read if isinstance(value, FieldError))
    if errors:
        return InvalidFields(errors)
    wanted: dict[str, Any] = {}
    for filter_, value in read:
        if filter_.lands_in is None:
            continue
        place = status_lands_in if filter_.lands_in == STATUS else filter_.lands_in
        wanted[place] = _both(wanted[place], value) if place in wanted else value
        if wanted[place] is None:
            return NOTHING
    if SITE_NAME in wanted:
        wanted["sites"] = _sites(client, directory, wanted.pop(SITE_NAME))
        if not wanted["sites"]:
            return NOTHING
    return Search(client.client_id, **wanted) if _own(client, wanted) else NOTHING


def _given(parameters: Parameters) -> dict[str, object] | None:
    """Every filter that says something; None where `filters` holds no JSON object."""
    given: dict[str, object] = {}
    for text in parameters.get("filters", ()):
        try:
            together = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(together, dict):
            return None
        given |= together
    given |= {
        name: values[0] if len(values) == 1 else values for name, values in parameters.items()
    }
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def _read(given: dict[str, object]) -> Iterator[tuple[Filter, Any]]:
    """Each given filter with its value, or with its error, in the table's order."""
    for filter_ in FILTERS:
        if filter_.name in given:
            yield filter_, _value(filter_, given[filter_.name])


def _value(filter_: Filter, raw: object) -> object:
    error = FieldError(filter_.name, INVALID)
    if filter_.rule is None:
        return error
    try:
        return filter_.rule(raw)
    except PydanticCustomError:
        return error


def _both(one: object, other: object) -> object | None:
    """What satisfies both of two filters of the same thing; None where nothing does."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(each for each in one if each in other) or None
    return one if one == other else None


def _sites(client: Client, directory: Directory, name: str) -> tuple[str, ...]:
    """The client's sites of this name, in a stable order."""
    return tuple(
        sorted(
            site_id
            for site_id, each in directory.site_names.items()
            if each.casefold() == name.casefold()
            and directory.site_accounts(client.client_id, site_id) is not None
        )
    )


def _own(client: Client, wanted: dict[str, Any]) -> bool:
    """Takes out the filters that can only name the caller; False where they name another."""
    client_id = wanted.pop(OWN_ID, client.client_id)
    name = str(wanted.pop(OWN_NAME, client.name))
    return bool(client_id == client.client_id) and name.casefold() == client.name.casefold()
