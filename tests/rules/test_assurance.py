"""docs/assurance.md states the results of all long runs, whichever machine ran them."""

import json
from pathlib import Path

import pytest

from tests.bench.page import PageBroken
from tests.support import assurance

TOLD = {"commit": "abc", "seconds": 90.0}
SEEDS = TOLD | {
    "first_seed": 1,
    "last_seed": 50,
    "steps": 12_345,
    "requests": 99,
    "crashes": {"clocks": 3, "erasures": 4},
    "virtual_days": 700,
    "failed": [],
}
DRILL = {
    "commit": "def",
    "submitted": 9,
    "lost": 2,
    "erased_again": 1,
    "seconds_to_restore": 4.4,
}
TWINS = TOLD | {
    "first_seed": 0,
    "last_seed": 9,
    "answers": 4_000,
    "least": 21,
    "failed": [4],
}
OUTAGE = {
    "commit": "def",
    "seconds": 60.0,
    "reads": {"before: 200": 7, "no worker: 200": 3},
    "submitted": 5,
    "wrong": ["no worker: /v1/cases: 502"],
    "lost": ["KZ-1"],
}
EMPTY = "Before.\n<!-- runs: written by make -->\n<!-- end of runs -->\nAfter.\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assurance, "ROOT", tmp_path)
    monkeypatch.setattr(assurance, "PAGE", tmp_path / "page.md")
    (tmp_path / "page.md").write_text(EMPTY)
    return tmp_path


def leave(root: Path, name: str, told: object) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(told))


def test_what_a_run_left_is_a_row(root: Path) -> None:
    leave(root, ".simulation/result.json", SEEDS)

    assurance.main()

    page = (root / "page.md").read_text()
    assert page.startswith("Before.\n")
    assert page.endswith("\nAfter.\n")
    assert (
        "| `make simulate` | seeds 1 to 50: 12,345 steps, 99 requests, "
        "7 crashes of the worker, 700 days; 2 min | nothing | abc |\n"
    ) in page


def test_runs_of_twins_and_outages_are_rows(root: Path) -> None:
    leave(root, ".simulation/twins-sqlite.json", TWINS)
    leave(root, ".torture/outage.json", OUTAGE)

    assurance.main()

    page = (root / "page.md").read_text()
    assert (
        "| `make twins`, SQLite | seeds 0 to 9: 4,000 pairs of answers; each secret before "
        "each relation at least 21 times; 2 min | 1 found | abc |\n"
    ) in page
    assert (
        "| `make outage` | 300 s without a worker, 60 s without the database, one process "
        "killed; 10 reads, 5 submissions | 2 found | def |\n"
    ) in page


def test_what_was_found_is_told(root: Path) -> None:
    leave(root, ".simulation/result.json", SEEDS | {"failed": [7, 9]})

    assurance.main()

    assert "| 2 found | abc |" in (root / "page.md").read_text()


def test_changes_that_nobody_noticed_are_told(root: Path) -> None:
    vault = {"mutants": 60, "killed": 40, "survived": 0, "equivalent": 5, "open": 15}
    paging = {"mutants": 20, "killed": 18, "survived": 2, "equivalent": 0, "open": 0}
    leave(root, ".mutation/result.json", {"commit": "abc", "modules": [vault, paging]})

    assurance.main()

    assert (
        "| `make mutate` | 2 modules: 80 changes, 58 noticed (96.7 %), 5 that change "
        "nothing, 15 not judged | 2 not noticed | abc |\n"
    ) in (root / "page.md").read_text()


def test_a_run_that_was_not_made_here_keeps_its_row(root: Path) -> None:
    leave(root, ".simulation/result.json", SEEDS)
    assurance.main()
    (root / ".simulation/result.json").unlink()
    leave(root, ".torture/drill-sqlite.json", DRILL)

    assurance.main()

    page = (root / "page.md").read_text()
    assert "| `make simulate` | seeds 1 to 50" in page
    assert "| `make drill`, SQLite | 9 cases acknowledged, 2 of them after" in page


def test_a_page_without_a_place_is_left_as_it_is(root: Path) -> None:
    (root / "page.md").write_text("Nothing.\n")

    with pytest.raises(PageBroken, match="The page has no marks for runs"):
        assurance.main()

    assert (root / "page.md").read_text() == "Nothing.\n"
