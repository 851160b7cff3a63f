"""Tests of `if_missed`: where a case goes if the office that has it does not answer."""

import pytest

from app.kernel.actors import Role, Scope
from tests.support.world import Json, Someone, World, make_consent, unwrap

BOTH = [make_consent(), make_consent(focal_point="SANA_SEZIM")]
NOBODY: Json = {"outcome": "next_office", "focal_point": None}


def get_outcome(who: Someone, case: Json) -> Json:
    return dict(who.read(case)["if_missed"])


def test_the_submitter_sees_the_office_that_gets_the_case_after_a_missed_deadline(
    world: World, officer: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    first = get_outcome(officer, case)
    world.wait(days=3)
    then = officer.read(case)

    assert first == {"outcome": "next_office", "focal_point": "SANA_SEZIM"}
    assert then["holder"] == "SANA_SEZIM"
    assert then["if_missed"] == {"outcome": "desk", "focal_point": "DESK_CENTRAL_ASIA"}


def test_an_office_that_closed_is_not_named(world: World, officer: Someone) -> None:
    case = officer.submit(consents=BOTH)
    world.close_office("SANA_SEZIM")

    assert get_outcome(officer, case)["focal_point"] == "DESK_CENTRAL_ASIA"


@pytest.mark.parametrize("unsafe", [[], ["SANA_SEZIM"]])
def test_a_candidate_that_may_not_know_the_fears_sees_the_same_outcome(
    officer: Someone, lead: Someone, unsafe: list[str]
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": unsafe}
    case = officer.submit(consents=BOTH, safeguards=guards)
    asked = get_outcome(lead, case)
    unwrap(lead.does("acknowledge", case))

    assert asked == NOBODY
    named = "DESK_CENTRAL_ASIA" if unsafe else "SANA_SEZIM"
    assert get_outcome(lead, case)["focal_point"] == named


def test_a_lead_is_reminded_until_a_desk_can_replace_it(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    assert get_outcome(lead, case) == {"outcome": "desk", "focal_point": None}
    assert officer.read(case)["if_missed"] is None


def test_a_desk_keeps_the_case_and_a_draft_is_discarded(
    world: World, officer: Someone
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    held = officer.submit(consents=[make_consent(focal_point="KZ_SHELTER_KOGERSHIN")])
    draft = unwrap(officer.create_case())

    assert get_outcome(desk, held) == {"outcome": "reminder", "focal_point": None}
    assert get_outcome(officer, draft) == {"outcome": "discarded", "focal_point": None}


def test_account_that_may_not_open_the_safeguards_sees_no_office(
    world: World, officer: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    code = "UZ_CONSULATE_ALMATY"
    reader = world.add_person(code, scopes={Scope.CASES_READ})
    boss = world.add_person(code, {Role.SUPERVISOR})

    assert get_outcome(officer, case)["focal_point"] == "SANA_SEZIM"
    assert get_outcome(reader, case) == get_outcome(boss, case) == NOBODY
