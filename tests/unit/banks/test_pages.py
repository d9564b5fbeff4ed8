"""The page about the link says what the code does."""

import re
from pathlib import Path

import pytest

from netvalve.banks.iso8583.messages import FrameReader, decode_message
from netvalve.banks.iso8583.pages import EXAMPLE_NUMBER, sections
from netvalve.banks.iso8583.requests import FORMS, Form
from netvalve.banks.iso8583.specification import FIELDS, TAGGED_VALUES, answer_type, repeat_type

PAGE = (Path(__file__).parents[3] / "docs" / "bank-link.md").read_text("utf-8")


@pytest.mark.parametrize("name", sections())
def test_the_page_holds_each_part_as_it_is_made_now(name: str) -> None:
    assert f"<!-- {name} -->\n\n{sections()[name]}\n\n<!-- /{name} -->" in PAGE


def test_every_field_and_tag_has_a_line() -> None:
    made = sections()
    assert all(f"| {field.number} | {field.name} |" in made["fields"] for field in FIELDS)
    assert all(f"| {each.tag} | {each.name} |" in made["tags"] for each in TAGGED_VALUES)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_page_lists_the_types_of_every_operation(form: Form) -> None:
    kind, code = form.message_type, form.processing_code
    assert f"| {kind} | {repeat_type(kind)} | {answer_type(kind)} | {code} |" in PAGE


def test_the_example_shows_no_whole_card_number_and_decodes() -> None:
    example = sections()["example"]
    assert EXAMPLE_NUMBER not in example
    lines = re.findall(r"^[0-9a-f]{4}  (.{47})", example, re.MULTILINE)
    octets = " ".join(lines).split()
    assert octets.count("……") == len(EXAMPLE_NUMBER) - 10
    stream = bytes.fromhex("".join("30" if octet == "……" else octet for octet in octets))
    sale, answer = (decode_message(each) for each in FrameReader().feed(stream))
    assert (sale.type, answer.type) == ("0200", "0210")
    assert sale.fields["11"] == answer.fields["11"]
