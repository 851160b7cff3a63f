"""Tests that steps lead from each explored state of a case to an end (ADR 48).

The steps are actions of open offices with an enabled account, missed deadlines and, if an
alarm asks for them, actions of administrators.
"""

from random import Random
from typing import Final

import pytest

from tests.exploration import planted_faults
from tests.exploration.explore import Explorer, Kind, Result, Story
from tests.exploration.planted_faults import Plant
from tests.exploration.stage import Stage
from tests.exploration.start_stories import BEGINNINGS
from tests.support.effort import Run, choose_number

pytestmark = pytest.mark.slow
STORIES: Final = choose_number(10, sample=2, night=len(BEGINNINGS))
"""Number of stories from which the exploration starts, drawn with the seed of the run."""
STATES: Final = choose_number(12, sample=8, night=2000)
"""Number of states to explore, in addition to those of the stories."""
NO_LEAD: Final = "list_home_countries"
ALONE: Final = "find_without_second_person"
MOST: Final = 150
"""Maximum number of states until a planted fault is found."""


def format_findings(result: Result) -> str:
    """Return the findings as text, each with the moves that lead to it."""
    return "\n\n".join(map(str, result.findings))


def test_no_state_leaves_a_case_without_a_way_on(stage: Stage) -> None:
    explorer = Explorer(stage, Run.seed)
    chosen = Random(f"{Run.seed} beginnings").sample(sorted(BEGINNINGS), STORIES)
    explorer.begin(BEGINNINGS[name] for name in chosen)

    result = explorer.run(STATES)

    assert not format_findings(result), format_findings(result)


LEAD_GONE: Final = BEGINNINGS["the only lead is closed"]
FOUND: Final = [
    (planted_faults.plant_endless_pause, BEGINNINGS["led and helped"], Kind.STUCK),
    (planted_faults.plant_lost_lead, LEAD_GONE, Kind.STUCK),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("plant", "story", "kind"), FOUND, ids=[plant.__name__ for plant, *_ in FOUND]
)
def test_a_planted_fault_is_found(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
    story: Story,
    kind: Kind,
) -> None:
    plant(monkeypatch)
    explorer = Explorer(stage, 1)
    explorer.begin([story], only_last=True)

    explorer.run(MOST, until=lambda result: kind in get_kinds(result))

    assert kind in get_kinds(explorer.result)


def get_kinds(result: Result) -> set[Kind]:
    return {one.kind for one in result.findings}


RESTS: Final = {
    "nobody works at the desk that has the case": "find_unattended",
    "the lead has no second person, and no other office can lead": ALONE,
    "the lead is closed, and its desk has no second person": ALONE,
    "every office of the country that can lead is closed": NO_LEAD,
}
"""Stories whose case needs an administrator, each with the function of the alarm."""


@pytest.mark.parametrize(("name", "read"), RESTS.items(), ids=RESTS)
@pytest.mark.parametrize("alarm", [True, False])
def test_case_that_needs_an_administrator_ends_only_with_an_alarm(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, read: str, *, alarm: bool
) -> None:
    if not alarm:
        planted_faults.plant_missing_alarm(monkeypatch, read)
    explorer = Explorer(stage, 0)

    explorer.begin([BEGINNINGS[name]], only_last=True)

    found = get_kinds(explorer.result)
    assert (found <= {Kind.STUCK, Kind.ONLY_STOP}, bool(found)) == (
        True,
        not alarm,
    )
    assert ("ADMINISTRATORS" in explorer.result.means) == alarm


@pytest.mark.whole
def test_a_seed_repeats_exactly(stage: Stage) -> None:
    def list_paths() -> list[Story]:
        explorer = Explorer(stage, 7)
        explorer.begin([BEGINNINGS["at an NGO that is asked to lead"]], only_last=True)
        explorer.run(4)
        return [node.path for node in explorer.nodes]

    assert list_paths() == list_paths()
