"""Tests that a story is refused if it has too few dates or a case without an end."""

import pytest

from tests.support.stories import FEWEST, Story
from tests.support.world import Json, Someone, World, unwrap


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


@pytest.fixture
def stopped(story: Story, officer: Someone, lead: Someone) -> Json:
    """Return a case that the lead stopped on the last of the eight dates of a story."""
    for day in range(2, 2 + FEWEST):
        story.on(f"2026-06-{day:02} 10:00")
    case = lead.take_lead(officer.submit())
    return unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))


def test_story_with_eight_dates_and_an_end_is_accepted(story: Story, stopped: Json) -> None:
    story.require_closure(stopped, "SURVIVOR_REQUEST")

    story.check()


def test_story_with_seven_dates_is_refused(story: Story, stopped: Json) -> None:
    story.require_closure(stopped, "SURVIVOR_REQUEST")
    story.dates.pop()

    with pytest.raises(AssertionError, match="7 dated steps"):
        story.check()


def test_story_with_a_case_without_end_is_refused(
    story: Story, stopped: Json, officer: Someone
) -> None:
    story.require_closure(stopped, "SURVIVOR_REQUEST")
    officer.submit()

    with pytest.raises(AssertionError, match="has no end"):
        story.check()


@pytest.mark.parametrize("ending", ["closure", "erasure", "rest"])
def test_end_that_is_not_true_is_refused(
    story: Story, stopped: Json, officer: Someone, ending: str
) -> None:
    running = officer.submit()
    ends = {
        "closure": lambda: story.require_closure(running, "GOALS_MET"),
        "erasure": lambda: story.require_erasure(stopped),
        "rest": lambda: story.require_rest(running, "submitted", KZ_LEAD="review"),
    }

    with pytest.raises(AssertionError):
        ends[ending]()


def test_closure_with_a_deadline_that_runs_is_refused(
    story: Story, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    with pytest.raises(AssertionError):
        story.require_closure(case, "SURVIVOR_REQUEST")
    waits = {"KZ_SHELTER_KOGERSHIN": "confirm_deletion"}
    story.require_closure(case, "SURVIVOR_REQUEST", **waits)


def test_worker_does_what_is_due_at_its_time(story: Story, officer: Someone) -> None:
    officer.submit()

    story.on("2026-06-05 10:00")

    late = [one for one in officer.poll() if one["type"] == "case.not_acknowledged"]
    assert late[0]["at"] == "2026-06-01T15:00:00Z"
