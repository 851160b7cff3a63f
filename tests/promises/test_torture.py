"""Torture finds what is wrong with services and pollers that have a fault."""

from pathlib import Path

import pytest

from tests.promises.test_conformance import EARLY, FAULTS, WHOLE
from tests.serving import report
from torture.running import Result, Wish, torture

pytestmark = pytest.mark.slow
HASTY = "keeps where it stands before it deals with a page"


def tried(folder: Path, wish: Wish) -> Result:
    """Run it, and show how it goes to who wants to see it."""
    result = torture(wish, folder / "log", lambda line: report(line, ()))
    report(str(result.told()), ())
    return result


def test_a_service_that_answers_before_it_commits_loses_what_it_acknowledged(
    tmp_path: Path,
) -> None:
    result = tried(tmp_path, Wish("sqlite", 8, seed=3, plant="early-answers"))

    assert result.torment.kills() >= 8
    assert any(found.startswith("lost: ") for found in result.found), result.found


def test_a_service_that_keeps_its_keys_apart_acts_twice(
    tmp_path: Path,
) -> None:
    result = tried(tmp_path, Wish("sqlite", 8, seed=3, plant="apart-keys"))

    told = ("doubled: ", "refused and done: ", "forgotten: ")
    assert any(found.startswith(told) for found in result.found), result.found


def test_a_poller_that_keeps_its_cursor_first_misses_events(
    tmp_path: Path,
) -> None:
    right, _, _ = FAULTS[HASTY]
    hasty = tmp_path / "poller.py"
    hasty.write_text(WHOLE.replace(right, EARLY))

    result = tried(tmp_path, Wish("sqlite", 8, seed=5, poller=hasty))

    assert any("a poller of" in found for found in result.found), result.found
