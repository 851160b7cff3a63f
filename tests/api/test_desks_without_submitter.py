"""A desk records the consent to a lead when the submitter cannot (ADR 47)."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from app.kernel.actors import Role
from tests.support.endings import end_last_account
from tests.support.stuck_cases import (
    NGOS,
    OLD_DESK,
    boss,
    desk,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    done,
    lacks,
    lead_consent,
    path_of,
    problem,
)

__all__ = ("boss", "desk")

AT_HOME: Final = consent(focal_point="UZ_LEAD")
"""A consent to an office that cannot lead a case in the country where the person is."""
CHOSEN: Final = {"reason": "LOCAL_KNOWLEDGE"}


@pytest.fixture
def case(officer: Someone) -> Json:
    """A case that a desk holds because no office can lead it."""
    found = officer.submits(consents=[AT_HOME])
    assert found["holder"] == OLD_DESK
    return found


def build_ngo_consent(**changes: Any) -> Json:
    """Return a consent to NGOs, as the desk records it for the submitter."""
    return lead_consent(**{"reason": "SUBMITTER_INACTIVE"} | changes)


def shut_submitter(world: World, officer: Someone) -> None:
    """Shut the office of the submitter."""
    world.shuts(officer.code)


@pytest.mark.parametrize("ends", [shut_submitter, end_last_account])
def test_two_people_of_the_desk_record_a_class_and_routing_asks_who_is_next(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    desk: Someone,
    boss: Someone,
    case: Json,
    ends: Callable[[World, Someone], None],
) -> None:
    ends(world, officer)
    assert actions(desk.sees(case))["record_lead_consent"]["open"] is True

    recorded = desk.does_with(boss, "record-lead-consent", case, build_ngo_consent())

    assert recorded.status_code == 204
    ngo = world.someone(NGOS[0])
    assert ngo.sees(case)["you_are"] == ["candidate"]
    assert done(ngo.does("acknowledge", case))["state"] == "under_review"


def test_submitter_that_acts_records_the_consent_itself(desk: Someone, case: Json) -> None:
    [lack] = actions(desk.sees(case))["record_lead_consent"]["unmet"]
    refused = desk.does("record-lead-consent", case, build_ngo_consent())

    assert (lack["need"], lack["by"]) == ("submitter_gone", "submitter")
    assert lacks(refused) == [("submitter_gone", "submitter")]


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"reason": "LEAD_INACTIVE"}, "reason"),
        ({"reason": "LEAD_SILENT"}, "reason"),
        ({"purposes": ["HANDOVER"]}, "consent_to_refer"),
    ],
)
def test_reason_and_purpose_have_to_fit_a_case_that_nobody_leads(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    desk: Someone,
    case: Json,
    changes: Json,
    lacking: str,
) -> None:
    shut_submitter(world, officer)

    refused = desk.does("record-lead-consent", case, build_ngo_consent(**changes))

    assert lacks(refused) == [(lacking, "desk")]


def test_reason_of_a_submitter_is_none_for_a_case_that_is_led(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    led = lead.leads(officer.submits())
    for office in (lead, officer):
        world.shuts(office.code)
    world.works()

    refused = desk.does("record-lead-consent", led, build_ngo_consent())

    assert problem(refused) == (409, "lead-not-failing")


def test_desk_assigns_none_of_the_class_but_who_is_named(
    world: World, officer: Someone, desk: Someone, boss: Someone, case: Json
) -> None:
    shut_submitter(world, officer)
    assert desk.does_with(boss, "record-lead-consent", case, build_ngo_consent()).is_success
    for code in NGOS:
        ngo = world.someone(code)
        assert ngo.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert desk.sees(case)["you_are"] == ["desk"]

    refused = desk.does("assign", case, CHOSEN | {"focal_point": NGOS[1]})
    taken = desk.does("assign", case, CHOSEN | {"focal_point": NGOS[0]})

    assert lacks(refused) == [("focal_point_chosen", "desk")]
    assert taken.status_code == 204


@pytest.mark.parametrize("fears", [True, False])
def test_case_stays_with_the_desk_where_nobody_of_the_class_is_safe_or_fits(
    world: World, officer: Someone, desk: Someone, boss: Someone, *, fears: bool
) -> None:
    guards: Json = {"country_of_origin": "UZ"}
    if fears:
        guards["unsafe_focal_points"] = [*NGOS]
    case = officer.submits(consents=[AT_HOME], safeguards=guards)
    for code in (officer.code, *(() if fears else NGOS)):
        world.shuts(code)

    recorded = desk.does_with(boss, "record-lead-consent", case, build_ngo_consent())

    assert recorded.status_code == 200
    assert (done(recorded)["state"], done(recorded)["you_are"]) == ("submitted", ["desk"])
    again = desk.does("record-lead-consent", case, build_ngo_consent())
    assert problem(again) == (409, "lead-consent-recorded")
    other = build_ngo_consent(kind="state")
    assert desk.does_with(boss, "record-lead-consent", case, other).status_code == 204
    assert world.someone("KZ_LEAD").sees(case)["you_are"] == ["candidate"]


@pytest.mark.parametrize("contact", ["undecided", "permitted"])
def test_state_of_origin_is_asked_only_if_contact_is_permitted(
    world: World, officer: Someone, contact: str
) -> None:
    guards = {"country_of_origin": "UZ", "origin_contact": contact}
    elsewhere = consent(focal_point="KZ_LEAD")
    case = officer.submits(
        consents=[elsewhere], safeguards=guards, notice={"country": "UZ"}
    )
    holder = world.someone(case["holder"])
    second = world.someone(case["holder"], {Role.SUPERVISOR})
    shut_submitter(world, officer)

    recorded = holder.does_with(
        second, "record-lead-consent", case, build_ngo_consent(kind="state")
    )

    assert recorded.status_code == (204 if contact == "permitted" else 200)
    shown = world.someone("UZ_LEAD").get(path_of(case))
    assert shown.is_success is (contact == "permitted")


def test_oversight_hears_what_the_desk_recorded(
    world: World, officer: Someone, desk: Someone, boss: Someone, case: Json
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    watcher.hears()
    shut_submitter(world, officer)

    assert desk.does_with(boss, "record-lead-consent", case, build_ngo_consent()).is_success

    event = "case.lead_consent_recorded"
    [told] = [one for one in watcher.hears() if one["type"] == event]
    facts = {name: told["facts"][name] for name in ("reason", "kind", "country")}
    assert told["by"] == OLD_DESK
    assert facts == {"reason": "SUBMITTER_INACTIVE", "kind": "non_state", "country": "KZ"}
