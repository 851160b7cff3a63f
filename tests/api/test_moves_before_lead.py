"""A submitter does not learn which border a person crossed before an office led (R12)."""

from collections.abc import Callable

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    unwrap,
)

STATE_OF_UZ: Json = make_consent(recipient_class={"kind": "state", "country": "UZ"})
PARTS = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
STATES = ("state=submitted", "state=under_review", "stage=identification", "sort=due_at")
LISTS = ("/worklist", "/approvals", "/events", *(f"/cases?{one}" for one in STATES))
ERROR: Json = {"reason": "SENT_IN_ERROR"}
NO: Json = {"reason": "NO_CAPACITY"}
ACCESS: Json = {"reason": "RISK_TO_LIFE", "sections": ["contact"], "purpose": "protection"}


@pytest.fixture
def case(world: World, officer: Someone, lead: Someone) -> Json:
    """Return a case whose person went to Uzbekistan before an office led it."""
    case = officer.submit(consents=[make_consent(), STATE_OF_UZ], safeguards={})
    world.advance(minutes=1)
    assert lead.does("relocate", case, {"country": "UZ"}).is_success
    world.advance(minutes=1)
    return case


def read_everything(who: Someone, case: Json) -> dict[str, tuple[Json, str | None]]:
    """Return the response to each read request about a case, with its entity tag."""
    paths = [*(f"{get_path(case)}{part}" for part in PARTS), *LISTS]
    answers = {path: who.open(path) for path in paths}
    return {
        path: (answer.json() | {"instance": None}, answer.headers.get("ETag"))
        for path, answer in answers.items()
    }


def acknowledge(there: Someone, case: Json) -> None:
    unwrap(there.does("acknowledge", case))


def decline(there: Someone, case: Json) -> None:
    assert there.does("decline-lead", case, NO).is_success


def miss_deadlines(there: Someone, _: Json) -> None:
    there.world.wait(days=2)


def assess_risk(there: Someone, case: Json) -> None:
    acknowledge(there, case)
    unwrap(there.create(f"{get_path(case)}/risk-assessments", {"level": "high"}))


@pytest.mark.parametrize("act", [acknowledge, decline, miss_deadlines, assess_risk])
def test_a_submitter_does_not_see_what_offices_beyond_a_border_do(
    world: World, officer: Someone, case: Json, act: Callable[[Someone, Json], None]
) -> None:
    there = world.add_person("UZ_LEAD")
    assert list_types(officer.poll())[-1] == "case.rerouted"
    before = read_everything(officer, case)

    act(there, case)

    assert read_everything(officer, case) == before
    seen = officer.read(case)
    assert (seen["state"], seen["holder"], seen["version"]) == ("submitted", None, None)


@pytest.mark.parametrize("act", [None, acknowledge, miss_deadlines])
def test_actions_of_a_submitter_do_not_show_what_offices_beyond_a_border_do(
    world: World,
    officer: Someone,
    case: Json,
    act: Callable[[Someone, Json], None] | None,
) -> None:
    if act:
        act(world.add_person("UZ_LEAD"), case)

    withdrawn = officer.does("withdraw", case, ERROR)
    visit = officer.send(f"{get_path(case)}/visits", {"person_met": True}, if_match='"1"')
    access = officer.create(f"{get_path(case)}/emergency-access", ACCESS | {"note": "?"})

    assert get_unmet(withdrawn) == [("nothing_sent", "holder")]
    assert "under_review" not in visit.text
    assert get_problem(visit) == (409, "action-illegal")
    assert get_problem(access) == (403, "action-not-yours")


def test_a_submitter_may_still_write_after_a_border_and_sees_the_lead_begin(
    world: World, officer: Someone, case: Json
) -> None:
    there = world.add_person("UZ_LEAD")
    officer.poll()
    changed = {"priority": "emergency"}
    path, headers = get_path(case), {"If_Match": officer.get_tag(case)}

    unwrap(officer.ask("PATCH", path, changed, headers=headers))
    there.take_lead(case)

    assert there.read(case)["summary"]["priority"] == "emergency"
    event = officer.poll()[-1]
    assert (event["type"], event["by"]) == ("case.lead_accepted", None)
    assert officer.read(case)["state"] == "referring"
