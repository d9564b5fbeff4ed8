"""Fields to bytes and back: the type, the bitmap of what is there, then each field in its order.

Pure, and driven by the layout alone. Nothing it raises holds what a field holds.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from netvalve.banks.iso8583.specification import FIELDS, Content

TYPE: Final = "t"
"""Where the message type stands among the fields."""

_TYPE_BYTES: Final = 4
_HALF_BYTES: Final = 8
"""Of a bitmap; the second half is there only where a field above 64 is."""
_HALF_BITS: Final = _HALF_BYTES * 8
_TWO_HALVES: Final = 1 << (2 * _HALF_BITS - 1)
"""The bit in place of field 1: a second half follows."""
_SECOND_HALF: Final = (1 << _HALF_BITS) - 1


class ImpossibleField(ValueError):
    """A message cannot be said: a field has no room for its value, or may not hold it."""


class MalformedMessage(ValueError):
    """Bytes that are no message of this layout."""


class _Place(NamedTuple):
    """A field's place in a message; `bit` is its own in a bitmap of 128."""

    number: str
    bit: int
    length: int
    length_digits: int
    digits: bool


_PLACES: Final = tuple(
    _Place(
        field.number,
        1 << (2 * _HALF_BITS - int(field.number)),
        field.length,
        field.length_digits,
        field.content is Content.DIGITS,
    )
    for field in sorted(FIELDS, key=lambda field: int(field.number))
)


def packed(fields: Mapping[str, str]) -> bytes:
    """The bytes of fields; text outside printable ASCII is folded into it.

    Raises:
        ImpossibleField: names the field, not what it holds.
    """
    bitmap, parts = 0, [_type(fields[TYPE])]
    for place in _PLACES:
        value = fields.get(place.number)
        if value is not None:
            bitmap |= place.bit
            parts.append(_written(place, value))
    if len(parts) < len(fields):
        unknown = min(fields.keys() - {TYPE} - {place.number for place in _PLACES})
        raise ImpossibleField(f"field {unknown} is not in the layout")
    head, *rest = parts
    return head.encode() + _bitmap_bytes(bitmap) + "".join(rest).encode()


def unpacked(data: bytes) -> dict[str, str]:
    """The fields in bytes.

    Raises:
        MalformedMessage: says where it went wrong, not what stood there.
    """
    bitmap, begin = _bitmap_in(data)
    fields = {TYPE: _plain_text(data[:_TYPE_BYTES])}
    text, position = _plain_text(data[begin:]), 0
    if not fields[TYPE].isdigit():
        raise MalformedMessage("the type cannot be read")
    for number, _, room, length_digits, digits in _places_in(bitmap):
        length = room
        if length_digits:
            announced = text[position : position + length_digits]
            position += length_digits
            if not announced.isdigit() or int(announced) > room:
                raise MalformedMessage(f"field {number} has no length")
            length = int(announced)
        value = text[position : position + length]
        position += length
        if digits and not value.isdigit():
            raise MalformedMessage(f"field {number} holds what it may not")
        fields[number] = value
    if position != len(text) or len(data) < begin:
        raise MalformedMessage("it is not as long as its fields")
    return fields


def folded(text: str) -> str:
    """Text in printable ASCII: accents dropped, what has no plain form becomes `?`."""
    if is_plain(text):
        return text
    plain = unicodedata.normalize("NFKD", text)
    return "".join(
        character if is_plain(character) else "?"
        for character in plain
        if not unicodedata.combining(character)
    )


def is_plain(text: str) -> bool:
    """Whether it is printable ASCII throughout."""
    return text.isascii() and text.isprintable()


def is_number(text: str) -> bool:
    """Whether it is made of digits, of at least one."""
    return text.isascii() and text.isdigit()


def _type(value: str) -> str:
    if len(value) != _TYPE_BYTES or not is_number(value):
        raise ImpossibleField("the type takes four digits")
    return value


def _written(place: _Place, value: str) -> str:
    number, _, room, length_digits, digits = place
    if not digits:
        value = folded(value)
    elif not is_number(value):
        raise ImpossibleField(f"field {number} takes digits")
    length = len(value)
    if length_digits and length <= room:
        return f"{length:0{length_digits}d}{value}"
    if length != room:
        raise ImpossibleField(f"field {number} has another length")
    return value


def _plain_text(data: bytes) -> str:
    """All of a message but its bitmap is printable ASCII."""
    text = data.decode("latin-1")
    if not is_plain(text):
        raise MalformedMessage("it holds what no field may")
    return text


def _bitmap_bytes(bitmap: int) -> bytes:
    if bitmap & _SECOND_HALF:
        return (bitmap | _TWO_HALVES).to_bytes(2 * _HALF_BYTES, "big")
    return (bitmap >> _HALF_BITS).to_bytes(_HALF_BYTES, "big")


def _bitmap_in(data: bytes) -> tuple[int, int]:
    """The bitmap, of 128 bits, and where it ends."""
    end = _TYPE_BYTES + _HALF_BYTES
    first = int.from_bytes(data[_TYPE_BYTES:end], "big") << _HALF_BITS
    if not first & _TWO_HALVES:
        return first, end
    second = int.from_bytes(data[end : end + _HALF_BYTES], "big")
    return first ^ _TWO_HALVES | second, end + _HALF_BYTES


@lru_cache(maxsize=256)
def _places_in(bitmap: int) -> tuple[_Place, ...]:
    """The fields that a bitmap names, in their order; a bank's messages are of few kinds."""
    places = tuple(place for place in _PLACES if place.bit & bitmap)
    if sum(place.bit for place in places) != bitmap:
        raise MalformedMessage("it names a field that is not in the layout")
    return places
