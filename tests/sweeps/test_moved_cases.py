"""A consulate that is asked for a document cannot tell what happened later (ADR 43)."""

import json
from functools import partial
from typing import Any, Final

import pytest

from tests.support.moved_cases import (
    MOVES,
    SECRETS,
    STAGES,
    play,
    prepare,
)
from tests.support.relation_pairs import list_values
from tests.support.servers import report
from tests.sweeps.conftest import Scene

pytestmark = pytest.mark.slow


def play_in(
    scene: Scene, *, stage: str, where: str, answers: bool = True, **how: Any
) -> dict[str, Any]:
    """Run a variant of the case from the world's first state; return its responses."""
    world, ids, copies = scene
    copies.back("begun")
    now = world.now
    try:
        return play(prepare(world, ids, **how), stage, where, answers=answers)
    finally:
        world.now = now


def list_case_values(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the sorted values at each path of the responses."""
    found: dict[str, list[str]] = {}
    for at, (status, _, told) in answers.items():
        body = json.loads(told) if told else None
        for path, value in list_values({"status": status, "body": body}):
            found.setdefault(f"{at} {path}", []).append(repr(value))
    return {at: sorted(values) for at, values in found.items()}


def find_places(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return set(find_differences(list_case_values(one), list_case_values(other)))


def find_differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [at for at in one.keys() | other.keys() if one.get(at) != other.get(at)]


@pytest.mark.partly
@pytest.mark.sweep
@pytest.mark.parametrize("stage", [*STAGES, "asked, never answered"])
def test_consulate_is_answered_alike_whatever_happens_to_the_case(
    scene: Scene, stage: str
) -> None:
    stage, _, never = stage.partition(", ")
    play_at = partial(play_in, scene, stage=stage, answers=not never)
    stays = play_at(where="stays")

    for where in (*(MOVES.keys() - {"stays"}), *SECRETS):
        moves = play_at(where=where)
        found = sorted(find_differences(stays, moves))
        assert [(at, stays.get(at), moves.get(at)) for at in found[:3]] == [], where
    worlds = len(MOVES) + len(SECRETS)
    report(stage, [f"{worlds * len(stays)} answers compared"])
    assert len(stays) > 150


ACTORS: Final = (".sender", ".by", ".author")
"""Fields that name the lead, in addition to `lead`."""


@pytest.mark.partly
@pytest.mark.parametrize("stage", ["accepted"])
def test_consulate_that_submitted_reads_no_more_than_as_the_submitter(
    scene: Scene, stage: str
) -> None:
    """A submitting consulate with a referral learns no more than one without a referral.

    A submitter learns that the lead was handed over, but not to whom, and does not learn
    that the person crossed a border.
    """
    plays = {
        (where, is_asked): play_in(
            scene, stage=stage, where=where, submits=True, is_asked=is_asked
        )
        for where in MOVES
        for is_asked in (True, False)
    }
    home = plays["led by another at home", True]

    for where in MOVES:
        both, alone = (
            find_places(plays["stays", is_asked], plays[where, is_asked])
            for is_asked in (True, False)
        )
        if any(at.endswith("get_case .body.lead") for at in alone):
            both = {at for at in both if not at.endswith(ACTORS)}
        assert both - alone == set()
        if MOVES[where][1] is not None:
            assert find_differences(home, plays[where, True]) == []
    assert find_differences(plays["stays", True], plays["crosses a border", True]) == []
    assert len(home) > 150
