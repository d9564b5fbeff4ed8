"""The codec: fields and tagged values to bytes and back, and messages to frames of a stream.

Pure: knows no socket and no payment. Nothing it raises or shows holds what a field holds.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import iso8583

from netvalve.banks.iso8583.specification import (
    FIELDS,
    LENGTH_HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    SPECIFICATION,
    TAGGED_VALUES,
    Content,
)

TYPE: Final = "t"
"""Where the message type stands among the fields."""

_TAGS_FIELD = "48"
_BITMAPS = ("p", "1")
_HIDDEN = frozenset({"2", "14"})
_DIGITS = frozenset(field.number for field in FIELDS if field.content is Content.DIGITS) | {TYPE}
_KNOWN = frozenset(field.number for field in FIELDS) - {_TAGS_FIELD} | {TYPE}
_VARIABLE = tuple(field.number for field in FIELDS if field.length_digits)
_TAG_LENGTHS = {value.tag: value.length_max for value in TAGGED_VALUES}


class ImpossibleField(ValueError):
    """A message cannot be said: a field has no room for its value, or may not hold it."""


class MalformedMessage(ValueError):
    """Bytes that are no message of this layout."""


class FramingLost(ConnectionError):
    """A length that cannot be: where the next message begins is no longer known."""


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A decoded message: fields by number, the type under `t`, field 48 as `tags`."""

    fields: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def type(self) -> str:
        """The message type indicator, four digits."""
        return self.fields[TYPE]

    def __repr__(self) -> str:
        shown = {number: value for number, value in self.fields.items() if number not in _HIDDEN}
        return f"Message({shown}, tags={sorted(self.tags)})"


def encode_message(fields: Mapping[str, str], tags: Mapping[str, str]) -> bytes:
    """A message without its length header; `fields` holds the type under `t` and no field 48.

    Text outside printable ASCII is folded into it.

    Raises:
        ImpossibleField: names the field, not what it holds.
    """
    document = {number: _field(number, value) for number, value in fields.items()}
    if tags:
        document[_TAGS_FIELD] = "".join(_tagged(tag, value) for tag, value in tags.items())
    try:
        encoded, _ = iso8583.encode(document, SPECIFICATION)
    except iso8583.EncodeError as error:
        refused = error.field
    else:
        return bytes(encoded)
    raise ImpossibleField(f"field {refused} has another length")


def decode_message(data: bytes) -> Message:
    """The message in `data`, which is one frame without its length header.

    Raises:
        MalformedMessage: says where it went wrong, not what stood there.
    """
    try:
        fields, encoded = iso8583.decode(data, SPECIFICATION)
    except iso8583.DecodeError as error:
        wrong = error.field
    except KeyError as error:
        wrong = str(error.args[0])
    else:
        for number in _VARIABLE:
            if number in encoded and not encoded[number]["len"].isdigit():
                raise MalformedMessage(f"field {number} has no length")
        return _checked(fields)
    raise MalformedMessage(f"field {wrong} cannot be read")


def frame(message: bytes) -> bytes:
    """The message behind its length header.

    Raises:
        ImpossibleField: the message is empty or longer than a frame may be.
    """
    if not 0 < len(message) <= MESSAGE_BYTES_MAX:
        raise ImpossibleField(f"a message of {len(message)} bytes")
    return len(message).to_bytes(LENGTH_HEADER_BYTES, "big") + message


class FrameReader:
    """Cuts a stream of bytes into messages, however the network has cut it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete with `data`, each without its length header.

        Raises:
            FramingLost: after the messages before the impossible length; the stream is over.
        """
        self._waiting += data
        while len(self._waiting) >= LENGTH_HEADER_BYTES:
            length = int.from_bytes(self._waiting[:LENGTH_HEADER_BYTES], "big")
            if not 0 < length <= MESSAGE_BYTES_MAX:
                raise FramingLost(f"a message of {length} bytes was announced")
            end = LENGTH_HEADER_BYTES + length
            if len(self._waiting) < end:
                return
            message = bytes(self._waiting[LENGTH_HEADER_BYTES:end])
            del self._waiting[:end]
            yield message


def folded(text: str) -> str:
    """Text in printable ASCII: accents dropped, what has no plain form becomes `?`."""
    if _printable(text):
        return text
    plain = unicodedata.normalize("NFKD", text)
    return "".join(
        character if _printable(character) else "?"
        for character in plain
        if not unicodedata.combining(character)
    )


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _numeric(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _field(number: str, value: str) -> str:
    if number not in _KNOWN:
        raise ImpossibleField(f"field {number} is not in the layout")
    if number not in _DIGITS:
        return folded(value)
    if not _numeric(value):
        raise ImpossibleField(f"field {number} takes digits")
    return value


def _tagged(tag: str, value: str) -> str:
    text = folded(value)
    if len(text) > _TAG_LENGTHS.get(tag, -1):
        raise ImpossibleField(f"tag {tag} of field {_TAGS_FIELD} is unknown or too long")
    return f"{tag}{len(text):03d}{text}"


def _checked(fields: dict[str, str]) -> Message:
    for number, value in fields.items():
        if not (_numeric(value) if number in _DIGITS else _printable(value)):
            raise MalformedMessage(f"field {number} holds what it may not")
    for bitmap in _BITMAPS:
        fields.pop(bitmap, None)
    return Message(fields, _tags(fields.pop(_TAGS_FIELD, "")))


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    position = 0
    while position < len(text):
        tag, length = text[position : position + 2], text[position + 2 : position + 5]
        if len(length) < 3 or not _numeric(length) or tag in tags:
            raise MalformedMessage(f"field {_TAGS_FIELD} cannot be read")
        position += 5
        value = text[position : position + int(length)]
        if len(value) != int(length):
            raise MalformedMessage(f"field {_TAGS_FIELD} cannot be read")
        tags[tag] = value
        position += len(value)
    return tags
