"""What the table says of a drill."""

from e2e.rounds.call import Call
from ha.figures import Figures, table
from ha.shopper import Told


def sale(at_s: float) -> Told:
    return Told(Call("/sale", {}, 0.2, status=200, answer={"responseCode": "GTW_1000"}), at_s)


def other(path: str = "/sale", status: int | None = 503, broken: str | None = None) -> Told:
    return Told(Call(path, {}, 1.5, status=status, broken=broken), 12.0)


def counted(*told: Told) -> Figures:
    figures = Figures("a harm")
    figures.count(told, struck_s=10.0)
    return figures


def test_the_time_without_service_runs_from_the_last_sale_before_the_harm() -> None:
    figures = counted(sale(8.0), sale(9.0), sale(31.0), sale(32.0))
    assert (figures.usual_gap_s, figures.gap_s) == (1.0, 22.0)


def test_an_inquiry_that_finds_nothing_is_served() -> None:
    assert counted(sale(1.0), other("/inquiry", 404)).statuses == {}


def test_what_was_not_served_is_counted_by_status_or_by_what_broke() -> None:
    cut = other(status=None, broken="ReadError")
    assert counted(sale(1.0), other(), other(), cut).statuses == {"503": 2, "ReadError": 1}


def test_each_harm_is_a_line_of_the_table() -> None:
    heading, line = table([counted(sale(9.0), sale(11.5), other())])
    assert heading.split()[:2] == ["harm", "requests"]
    assert line.split()[:7] == ["a", "harm", "3", "2", "0.0", "2.5", "1"]
