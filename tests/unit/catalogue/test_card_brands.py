"""The brand of a card is that of the narrowest range with its prefix and length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.catalogue.card_brands import (
    CARD_RANGES,
    UNKNOWN_BRAND,
    BrandIndex,
    CardRange,
    brand_of,
    read_card_ranges,
)
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Source


def read(*lines: str) -> tuple[CardRange, ...]:
    text = "\n".join(("brand,prefix_low,prefix_high,lengths", *lines))
    return read_card_ranges(Source("brands.csv", text))


def brand_by_looking_everywhere(card_number: str) -> str:
    """Says what brand_of must say, in the plainest way."""
    fitting = [
        r
        for r in CARD_RANGES
        if r.prefix_low <= card_number[: len(r.prefix_low)] <= r.prefix_high
        and len(card_number) in r.lengths
    ]
    narrowest = min(fitting, key=lambda r: r.last - r.first, default=None)
    return narrowest.brand if narrowest else UNKNOWN_BRAND


@pytest.mark.parametrize(
    ("card_number", "brand"),
    [
        ("4012000098765439", "VISA"),
        ("4532802195368940", "VISA"),
        ("4222222222222", "VISA"),
        ("5100000000000107", "MASTERCARD"),
        ("5555555555554444", "MASTERCARD"),
        ("371449635392376", "AMEX"),
        ("6011000993026909", "DISCOVER"),
        ("6445644564456445", "DISCOVER"),
        ("36227206271667", "DINERS"),
        ("30569309025904", "DINERS"),
        ("3566002020360505", "JCB"),
        ("6200000000000005", "UNIONPAY"),
        ("8171999927660000", "UNIONPAY"),
        ("6759649826438453", "MAESTRO"),
        ("501800000009", "MAESTRO"),
        ("2200000000000004", "MIR"),
        ("9792000000000000", "TROY"),
        ("6362970000457013", "ELO"),
        ("6521500000000000", "RUPAY"),
        ("5085000000000000", "RUPAY"),
        ("5061020000000000094", "VERVE"),
        ("6062825624254001", "HIPERCARD"),
        ("5019717010103742", "DANKORT"),
        ("135400000000007", "UATP"),
    ],
)
def test_card_has_its_brand(card_number: str, brand: str) -> None:
    assert brand_of(card_number) == brand


@pytest.mark.parametrize(
    ("prefix", "brand"),
    [
        ("222099", UNKNOWN_BRAND),
        ("222100", "MASTERCARD"),
        ("272099", "MASTERCARD"),
        ("272100", UNKNOWN_BRAND),
        ("509999", "ELO"),
        ("510000", "MASTERCARD"),
        ("559999", "MASTERCARD"),
        ("560000", "MAESTRO"),
        ("220499", "MIR"),
        ("220500", UNKNOWN_BRAND),
        ("352799", UNKNOWN_BRAND),
        ("352800", "JCB"),
        ("358999", "JCB"),
        ("359000", UNKNOWN_BRAND),
        ("643999", UNKNOWN_BRAND),
        ("644000", "DISCOVER"),
        ("817199", "UNIONPAY"),
        ("817200", "RUPAY"),
    ],
)
def test_range_holds_both_its_ends_and_nothing_beyond(prefix: str, brand: str) -> None:
    assert brand_of(prefix + "0" * 10) == brand
    assert brand_of(prefix + "9" * 10) == brand


def test_narrower_range_wins() -> None:
    assert brand_of("4011780000000000") == "ELO"
    assert brand_of("4011770000000000") == "VISA"
    assert brand_of("6277800000000000") == "ELO"
    assert brand_of("6277810000000000") == "UNIONPAY"


def test_narrower_range_wins_only_for_the_lengths_it_knows() -> None:
    assert brand_of("4011780000000000") == "ELO"
    assert brand_of("4011780000000") == "VISA"


def test_number_of_another_length_has_no_known_brand() -> None:
    assert brand_of("41111111111111") == UNKNOWN_BRAND
    assert brand_of("37144963539237") == UNKNOWN_BRAND


digits = st.text("0123456789", min_size=10, max_size=20)
known_prefixes = st.sampled_from([r.prefix_low for r in CARD_RANGES])


@given(st.one_of(digits, st.builds(str.__add__, known_prefixes, digits)))
def test_index_says_what_a_search_of_every_range_says(card_number: str) -> None:
    assert brand_of(card_number) == brand_by_looking_everywhere(card_number)


@given(st.text())
def test_text_of_any_kind_has_some_brand_or_none(text: str) -> None:
    assert brand_of(text) in {UNKNOWN_BRAND, *(r.brand for r in CARD_RANGES)}


def test_order_of_the_ranges_does_not_matter() -> None:
    ranges = read("WIDE,4,4,16", "NARROW,401,402,16", "NARROWEST,4015,4015,16")
    for order in (ranges, ranges[::-1]):
        index = BrandIndex(order)
        found = [index.brand_of(p.ljust(16, "0")) for p in ("400", "4014", "4015", "402", "403")]
        assert found == ["WIDE", "NARROW", "NARROWEST", "NARROW", "WIDE"]


def test_index_of_no_ranges_knows_no_brand() -> None:
    assert BrandIndex(()).brand_of("4111111111111111") == UNKNOWN_BRAND


@pytest.mark.parametrize(
    "line", ["OTHER,45,55,16", "OTHER,30,45,16", "OTHER,40,49,16", "OTHER,400000,499999,16"]
)
def test_range_that_clashes_with_another_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"brands\.csv, line 3: .*clashes with VISA 4"):
        read("VISA,4,4,16", line)


def test_same_prefix_twice_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: prefix_low '4' is already on line 2"):
        read("VISA,4,4,16", "OTHER,4,4,19")


def test_range_upside_down_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 2: prefix_low is above prefix_high"):
        read("VISA,5,4,16")


@pytest.mark.parametrize(
    "line", ["visa,4,4,16", "VISA,,4,16", "VISA,4,4x,16", "VISA,4,4,9", "VISA,4,4,16 ", "VISA,4,4,"]
)
def test_range_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"brands\.csv, line 2: "):
        read(line)
