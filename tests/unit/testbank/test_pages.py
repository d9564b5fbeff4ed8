"""The sandbox's page says what the tables say."""

from pathlib import Path

import pytest

from netvalve.banks.testbank.pages import sections

PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"


@pytest.mark.parametrize("name", sections())
def test_page_holds_the_current_table(name: str) -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    held, closing, _ = rest.partition(f"<!-- /{name} -->")
    assert closing
    assert held.strip() == sections()[name].strip()
