"""A suspended case keeps its stage, in the case itself and in lists."""

import pytest

from app.kernel import migrations
from tests.support.protection import protect_rows
from tests.support.world import Json, Someone, World, make_acceptance, unwrap

SHELTER = "KZ_SHELTER_KOGERSHIN"
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-10T12:00:00Z"}


def refer_and_accept(lead: Someone, shelter: Someone, case: Json) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))


def list_codes(who: Someone, *stages: str, **query: str) -> list[str]:
    """Return the codes of the cases with these stages that an office can list."""
    found = unwrap(who.get("/cases", stage=list(stages), **query))["items"]
    return [one["code"] for one in found]


@pytest.fixture
def sought(officer: Someone, lead: Someone) -> Json:
    """Return a case that was suspended before an office agreed to help."""
    case = lead.take_lead(officer.submit())
    return unwrap(lead.does("suspend", case, REST))


@pytest.fixture
def found(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """Return a case that was suspended after a shelter agreed to help."""
    case = lead.take_lead(officer.submit())
    refer_and_accept(lead, shelter, case)
    return unwrap(lead.does("suspend", case, REST))


def test_case_suspended_while_help_is_sought_stays_at_referral(
    officer: Someone, lead: Someone, sought: Json
) -> None:
    assert (sought["state"], sought["stage"]) == ("suspended", "referral")
    assert officer.read(sought)["stage"] == "referral"

    resumed = unwrap(lead.does("resume", sought))

    assert (resumed["state"], resumed["stage"]) == ("referring", "referral")


def test_case_suspended_while_somebody_helps_stays_at_assistance(
    lead: Someone, found: Json
) -> None:
    assert (found["state"], found["stage"]) == ("suspended", "assistance")
    resumed = unwrap(lead.does("resume", found))
    assert (resumed["state"], resumed["stage"]) == ("assisting", "assistance")


def test_help_that_is_promised_while_a_case_is_suspended_does_not_move_its_stage(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    """The submitter and the lead still see the stage `referral` after the acceptance."""
    case = lead.take_lead(officer.submit())
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(lead.does("suspend", case, REST))

    unwrap(shelter.does("accept", referral, make_acceptance()))

    assert officer.read(case)["stage"] == lead.read(case)["stage"] == "referral"


def test_case_that_is_suspended_again_is_judged_anew(
    lead: Someone, shelter: Someone, sought: Json
) -> None:
    unwrap(lead.does("resume", sought))
    refer_and_accept(lead, shelter, sought)

    assert unwrap(lead.does("suspend", sought, REST))["stage"] == "assistance"


def test_lists_by_stage_find_a_suspended_case_where_it_is_shown(
    officer: Someone, lead: Someone, sought: Json, found: Json
) -> None:
    for who in (officer, lead):
        assert list_codes(who, "referral") == [sought["code"]]
        assert list_codes(who, "assistance") == [found["code"]]
        assert list_codes(who, "referral", "assistance") == [sought["code"], found["code"]]
        assert list_codes(who, "referral", state="suspended") == [sought["code"]]
        assert list_codes(who, "referral", state="referring") == []
        assert list_codes(who, "closure", "identification") == []


def test_migration_fills_the_stage_of_cases_that_are_suspended_already(
    world: World, lead: Someone, sought: Json, found: Json
) -> None:
    migrations.downgrade(world.url, "0031")
    migrations.upgrade(world.url)
    protect_rows(world.runtime)

    stages = [lead.read(case)["stage"] for case in (sought, found)]
    assert stages == ["referral", "assistance"]
