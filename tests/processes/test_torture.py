"""Tests that the torture test finds the fault in each broken service or poller."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.processes.test_conformance import EARLY, FAULTS, WHOLE
from tests.support.servers import report
from tests.torture.running import RunOptions, run_torture

pytestmark = [pytest.mark.slow, pytest.mark.whole]
HASTY: Final = "keeps where it stands before it deals with a page"
KILLS: Final = 8
"""Number of kills in one run."""
RUNS: Final = 3
"""Maximum number of runs to find a fault, because not every kill reveals the fault."""


def find_fault(folder: Path, wish: RunOptions, *signs: str) -> bool:
    """Return whether the torture test finds a fault: a finding begins with one of `signs`.

    The test runs with another seed until it finds the fault, but at most `RUNS` times.
    """
    for number in range(RUNS):
        one = replace(wish, seed=wish.seed + number)
        result = run_torture(one, folder / f"log{number}", lambda line: report(line, ()))
        report(str(result.as_json()), ())
        assert result.torment.count_kills() >= KILLS
        if any(found.startswith(signs) for found in result.found):
            return True
    return False


def test_a_service_that_answers_before_it_commits_loses_what_it_acknowledged(
    tmp_path: Path,
) -> None:
    early = RunOptions("sqlite", KILLS, seed=3, plant="early-answers")

    assert find_fault(tmp_path, early, "lost: ", "went back: ")


def test_a_service_that_keeps_its_keys_apart_acts_twice(tmp_path: Path) -> None:
    apart = RunOptions("sqlite", KILLS, seed=3, plant="apart-keys")

    signs = "doubled: ", "refused and done: ", "key not stored: "
    assert find_fault(tmp_path, apart, *signs)


def test_a_poller_that_keeps_its_cursor_first_misses_events(tmp_path: Path) -> None:
    right, _, _ = FAULTS[HASTY]
    hasty = tmp_path / "poller.py"
    hasty.write_text(WHOLE.replace(right, EARLY))

    hasty_wish = RunOptions("sqlite", KILLS, seed=5, poller=hasty)

    assert find_fault(tmp_path, hasty_wish, "a poller of")
