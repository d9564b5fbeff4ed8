"""Which of several forms a request wants: the header `Accept`. Source: RFC 9110, 12.5.1."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_RANGE = re.compile(rb"[^\s/;]+/[^\s/;]+")
_WEIGHT = re.compile(rb"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_ANY = b"*/*"


@dataclass(frozen=True, slots=True)
class _Range:
    """One entry of the header: a media type, `text/*` or `*/*`, in small letters."""

    media_type: bytes
    weight: float
    place: int

    def closeness(self, form: bytes) -> int:
        """3 for the form itself, 2 for its family, 1 for everything; 0 does not match."""
        if self.media_type == form:
            return 3
        if self.media_type == form.partition(b"/")[0] + b"/*":
            return 2
        return int(self.media_type == _ANY)


def preferred(accept: bytes, offered: Sequence[bytes]) -> bytes:
    """The offered form with the highest weight, else the first; an unreadable entry is passed over.

    Of equal weights a form that is named stands before one that a wildcard covers, then the order
    of the header decides, then the order of the offer.
    """
    ranges = _ranges(accept)
    ranked: list[tuple[float, bool, int, bytes]] = []
    for form in offered:
        matching = [each for each in ranges if each.closeness(form)]
        if matching:
            closest = max(matching, key=lambda each: (each.closeness(form), -each.place))
            named = closest.media_type == form
            ranked.append((closest.weight, named, -closest.place, form))
    best = max(ranked, key=lambda rank: rank[:3], default=None)
    return best[3] if best and best[0] > 0 else offered[0]


def _ranges(accept: bytes) -> list[_Range]:
    ranges: list[_Range] = []
    for place, entry in enumerate(accept.lower().split(b",")):
        media_type, *parameters = (part.strip() for part in entry.split(b";"))
        weights = [each[2:].strip() for each in parameters if each.startswith(b"q=")] or [b"1"]
        if _RANGE.fullmatch(media_type) and _WEIGHT.fullmatch(weights[0]):
            ranges.append(_Range(media_type, float(weights[0]), place))
    return ranges
