"""No state that can be reached leaves a case without a way on (ADR 48).

In each state an office that is open and staffed can take a step that succeeds, or a running
deadline moves the case on; and either leads to an end of the case.
"""

from random import Random
from typing import Final

import pytest

from tests.exploration import planted
from tests.exploration.beginnings import BEGINNINGS
from tests.exploration.explore import Explorer, Kind, Result, Story
from tests.exploration.known import KNOWN, Known, is_known
from tests.exploration.planted import Plant
from tests.exploration.stage import Stage
from tests.support.effort import Run, amount

pytestmark = pytest.mark.slow
STORIES: Final = amount(len(BEGINNINGS), sample=2)
"""Beginnings, drawn by the seed of the run."""
STATES: Final = amount(20, sample=8, night=2000)
"""States beyond those of the beginnings."""
MOST: Final = 150
"""States in which a planted fault has to be found."""


def told(result: Result) -> str:
    """Tell what was found that is not known, each as steps to follow."""
    return "\n\n".join(str(one) for one in result.findings if not is_known(one))


def test_no_state_leaves_a_case_without_a_way_on(stage: Stage) -> None:
    explorer = Explorer(stage, Run.seed)
    chosen = Random(f"{Run.seed} beginnings").sample(sorted(BEGINNINGS), STORIES)
    explorer.begin(BEGINNINGS[name] for name in chosen)

    result = explorer.explore(STATES)

    assert not told(result), told(result)


@pytest.mark.sweep
@pytest.mark.parametrize("known", KNOWN, ids=[one.name for one in KNOWN])
def test_a_known_state_is_still_without_a_way_on(stage: Stage, known: Known) -> None:
    explorer = Explorer(stage, 0)

    explorer.begin([known.path], only_last=True)

    [finding] = explorer.result.findings
    assert finding.kind in known.kinds
    assert finding.state is not None
    assert known.is_alike(finding.state)


LEAD_GONE: Final = BEGINNINGS["the only lead is closed"]
FOUND: Final = [
    (planted.lets_nobody_end_a_rest, BEGINNINGS["led and helped"], Kind.STUCK),
    (planted.leaves_a_case_with_a_lead_that_is_gone, LEAD_GONE, Kind.STUCK),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("plant", "story", "kind"), FOUND, ids=[plant.__name__ for plant, *_ in FOUND]
)
def test_a_planted_fault_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, plant: Plant, story: Story, kind: Kind
) -> None:
    plant(monkeypatch)
    explorer = Explorer(stage, 1)
    explorer.begin([story], only_last=True)

    explorer.explore(MOST, until=lambda result: kind in kinds_of(result))

    assert kind in kinds_of(explorer.result)


def kinds_of(result: Result) -> set[Kind]:
    return {one.kind for one in result.findings}


@pytest.mark.parametrize("alarm", [True, False])
def test_case_at_an_empty_desk_rests_only_where_an_alarm_names_the_desk(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, alarm: bool
) -> None:
    if not alarm:
        planted.counts_no_office_as_unattended(monkeypatch)
    explorer = Explorer(stage, 0)

    empty = BEGINNINGS["nobody works at the desk that has the case"]
    explorer.begin([empty], only_last=True)

    assert kinds_of(explorer.result) == (set() if alarm else {Kind.STUCK})
    assert dict(explorer.result.means) == ({"ADMINISTRATORS": 1} if alarm else {})


def test_a_seed_repeats_exactly(stage: Stage) -> None:
    def paths() -> list[Story]:
        explorer = Explorer(stage, 7)
        explorer.begin([BEGINNINGS["at an NGO that is asked to lead"]], only_last=True)
        explorer.explore(4)
        return [node.path for node in explorer.nodes]

    assert paths() == paths()
