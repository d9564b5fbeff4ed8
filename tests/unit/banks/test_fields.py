"""Fields are packed as another implementation of ISO 8583, pyiso8583, packs them."""

from typing import Any

import iso8583
from hypothesis import given
from hypothesis import strategies as st

from netvalve.banks.iso8583.fields import MalformedMessage, packed, unpacked
from netvalve.banks.iso8583.specification import FIELDS
from unit.banks.test_messages import values


def ascii_field(length: int, length_digits: int = 0) -> dict[str, Any]:
    return {
        "data_enc": "ascii",
        "len_enc": "ascii",
        "len_type": length_digits,
        "max_len": length,
        "desc": "",
    }


BITMAP = {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": ""}
SPECIFICATION = {
    "h": ascii_field(0),
    "t": ascii_field(4),
    "p": BITMAP,
    "1": BITMAP,
    **{field.number: ascii_field(field.length, field.length_digits) for field in FIELDS},
}
FIELD_SETS = st.fixed_dictionaries(
    {"t": st.sampled_from(["0100", "0210", "0421", "0810"])},
    optional={field.number: values(field) for field in FIELDS},
)


@given(FIELD_SETS)
def test_bytes_are_those_of_another_implementation(fields: dict[str, str]) -> None:
    theirs, _ = iso8583.encode(dict(fields), SPECIFICATION)
    assert packed(fields) == bytes(theirs)
    assert unpacked(bytes(theirs)) == fields


@given(FIELD_SETS, st.data())
def test_what_another_implementation_reads_is_read_alike(
    fields: dict[str, str], data: st.DataObject
) -> None:
    """Where a byte was changed, both read the same, or this one refuses what no field may hold."""
    damaged = bytearray(packed(fields))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = unpacked(bytes(damaged))
    except MalformedMessage:
        return
    theirs, _ = iso8583.decode(bytes(damaged), SPECIFICATION)
    assert read == {name: theirs[name] for name in theirs if name not in {"h", "p", "1"}}
