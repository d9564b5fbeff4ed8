"""The reference pages: Swagger UI over the OpenAPI document, and the list of response codes.

Everything comes from this package and this host; the pages may reach nothing else.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib import resources
from itertools import groupby
from typing import Final

import orjson

from netvalve.api.answers.answer import JSON, Answer, Header
from netvalve.api.answers.codes import MESSAGES
from netvalve.api.openapi import openapi_document
from netvalve.catalogue.response_codes import RESPONSE_CODES, ResponseCode

_HTML: Final = b"text/html; charset=utf-8"
_SCRIPT: Final = b"text/javascript; charset=utf-8"
_STYLE: Final = b"text/css; charset=utf-8"
_PNG: Final = b"image/png"

_CACHED: Final[Header] = (b"cache-control", b"public, max-age=3600")
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_GUARDED: Final[tuple[Header, ...]] = (
    (b"content-security-policy", _POLICY),
    (b"referrer-policy", b"no-referrer"),
)

_FILES: Final[Mapping[str, tuple[str, bytes]]] = {
    "/api/static/reference.js": ("reference.js", _SCRIPT),
    "/api/static/reference.css": ("reference.css", _STYLE),
    "/api/static/swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", _SCRIPT),
    "/api/static/swagger-ui.css": ("swagger-ui/swagger-ui.css", _STYLE),
    "/api/static/favicon-32x32.png": ("swagger-ui/favicon-32x32.png", _PNG),
    "/favicon.ico": ("swagger-ui/favicon-32x32.png", _PNG),
}

_FAMILIES: Final = {
    "GTW": "The gateway",
    "BNK": "The bank",
    "3DS": "3-D Secure",
    "SMR": "Smart routing",
}


@cache
def pages() -> Mapping[str, Answer]:
    """Every page and file by its path, made once."""
    files = {
        path: Answer(200, _file(name), content_type, headers=(_CACHED,))
        for path, (name, content_type) in _FILES.items()
    }
    return {
        "/": Answer(302, b"", _HTML, headers=((b"location", b"/api"),)),
        "/api": Answer(200, _file("reference.html"), _HTML, headers=_GUARDED),
        "/api/response-codes": Answer(200, response_codes_page(), _HTML, headers=_GUARDED),
        "/openapi.json": Answer(200, orjson.dumps(openapi_document()), JSON, headers=(_CACHED,)),
        **files,
    }


def response_codes_page() -> bytes:
    """Every response code with its message to the letter, family by family."""
    families = groupby(RESPONSE_CODES.values(), key=lambda entry: entry.code.split("_")[0])
    sections = "".join(_section(_FAMILIES[family], entries) for family, entries in families)
    template = _file("response-codes.html").decode()
    return template.replace("<!-- families -->", sections).encode()


def _section(title: str, entries: Iterable[ResponseCode]) -> str:
    head = "<thead><tr><th>Code</th><th>Message</th><th>Type</th></tr></thead>"
    rows = "".join(map(_row, entries))
    return f"<h2>{escape(title)}</h2><table>{head}<tbody>{rows}</tbody></table>"


def _row(entry: ResponseCode) -> str:
    code, message = escape(entry.code), escape(MESSAGES[entry.code])
    return (
        f'<tr id="{code}"><td><code>{code}</code></td>'
        f"<td><code>{message}</code></td><td>{escape(entry.type)}</td></tr>"
    )


def _file(name: str) -> bytes:
    return (resources.files("netvalve.api") / "static" / name).read_bytes()
