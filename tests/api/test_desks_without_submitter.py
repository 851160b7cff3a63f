"""If the submitter is inactive, a desk records the person's consent to a lead (ADR 47)."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from app.kernel.actors import Role
from tests.support.endings import end_last_account
from tests.support.failing_leads import NGOS, OLD_DESK, boss, desk
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    make_consent,
    make_lead_consent,
    unwrap,
)

__all__ = ("boss", "desk")

AT_HOME: Final = make_consent(focal_point="UZ_LEAD")
"""A consent to an office that cannot lead a case in the country where the person is."""
CHOSEN: Final = {"reason": "LOCAL_KNOWLEDGE"}


@pytest.fixture
def case(officer: Someone) -> Json:
    """Return a case that a desk holds, because its consent names no possible lead."""
    found = officer.submit(consents=[AT_HOME])
    assert found["holder"] == OLD_DESK
    return found


def build_ngo_consent(**changes: Any) -> Json:
    """Return a consent to NGOs as leads, recorded because the submitter is inactive."""
    return make_lead_consent(**{"reason": "SUBMITTER_INACTIVE"} | changes)


def shut_submitter(world: World, officer: Someone) -> None:
    """Close the office of the submitter."""
    world.close_office(officer.code)


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
    assert get_actions(desk.read(case))["record_lead_consent"]["open"] is True

    recorded = desk.does_with(boss, "record-lead-consent", case, build_ngo_consent())

    assert recorded.status_code == 204
    ngo = world.add_person(NGOS[0])
    assert ngo.read(case)["you_are"] == ["candidate"]
    assert unwrap(ngo.does("acknowledge", case))["state"] == "under_review"


def test_submitter_that_acts_records_the_consent_itself(desk: Someone, case: Json) -> None:
    [lack] = get_actions(desk.read(case))["record_lead_consent"]["unmet"]
    refused = desk.does("record-lead-consent", case, build_ngo_consent())

    assert (lack["requirement"], lack["by"]) == ("submitter_gone", "submitter")
    assert get_unmet(refused) == [("submitter_gone", "submitter")]


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

    assert get_unmet(refused) == [(lacking, "desk")]


def test_reason_of_a_submitter_is_none_for_a_case_that_is_led(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    led = lead.take_lead(officer.submit())
    for office in (lead, officer):
        world.close_office(office.code)
    world.run_worker()

    refused = desk.does("record-lead-consent", led, build_ngo_consent())

    assert get_problem(refused) == (409, "lead-not-failing")


def test_desk_assigns_none_of_the_class_but_who_is_named(
    world: World, officer: Someone, desk: Someone, boss: Someone, case: Json
) -> None:
    shut_submitter(world, officer)
    assert desk.does_with(boss, "record-lead-consent", case, build_ngo_consent()).is_success
    for code in NGOS:
        ngo = world.add_person(code)
        assert ngo.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert desk.read(case)["you_are"] == ["desk"]

    refused = desk.does("assign", case, CHOSEN | {"focal_point": NGOS[1]})
    taken = desk.does("assign", case, CHOSEN | {"focal_point": NGOS[0]})

    assert get_unmet(refused) == [("focal_point_chosen", "desk")]
    assert taken.status_code == 204


@pytest.mark.parametrize("fears", [True, False])
def test_case_stays_with_the_desk_where_nobody_of_the_class_is_safe_or_fits(
    world: World, officer: Someone, desk: Someone, boss: Someone, *, fears: bool
) -> None:
    guards: Json = {"country_of_origin": "UZ"}
    if fears:
        guards["unsafe_focal_points"] = [*NGOS]
    case = officer.submit(consents=[AT_HOME], safeguards=guards)
    for code in (officer.code, *(() if fears else NGOS)):
        world.close_office(code)

    recorded = desk.does_with(boss, "record-lead-consent", case, build_ngo_consent())

    assert recorded.status_code == 200
    assert (unwrap(recorded)["state"], unwrap(recorded)["you_are"]) == (
        "submitted",
        ["desk"],
    )
    again = desk.does("record-lead-consent", case, build_ngo_consent())
    assert get_problem(again) == (409, "lead-consent-recorded")
    other = build_ngo_consent(kind="state")
    assert desk.does_with(boss, "record-lead-consent", case, other).status_code == 204
    assert world.add_person("KZ_LEAD").read(case)["you_are"] == ["candidate"]


@pytest.mark.parametrize("contact", ["undecided", "permitted"])
def test_state_of_origin_is_asked_only_if_contact_is_permitted(
    world: World, officer: Someone, contact: str
) -> None:
    guards = {"country_of_origin": "UZ", "origin_contact": contact}
    elsewhere = make_consent(focal_point="KZ_LEAD")
    case = officer.submit(
        consents=[elsewhere], safeguards=guards, summary={"country": "UZ"}
    )
    holder = world.add_person(case["holder"])
    second = world.add_person(case["holder"], {Role.SUPERVISOR})
    shut_submitter(world, officer)

    recorded = holder.does_with(
        second, "record-lead-consent", case, build_ngo_consent(kind="state")
    )

    assert recorded.status_code == (204 if contact == "permitted" else 200)
    shown = world.add_person("UZ_LEAD").get(get_path(case))
    assert shown.is_success is (contact == "permitted")


def test_oversight_hears_what_the_desk_recorded(
    world: World, officer: Someone, desk: Someone, boss: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    watcher.poll()
    shut_submitter(world, officer)

    assert desk.does_with(boss, "record-lead-consent", case, build_ngo_consent()).is_success

    event = "case.lead_consent_recorded"
    [last_event] = [one for one in watcher.poll() if one["type"] == event]
    facts = {name: last_event["facts"][name] for name in ("reason", "kind", "country")}
    assert last_event["by"] == OLD_DESK
    assert facts == {"reason": "SUBMITTER_INACTIVE", "kind": "non_state", "country": "KZ"}
