"""What a run makes of its measurements: ratios, medians, targets, floors, tables."""

from dataclasses import replace

import pytest
from bench.check import shortcomings
from bench.options import options
from bench.report import with_part
from bench.rounds import Round, median_over_plain, median_share
from bench.row import Part, Row, medians
from bench.table import COLUMNS, markdown_table, text_table
from bench.targets import Target, targets_of

SQLITE, POSTGRESQL = "SQLite, 1 worker", "PostgreSQL, 1 worker"
ROUND = Round(SQLITE, 10_000, 5_000, 10_000, 1_500, None)
SALE = Row(Part.GATEWAY, "sale", SQLITE, 64, per_s=1_600, p50_ms=10, p99_ms=40, gateway_us=400)


def verdict(rows: list[Row], rounds: list[Round], start: str) -> bool | None:
    """Of the one target whose name begins so."""
    (found,) = [each for each in targets_of(rows, rounds) if each.name.startswith(start)]
    return found.met


def test_the_combined_ceiling_is_that_of_three_parts_in_a_row() -> None:
    assert ROUND.combined_per_s == pytest.approx(2_500)
    assert ROUND.share == pytest.approx(0.6)


def test_a_ratio_of_several_rounds_is_the_median_of_theirs() -> None:
    rounds = [replace(ROUND, sale_per_s=rate) for rate in (100, 1_500, 2_500)]
    assert median_share(rounds, SQLITE) == pytest.approx(0.6)
    assert median_share(rounds, POSTGRESQL) is None


def test_a_round_without_a_rate_of_pgbench_has_no_ratio_to_it() -> None:
    rounds = [replace(ROUND, plain_per_s=plain) for plain in (None, 0.0, 1_000)]
    assert median_over_plain(rounds, SQLITE) == pytest.approx(1.5)


def test_several_measurements_of_one_thing_become_the_one_in_the_middle() -> None:
    rows = [replace(SALE, per_s=rate) for rate in (3, 1, 2)]
    other = replace(SALE, connections=1)
    assert medians([*rows, other]) == [replace(SALE, per_s=2), other]


def test_lines_of_growth_are_told_apart_by_their_notes() -> None:
    rows = [replace(SALE, part=Part.GROWTH, note=note) for note in ("empty", "10 rows")]
    assert medians(rows) == rows


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {each.met for each in targets_of([], [])} == {None}


@pytest.mark.parametrize(("share", "met"), [(0.6, True), (0.59, False)])
def test_the_share_of_the_ceiling_has_to_be_reached(share: float, met: bool) -> None:
    rounds = [replace(ROUND, sale_per_s=2_500 * share + 0.01)]
    assert verdict([], rounds, "sale, SQLite, 1 worker, 64 at once: at least") is met


@pytest.mark.parametrize(("http", "met"), [(14_999, None), (15_000, True)])
def test_a_rate_is_asked_for_where_http_alone_is_fast(http: float, met: bool | None) -> None:
    ceiling = Row(Part.CEILING, "(a) HTTP alone", "empty handler", 64, per_s=http)
    assert verdict([SALE, ceiling], [], "sale, SQLite, 64 at once") is met


@pytest.mark.parametrize(("cost_us", "met"), [(450, True), (451, False)])
def test_the_processor_time_of_a_sale_is_bounded(cost_us: float, met: bool) -> None:
    row = replace(SALE, gateway_us=cost_us)
    assert verdict([row], [], "gateway's processor time a sale, SQLite") is met


@pytest.mark.parametrize(("max_ms", "met"), [(250, True), (251, False)])
def test_the_longest_wait_of_a_minute_is_bounded(max_ms: float, met: bool) -> None:
    row = replace(SALE, part=Part.PAUSE, max_ms=max_ms)
    assert verdict([row], [], "longest wait, SQLite") is met


@pytest.mark.parametrize(("p50_ms", "met"), [(5.2, True), (5.3, False)])
def test_one_payment_alone_takes_two_syncs_the_bank_and_a_millisecond(
    p50_ms: float, met: bool
) -> None:
    rows = [
        Row(Part.ALONE, "write + fsync of 4 KiB", "disk", 1, per_s=500, p50_ms=2),
        Row(Part.ALONE, "bank round trip", "bare bank", 1, per_s=5_000, p50_ms=0.2),
        replace(SALE, part=Part.ALONE, connections=1, p50_ms=p50_ms),
    ]
    assert verdict(rows, [], "one payment alone, SQLite") is met


@pytest.mark.parametrize(("mib", "met"), [(110, True), (111, False)])
def test_memory_may_grow_by_a_tenth(mib: float, met: bool) -> None:
    rows = [
        replace(SALE, part=Part.MEMORY, gateway_mib=each, note=str(each)) for each in (100, mib)
    ]
    assert verdict(rows, [], "resident memory") is met


@pytest.mark.parametrize(("per_s", "met"), [(900, True), (899, False)])
def test_a_full_store_keeps_nine_tenths_of_the_rate(per_s: float, met: bool) -> None:
    grown = replace(SALE, part=Part.GROWTH, on="SQLite")
    rows = [replace(grown, per_s=1_000, note="empty"), replace(grown, per_s=per_s, note="9 rows")]
    assert verdict(rows, [], "sale rate on a full store, SQLite") is met


@pytest.mark.parametrize(
    ("per_s", "p99_ms", "rate_met", "p99_met"), [(900, 80, True, True), (899, 81, False, False)]
)
def test_faults_leave_the_healthy_alone(
    per_s: float, p99_ms: float, rate_met: bool, p99_met: bool
) -> None:
    faults = replace(SALE, part=Part.FAULTS)
    rows = [
        replace(faults, what="all answered at once", per_s=1_000),
        replace(faults, what="5 % unanswered", per_s=per_s, p99_ms=p99_ms),
    ]
    assert verdict(rows, [], "5 % unanswered, SQLite, 1 worker: at least") is rate_met
    assert verdict(rows, [], "5 % unanswered, SQLite, 1 worker: p99") is p99_met


def test_a_target_says_what_was_measured() -> None:
    assert Target(
        "gateway's processor time a sale, SQLite, 1 worker, 64 at once: at most 450 µs",
        "400 µs",
        True,
    ) in targets_of([SALE], [])


@pytest.mark.parametrize(("sale_per_s", "problems"), [(2_500 * 0.26, 0), (2_500 * 0.24, 1)])
def test_a_gross_regression_fails_the_check(sale_per_s: float, problems: int) -> None:
    assert len([*shortcomings([replace(ROUND, sale_per_s=sale_per_s)])]) == problems


def test_falling_far_behind_pgbench_fails_the_check() -> None:
    (problem,) = shortcomings([replace(ROUND, on=POSTGRESQL, plain_per_s=4_000)])
    assert "pgbench" in problem


def test_a_check_that_measured_nothing_fails() -> None:
    assert [*shortcomings([])] == ["nothing was measured"]


def test_a_short_form_measures_the_essential_alone() -> None:
    assert options(["--quick"]).parts == ("ceilings", "alone")
    assert options(["--check"]).parts == ("ceilings",)
    assert options(["--quick", "--parts", "peer"]).parts == ("peer",)


def test_levels_begin_with_the_sales_that_the_others_need() -> None:
    assert options(["--operations", "refund"]).operations == ("sale", "refund")


def test_the_table_has_a_cell_for_every_column() -> None:
    head, rule, line = markdown_table([SALE]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|") == len(COLUMNS) + 1
    assert "2,500" in text_table([SALE])  # a core's: 1e6 / 400 µs


def test_the_measured_part_of_a_page_is_replaced_and_nothing_else() -> None:
    page = "a\n<!-- measured -->\nold\n<!-- /measured -->\nb\n"
    assert with_part(page, "new") == ("a\n<!-- measured -->\n\nnew\n\n<!-- /measured -->\nb\n")
    with pytest.raises(ValueError, match="one pair"):
        with_part("a", "new")
