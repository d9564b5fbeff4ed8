"""Which form an answer takes. Source: RFC 9110, 12.5.1."""

import pytest

from netvalve.api.accept import preferred

JSON, CSV, NDJSON = OFFERED = (b"application/json", b"text/csv", b"application/x-ndjson")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (b"", JSON),
        (b"text/csv", CSV),
        (b"Text/CSV", CSV),
        (b" text/csv ; charset=utf-8 ; Q=0.9 ", CSV),
        (b"application/x-ndjson", NDJSON),
        (b"application/json", JSON),
        (b"application/json, text/csv", JSON),
        (b"text/csv, application/json", CSV),
        (b"text/csv;q=0.5, application/json", JSON),
        (b"application/json;q=0.5, text/csv;q=0.6", CSV),
        (b"text/csv;q=0", JSON),
        (b"text/csv;q=0.000, */*", JSON),
        (b"*/*", JSON),
        (b"text/csv, */*", CSV),
        (b"*/*, text/csv", CSV),
        (b"text/csv;q=0.1, */*;q=0.8", JSON),
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        (b"application/json, text/plain, */*", JSON),
        (b"application/*", JSON),
        (b"application/*, application/json;q=0", NDJSON),
        (b"text/*", CSV),
        (b"text/html", JSON),
        (b"text/csvx, not-text/csv", JSON),
        (b"text/csv;q=nonsense, text/csv;q=2, ;;, q=1", JSON),
        (b"application/json;q=0", JSON),
    ],
)
def test_form_is_the_one_preferred_most(accept: bytes, form: bytes) -> None:
    assert preferred(accept, OFFERED) == form
