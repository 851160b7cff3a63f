"""Torture finds what is wrong with services and pollers that have a fault."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.processes.test_conformance import EARLY, FAULTS, WHOLE
from tests.support.servers import report
from tests.torture.running import Wish, torture

pytestmark = pytest.mark.slow
HASTY: Final = "keeps where it stands before it deals with a page"
KILLS, TURNS = 8, 5
"""Kills of each turn, and turns at most, one after the other."""


def shown(folder: Path, wish: Wish, *signs: str) -> str:
    """Torture it until it shows what is wrong with it: a few kills may hit nothing."""
    found = list[str]()
    for turn in range(TURNS):
        some = replace(wish, seed=wish.seed + turn)
        result = torture(some, folder / f"log-{turn}", lambda line: report(line, ()))
        report(str(result.told()), ())
        assert result.torment.kills() >= KILLS
        found += result.found
        for one in found:
            if one.startswith(signs):
                return one
    raise AssertionError(found)


def test_a_service_that_answers_before_it_commits_loses_what_it_acknowledged(
    tmp_path: Path,
) -> None:
    early = Wish("sqlite", KILLS, seed=3, plant="early-answers")

    assert shown(tmp_path, early, "lost: ", "went back: ")


def test_a_service_that_keeps_its_keys_apart_acts_twice(tmp_path: Path) -> None:
    apart = Wish("sqlite", KILLS, seed=3, plant="apart-keys")

    assert shown(tmp_path, apart, "doubled: ", "refused and done: ", "forgotten: ")


def test_a_poller_that_keeps_its_cursor_first_misses_events(tmp_path: Path) -> None:
    right, _, _ = FAULTS[HASTY]
    hasty = tmp_path / "poller.py"
    hasty.write_text(WHOLE.replace(right, EARLY))

    assert shown(tmp_path, Wish("sqlite", KILLS, seed=5, poller=hasty), "a poller of")
