"""Whatever is not exactly a table is refused, and the refusal names its file and line."""

import csv
import re
from contextlib import suppress
from enum import StrEnum
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Record, Source, data_file, records


class Colour(StrEnum):
    RED = "RED"
    DARK_BLUE = "DARK BLUE"


def read(text: str, unique: tuple[str, ...] = ("name",)) -> list[Record]:
    return list(records(Source("things.csv", text), ("name", "value"), unique))


def one(value: str) -> Record:
    return Record("things.csv", 7, {"value": value})


def test_lines_are_read_in_their_order_with_their_numbers() -> None:
    assert [(r.line, r.text("name")) for r in read("name,value\nb,1\na,2\n")] == [
        (2, "b"),
        (3, "a"),
    ]


def test_duplicate_row_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError) as refusal:
        read("name,value\na,1\nb,2\na,3\n")
    assert str(refusal.value) == "things.csv, line 4: name 'a' is already on line 2"


def test_duplicate_in_any_unique_column_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: value '1' is already on line 2"):
        read("name,value\na,1\nb,1\n", unique=("name", "value"))


def test_same_cell_in_two_columns_is_no_duplicate() -> None:
    assert len(read("name,value\na,b\nb,a\n", unique=("name", "value"))) == 2


@pytest.mark.parametrize("line", ["a", "a,1,2", "", '"a,1"'])
def test_line_with_another_number_of_cells_is_refused(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"line 3: \d cells instead of 2"):
        read(f"name,value\nz,1\n{line}\n")


@pytest.mark.parametrize("text", ["", "value,name\na,1\n", "name\na\n", "name,value,more\na,1,2\n"])
def test_other_header_is_refused(text: str) -> None:
    with pytest.raises(CatalogueFileError, match="line 1: the header is not name,value"):
        read(text)


def test_table_without_rows_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 1: no line follows the header"):
        read("name,value\n")


def test_broken_quoting_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match=r"things\.csv, line 3: "):
        read('name,value\na,1\n"b"x,2\n')


def test_verbatim_keeps_outer_and_double_spaces() -> None:
    assert one("  two  words ").verbatim("value") == "  two  words "


@pytest.mark.parametrize("blank", ["", " ", "\t "])
def test_blank_cell_is_refused(blank: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"things\.csv, line 7: value is blank"):
        one(blank).verbatim("value")


@pytest.mark.parametrize("cell", [" a", "a ", "a\t"])
def test_text_with_outer_spaces_is_refused(cell: str) -> None:
    with pytest.raises(CatalogueFileError, match="has outer spaces"):
        one(cell).text("value")


def test_optional_text_may_be_empty() -> None:
    assert one("").optional_text("value") is None
    assert one("a").optional_text("value") == "a"


def test_optional_text_of_spaces_alone_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="value is blank"):
        one(" ").optional_text("value")


def test_cell_of_another_form_is_refused() -> None:
    pattern = re.compile(r"[0-9]{3}")
    assert one("036").matching("value", pattern) == "036"
    for cell in ("36", "0360", "03x"):
        with pytest.raises(CatalogueFileError, match=r"line 7: value .* is not of the form"):
            one(cell).matching("value", pattern)


def test_flag_is_true_or_false_and_nothing_else() -> None:
    assert one("true").flag("value") is True
    assert one("false").flag("value") is False
    for cell in ("True", "1", "yes"):
        with pytest.raises(CatalogueFileError, match="is neither true nor false"):
            one(cell).flag("value")


def test_unknown_choice_is_refused_with_the_known_ones() -> None:
    assert one("DARK BLUE").choice("value", Colour) is Colour.DARK_BLUE
    with pytest.raises(CatalogueFileError, match="value 'BLUE' is none of RED, DARK BLUE"):
        one("BLUE").choice("value", Colour)


def test_refusal_carries_file_line_and_problem_apart() -> None:
    refusal = one("a").refused("it is wrong")
    assert (refusal.file, refusal.line, refusal.problem) == ("things.csv", 7, "it is wrong")


def test_missing_data_file_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(FileNotFoundError):
        data_file("nothing.csv")


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


@given(st.lists(st.tuples(cells, cells), min_size=1, unique_by=lambda pair: pair[0]))
def test_every_cell_comes_back_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("name", "value"), *rows])
    read_back = read(text.getvalue())
    assert [(r.cells["name"], r.cells["value"]) for r in read_back] == rows


@given(st.text())
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    with suppress(CatalogueFileError):
        read("name,value\n" + text)
