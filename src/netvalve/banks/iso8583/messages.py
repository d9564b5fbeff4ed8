"""The codec: fields and tagged values to bytes and back, and messages to frames of a stream.

Pure: knows no socket and no payment. Nothing it raises or shows holds what a field holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from netvalve.banks.iso8583.fields import (
    TYPE,
    ImpossibleField,
    MalformedMessage,
    folded,
    is_number,
    packed,
    unpacked,
)
from netvalve.banks.iso8583.specification import (
    LENGTH_HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    TAGGED_VALUES,
)

_TAGS_FIELD: Final = "48"
_HIDDEN: Final = frozenset({"2", "14"})
_TAG_LENGTHS: Final = {value.tag: value.length_max for value in TAGGED_VALUES}


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
    if _TAGS_FIELD in fields:
        raise ImpossibleField(f"field {_TAGS_FIELD} is written from its tagged values")
    if not tags:
        return packed(fields)
    tagged = "".join(_tagged(tag, value) for tag, value in tags.items())
    return packed({**fields, _TAGS_FIELD: tagged})


def decode_message(data: bytes) -> Message:
    """The message in `data`, which is one frame without its length header.

    Raises:
        MalformedMessage: says where it went wrong, not what stood there.
    """
    fields = unpacked(data)
    return Message(fields, _tags(fields.pop(_TAGS_FIELD, "")))


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


def _tagged(tag: str, value: str) -> str:
    text = folded(value)
    if len(text) > _TAG_LENGTHS.get(tag, -1):
        raise ImpossibleField(f"tag {tag} of field {_TAGS_FIELD} is unknown or too long")
    return f"{tag}{len(text):03d}{text}"


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    position = 0
    while position < len(text):
        tag, length = text[position : position + 2], text[position + 2 : position + 5]
        if len(length) < 3 or not is_number(length) or tag in tags:
            raise MalformedMessage(f"field {_TAGS_FIELD} cannot be read")
        position += 5
        value = text[position : position + int(length)]
        if len(value) != int(length):
            raise MalformedMessage(f"field {_TAGS_FIELD} cannot be read")
        tags[tag] = value
        position += len(value)
    return tags
