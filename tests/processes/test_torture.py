"""Tests that the torture test finds the fault in each broken service or poller."""

from pathlib import Path
from typing import Final

import pytest

from tests.processes.test_conformance import EARLY, FAULTS, WHOLE
from tests.support.servers import report
from tests.torture.running import RunOptions, run_torture

pytestmark = [pytest.mark.slow, pytest.mark.whole]
HASTY: Final = "keeps where it stands before it deals with a page"
KILLS: Final = 24
"""Number of kills in one run: a high number, as few kills happen when they show a fault."""


def run(folder: Path, wish: RunOptions) -> list[str]:
    """Run the torture test on a service or poller with a fault, and return the findings."""
    result = run_torture(wish, folder / "log", lambda line: report(line, ()))
    report(str(result.as_json()), ())
    assert result.torment.count_kills() >= KILLS
    return result.found


def has_sign(found: list[str], *signs: str) -> bool:
    """Return whether a finding begins with one of the given texts."""
    return any(one.startswith(signs) for one in found)


def test_a_service_that_answers_before_it_commits_loses_what_it_acknowledged(
    tmp_path: Path,
) -> None:
    early = RunOptions("sqlite", KILLS, seed=3, plant="early-answers")

    assert has_sign(run(tmp_path, early), "lost: ", "went back: ")


def test_a_service_that_keeps_its_keys_apart_acts_twice(tmp_path: Path) -> None:
    apart = RunOptions("sqlite", KILLS, seed=3, plant="apart-keys")

    found = run(tmp_path, apart)
    assert has_sign(found, "doubled: ", "refused and done: ", "key not stored: ")


def test_a_poller_that_keeps_its_cursor_first_misses_events(tmp_path: Path) -> None:
    right, _, _ = FAULTS[HASTY]
    hasty = tmp_path / "poller.py"
    hasty.write_text(WHOLE.replace(right, EARLY))

    hasty_wish = RunOptions("sqlite", KILLS, seed=5, poller=hasty)

    assert has_sign(run(tmp_path, hasty_wish), "a poller of")
