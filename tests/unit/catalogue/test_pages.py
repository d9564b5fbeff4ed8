"""The pages show every row of the data, and say that they are made from it."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from netvalve.catalogue.bank_codes import BANK_CODES
from netvalve.catalogue.card_brands import CARD_RANGES
from netvalve.catalogue.currencies import CURRENCIES
from netvalve.catalogue.hold_times import HOLD_TIMES
from netvalve.catalogue.pages import (
    PAGES,
    bank_codes_page,
    card_brands_page,
    currencies_page,
    hold_times_page,
    response_codes_page,
)
from netvalve.catalogue.response_codes import RESPONSE_CODES


def table_lines(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize(("path", "page"), PAGES.items())
def test_page_opens_with_a_title_and_its_origin(path: str, page: Callable[[], str]) -> None:
    title, blank, origin, *_ = page().splitlines()
    assert title.startswith("# ")
    assert blank == ""
    data_file = PurePosixPath(path).stem.replace("-", "_") + ".csv"
    assert origin.endswith(f"{data_file}` by `make docs`.")


@pytest.mark.parametrize("page", PAGES.values())
def test_page_ends_with_one_line_break(page: Callable[[], str]) -> None:
    assert page().endswith("|\n")


@pytest.mark.parametrize("page", PAGES.values())
def test_page_is_the_same_each_time(page: Callable[[], str]) -> None:
    assert page() == page()


@pytest.mark.parametrize("page", PAGES.values())
def test_lines_of_a_table_have_as_many_cells_as_its_header(page: Callable[[], str]) -> None:
    lines = table_lines(page())
    assert {line.count(" | ") for line in lines} == {lines[0].count(" | ")}


@pytest.mark.parametrize(
    ("page", "rows", "tables"),
    [
        (response_codes_page, len(RESPONSE_CODES), 4),
        (bank_codes_page, len(BANK_CODES), 1),
        (currencies_page, len(CURRENCIES), 1),
        (card_brands_page, len(CARD_RANGES), 1),
        (hold_times_page, len(HOLD_TIMES), 1),
    ],
)
def test_page_has_a_line_for_every_row(page: Callable[[], str], rows: int, tables: int) -> None:
    assert len(table_lines(page())) == rows + 2 * tables


def test_response_code_is_shown_to_the_letter() -> None:
    assert "| `GTW_2013` | `Invalid Gateway Transaction Operation/ Invalid  GTO.` |" in (
        response_codes_page()
    )


def test_bank_code_is_shown_with_what_the_client_is_told() -> None:
    assert "| `51` | `Insufficient Funds` | `BNK_2011` | SOFT DECLINE | yes |" in bank_codes_page()


def test_currency_is_shown_with_its_decimals() -> None:
    assert "| `KWD` | `414` | 3 |" in currencies_page()


def test_card_range_is_shown_with_its_ends() -> None:
    assert "| MASTERCARD | 2221-2720 | 16 |" in card_brands_page()
    assert "| VISA | 4 | 13, 16, 17, 18, 19 |" in card_brands_page()
