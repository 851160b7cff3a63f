"""Tests of the tables of a run, and of the page that shows them."""

import pytest

from tests.bench import report
from tests.bench.figures import Figure
from tests.bench.goals import Goal, Verdict
from tests.bench.page import PAGE, PageBroken, replace_part
from tests.bench.report import format_table
from tests.bench.result import Line, Measure, PlaceResult, Result

TEXT = """Before.
<!-- measured: written by make -->
old
<!-- end of measured -->
After.
"""
FIGURE = Figure(1000.0, 0.001, 0.002, 100.0, 0.0)


def make_place(*, noisy: bool) -> PlaceResult:
    slower = Figure(500.0, 0.004, 0.009, 210.0, 0.0)
    verdict = Verdict.NOISY if noisy else Verdict.REACHED
    noise = 0.2 if noisy else 0.01
    goal = Goal(0.4, 0.6)
    line = Line("S submit", FIGURE, slower, 0.5, 0.476, noise, 0.01, goal, verdict)
    start = Measure("start to ready", 1.5, "s", Goal(2, 0), Verdict.REACHED)
    return PlaceResult("SQLite", noisy, [line], [start], ["no gap"])


def test_table_replaces_only_the_part_between_its_marks() -> None:
    written = replace_part(TEXT, "measured", "| new |\n")

    assert "old" not in written
    assert "\n| new |\n" in written
    assert written.startswith("Before.\n")
    assert written.endswith("After.\n")
    assert replace_part(written, "measured", "| new |\n") == written


@pytest.mark.parametrize("part", ["growth", "measure"])
def test_page_without_marks_raises_page_broken(part: str) -> None:
    with pytest.raises(PageBroken):
        replace_part(TEXT, part, "| new |")


def test_page_has_marks_for_each_part() -> None:
    page = PAGE.read_text("utf-8")

    for part in ("measured", "growth", "peers"):
        assert "| new |" in replace_part(page, part, "| new |")


def test_table_is_markdown() -> None:
    assert list(format_table(("a", "bb"), [("1", "2")])) == [
        "| a | bb |",
        "| - | -- |",
        "| 1 | 2  |",
    ]


def test_row_has_goal_and_verdict() -> None:
    text = "\n".join(report.format_place(make_place(noisy=False)))

    [row] = [line for line in text.splitlines() if line.startswith("| S submit")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "S submit",
        "1000",
        "500",
        "0.50",
        "0.40",
        "0.60",
        "yes",
        "4.0",
        "9.0",
        "100",
        "210",
        "0.476",
        "",
    ]
    assert "noisy" not in text
    assert "| start to ready | 1.5 s | 2       |" in text


def test_noisy_run_shows_numbers_without_verdict() -> None:
    text = "\n".join(report.format_place(make_place(noisy=True)))

    assert (
        "noisy, so nothing is judged: two measurements of the floor differ by at most 20.0%"
        in text
    )
    assert "not judged" in text
    assert "| 1000 " in text


def test_result_is_json() -> None:
    pace = {"rounds": 5.0, "seconds": 2.0, "clients": 8.0}
    client = {"rps": 9000.0, "cpu": 30.0, "fsync": 1.5}
    result = Result(
        "2026-11-26", "abc", "a machine", pace, client, [make_place(noisy=False)]
    )

    kept = result.as_json()

    assert kept["places"][0]["lines"][0]["by_rps"] == 0.5
    assert kept["places"][0]["lines"][0]["reached"] == "yes"
    assert "abc" in report.format_result(result)
