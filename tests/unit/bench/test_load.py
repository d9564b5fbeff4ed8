"""The texts that load is made of, and what is read from its answers."""

import pytest
from bench.ceilings.pgbench import literal
from bench.load.open_loop import Open, code_of

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n"
SEEN = Open(10, {"GTW_1000": 6, "GTW_2054": 1, "503": 2}, 1, 1, 1, 1, 1, 1, 1)


def test_an_answer_is_known_by_its_response_code() -> None:
    assert code_of(HEAD + b'{"responseCode":"GTW_1000"}') == "GTW_1000"


def test_an_answer_without_a_code_is_known_by_its_status() -> None:
    assert code_of(b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}") == "503"


@pytest.mark.parametrize("part", [b"HTTP/1.1 200", HEAD, HEAD + b'{"responseCode":"GTW_1000"'])
def test_a_part_of_an_answer_is_none(part: bytes) -> None:
    assert code_of(part) is None


def test_what_was_neither_approved_nor_left_unanswered_was_refused() -> None:
    assert (SEEN.healthy, SEEN.unanswered, SEEN.refused) == (6, 1, 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (12, "12"),
        (987_654_321_012, ":id"),
        (b"\x01", "decode('01', 'hex')"),
        (["a", None], "ARRAY[E'a', NULL]"),
        ("it's", "E'it''s'"),
    ],
)
def test_a_value_stands_in_a_script_as_sql(value: object, text: str) -> None:
    assert literal(value) == text


def test_a_colon_in_a_text_begins_no_variable() -> None:
    assert literal('{"a":1}') == "E'{\"a\"\\x3a1}'"


def test_a_number_within_a_text_is_the_payments_own() -> None:
    assert literal("[987654321012]") == "replace(E'[987654321012]', '987654321012', (:id)::text)"
