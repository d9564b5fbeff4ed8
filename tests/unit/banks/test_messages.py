"""The codec keeps what it is given, refuses what cannot be, and shows nothing of either."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.banks.iso8583.fields import ImpossibleField, MalformedMessage, folded
from netvalve.banks.iso8583.messages import (
    FrameReader,
    FramingLost,
    decode_message,
    encode_message,
    frame,
)
from netvalve.banks.iso8583.specification import (
    FIELDS,
    MESSAGE_BYTES_MAX,
    TAGGED_VALUES,
    Content,
    Field,
    TaggedValue,
    answer_type,
    repeat_type,
)

PRINTABLE = [chr(code) for code in range(32, 127)]
SALE = {"t": "0200", "2": "4012000098765439", "4": "000000001200", "14": "2904", "39": "00"}


def values(field: Field) -> st.SearchStrategy[str]:
    digits = field.content is Content.DIGITS
    shortest = int(digits) if field.length_digits else field.length
    alphabet = list("0123456789") if digits else PRINTABLE
    return st.text(alphabet, min_size=shortest, max_size=field.length)


def tag_values(tagged: TaggedValue) -> st.SearchStrategy[str]:
    return st.text(PRINTABLE, max_size=tagged.length_max)


FIELD_SETS = st.fixed_dictionaries(
    {"t": st.sampled_from(["0100", "0210", "0421", "0810"])},
    optional={field.number: values(field) for field in FIELDS if field.number != "48"},
)
TAG_SETS = st.fixed_dictionaries(
    {}, optional={each.tag: tag_values(each) for each in TAGGED_VALUES}
)


@given(FIELD_SETS, TAG_SETS)
def test_decoding_gives_back_what_was_encoded(fields: dict[str, str], tags: dict[str, str]) -> None:
    message = decode_message(encode_message(fields, tags))
    assert (message.fields, message.tags, message.type) == (fields, tags, fields["t"])


def test_every_tag_at_its_longest_fits_into_one_message() -> None:
    tags = {each.tag: "x" * each.length_max for each in TAGGED_VALUES}
    assert decode_message(encode_message(SALE, tags)).tags == tags


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Café", "Cafe"), ("Straße", "Stra?e"), ("東京", "??"), ("a\tb\x00", "a?b?"), ("ﬁ", "fi")],
)
def test_text_is_folded_into_printable_ascii(text: str, plain: str) -> None:
    assert folded(text) == plain


@given(st.text(max_size=40))
def test_no_text_reaches_the_wire_unprintable(text: str) -> None:
    value = decode_message(encode_message({"t": "0200"}, {"30": text[:20]})).tags["30"]
    assert value.isascii()
    assert all(character.isprintable() for character in value)


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"4": "12"}, {}),
        ({"4": "-00000001200"}, {}),
        ({"4": "٠٠٠٠٠٠٠٠١٢٠٠"}, {}),
        ({"2": "4" * 20}, {}),
        ({"2": ""}, {}),
        ({"48": "99001x"}, {}),
        ({"5": "1"}, {}),
        ({}, {"92": "12345"}),
        ({}, {"00": "unknown"}),
    ],
)
def test_what_the_layout_has_no_room_for_is_refused(
    fields: dict[str, str], tags: dict[str, str]
) -> None:
    with pytest.raises(ImpossibleField):
        encode_message({"t": "0200", **fields}, tags)


def test_a_refusal_names_the_field_and_not_its_value() -> None:
    with pytest.raises(ImpossibleField) as caught:
        encode_message({"t": "0200", "2": "40120000987654390000"}, {})
    assert "field 2" in str(caught.value)
    assert "4012" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "text", ["9", "99", "99001", "99abcx", "99-01x", "99001x99001y", "99001xx"]
)
def test_broken_tagged_values_are_malformed(text: str) -> None:
    whole = encode_message({"t": "0200"}, {"30": "x" * 20})
    broken = whole.replace(b"02530020" + b"x" * 20, f"{len(text):03d}{text}".encode())
    assert broken != whole
    with pytest.raises(MalformedMessage):
        decode_message(broken)


@pytest.mark.parametrize("length", [b" 5", b"+5", b"5 ", b"-5", b"\xb25"])
def test_a_length_is_made_of_digits_alone(length: bytes) -> None:
    whole = encode_message({"t": "0200", "2": "40120"}, {})
    with pytest.raises(MalformedMessage):
        decode_message(whole.replace(b"0540120", length + b"40120"))


@given(st.binary(max_size=200))
def test_noise_is_malformed_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_message(b"\xff" + data)


@given(FIELD_SETS, TAG_SETS, st.data())
def test_a_damaged_message_is_read_or_refused(
    fields: dict[str, str], tags: dict[str, str], data: st.DataObject
) -> None:
    whole = bytearray(encode_message(fields, tags))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with suppress(MalformedMessage):
        message = decode_message(damaged)
        assert encode_message(message.fields, {}).startswith(message.type.encode())


def test_a_refused_message_is_not_shown() -> None:
    whole = encode_message(SALE, {"92": "987"})
    with pytest.raises(MalformedMessage) as caught:
        decode_message(whole[:-1])
    assert "4012" not in repr(caught.value)


def test_a_message_hides_card_expiry_and_private_data() -> None:
    shown = repr(decode_message(encode_message(SALE, {"92": "987"})))
    assert "0200" in shown
    assert not any(secret in shown for secret in ("401200", "2904", "987"))


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.data())
def test_frames_come_out_however_the_stream_is_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(frame(message) for message in messages)
    reader = FrameReader()
    seen: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        seen += reader.feed(stream[:size])
        stream = stream[size:]
    assert seen == messages


@pytest.mark.parametrize("length", [0, MESSAGE_BYTES_MAX + 1, 0xFFFF])
def test_an_impossible_length_loses_the_framing_after_what_came_before(length: int) -> None:
    frames = FrameReader().feed(frame(b"whole") + length.to_bytes(2, "big") + b"rest")
    assert next(frames) == b"whole"
    with pytest.raises(FramingLost):
        next(frames)


@pytest.mark.parametrize("size", [0, MESSAGE_BYTES_MAX + 1])
def test_no_frame_is_made_that_would_be_refused(size: int) -> None:
    with pytest.raises(ImpossibleField):
        frame(b"x" * size)


def test_a_repeat_is_answered_like_what_it_repeats() -> None:
    assert [repeat_type("0420"), answer_type("0420"), answer_type("0421")] == [
        "0421",
        "0430",
        "0430",
    ]
