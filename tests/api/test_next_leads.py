"""Tests of the next lead that routing proposes after a desk has recorded a consent."""

import pytest
from httpx2 import Response
from sqlalchemy import update

from app.directory.models import Country, FocalPoint
from tests.support.directory_changes import update_directory
from tests.support.failing_leads import (
    NGOS,
    STATE_ALONE,
    boss,
    close_lead_office,
    desk,
    make_takeover,
    record_new_lead,
    require_all_refused,
    stuck,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    make_consent,
    make_lead_consent,
    unwrap,
)

__all__ = ("boss", "desk", "stuck")


def get_comparable_body(answer: Response) -> Json:
    """Return the body of a response without the case code."""
    return {k: v for k, v in unwrap(answer).items() if k != "code"}


def test_that_nobody_is_safe_reads_like_that_nobody_fits(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    fearing = {"country_of_origin": "UZ", "unsafe_focal_points": [*NGOS]}
    feared = lead.take_lead(officer.submit(consents=STATE_ALONE, safeguards=fearing))
    plain = lead.take_lead(officer.submit(consents=STATE_ALONE))
    world.close_office("KZ_LEAD")
    world.run_worker()
    shown = [
        get_comparable_body(
            desk.does_with(boss, "record-lead-consent", feared, make_lead_consent())
        )
    ]
    for one in NGOS:
        world.close_office(one)

    shown.append(
        get_comparable_body(
            desk.does_with(boss, "record-lead-consent", plain, make_lead_consent())
        )
    )

    assert shown[0] == shown[1]
    assert shown[0]["next_lead"] is None
    for one in NGOS:
        world.close_office(one, active=True)
    require_all_refused(desk, feared, *NGOS)


def test_who_is_feared_is_passed_over(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [NGOS[0]]}
    case = close_lead_office(world, officer, lead, safeguards=guards)

    assert record_new_lead(desk, boss, case)["next_lead"] == NGOS[1]
    require_all_refused(desk, case, NGOS[0])


def test_a_made_up_approval_tells_nothing_of_who_is_feared(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["PARTNERSHIP_IN_ACTION"]}
    case = close_lead_office(world, officer, lead, safeguards=guards)
    record_new_lead(desk, boss, case)
    nothing = "00000000-0000-4000-8000-000000000000"

    problems = {
        get_problem(desk.does("take-over", case, make_takeover(one), approval=nothing))
        for one in (*NGOS, "IOM")
    }

    assert problems == {(409, "approval-unusable")}


def test_a_turn_that_passes_while_the_second_person_decides_is_kept(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    stuck = close_lead_office(world, officer, lead, summary={"services": []})
    first = record_new_lead(desk, boss, stuck, kind="intergovernmental")["next_lead"]
    approval = unwrap(desk.does("take-over", stuck, make_takeover(first)))
    unwrap(boss.send(f"/approvals/{approval['id']}/approve"))
    require_all_refused(desk, stuck, "UNHCR")
    with world.database.begin_write() as session:
        named = update(FocalPoint).where(FocalPoint.code == "UNHCR")
        update_directory(session, named.values(languages=["uz"]))
    then = desk.read(stuck)["next_lead"]
    require_all_refused(desk, stuck, first)

    moved = desk.does("take-over", stuck, make_takeover(first), approval=approval["id"])

    assert (first, then) == ("IOM", "UNHCR")
    assert moved.status_code == 204


def test_a_class_that_the_person_takes_back_names_nobody(
    officer: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    record_new_lead(desk, boss, stuck)
    done_ = officer.send(f"{get_path(stuck)}/consents/withdraw", {"purposes": ["REFER"]})

    assert done_.status_code == 204
    assert desk.read(stuck)["next_lead"] is None
    require_all_refused(desk, stuck, *NGOS)
    assert (
        record_new_lead(desk, boss, stuck, kind="intergovernmental")["next_lead"] == "IOM"
    )


def test_a_state_whose_route_is_avoided_is_named_where_there_is_no_other(
    world: World, officer: Someone, desk: Someone, boss: Someone
) -> None:
    ngo = world.add_person(NGOS[0])
    case = close_lead_office(
        world, officer, ngo, consents=[make_consent(focal_point=NGOS[0])]
    )
    with world.database.begin_write() as session:
        there = Country.code == "KZ"
        update_directory(
            session, update(Country).where(there).values(state_routing="avoid")
        )

    assert record_new_lead(desk, boss, case, kind="state")["next_lead"] == "KZ_LEAD"


@pytest.mark.parametrize(
    ("contact", "named"), [("undecided", None), ("permitted", "UZ_LEAD")]
)
def test_the_state_of_origin_is_named_only_if_contact_is_permitted(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    desk: Someone,
    boss: Someone,
    contact: str,
    named: str | None,
) -> None:
    guards = {"country_of_origin": "UZ", "origin_contact": contact}
    case = lead.take_lead(officer.submit(consents=STATE_ALONE, safeguards=guards))
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    world.close_office(lead.code)
    world.run_worker()

    assert record_new_lead(desk, boss, case, kind="state")["next_lead"] == named
    if named is None:
        require_all_refused(desk, case, "UZ_LEAD")


def test_who_became_feared_while_the_second_person_decided_is_not_given_the_case(
    lead: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    first = record_new_lead(desk, boss, stuck)["next_lead"]
    approval = unwrap(desk.does("take-over", stuck, make_takeover(first)))
    unwrap(boss.send(f"/approvals/{approval['id']}/approve"))
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [first]}
    match = {"If-Match": lead.get_tag(stuck)}
    unwrap(lead.ask("PUT", f"{get_path(stuck)}/safeguards", guards, headers=match))

    refused = desk.does("take-over", stuck, make_takeover(first), approval=approval["id"])

    assert get_unmet(refused) == [("focal_point_chosen", "desk")]
    assert desk.read(stuck)["next_lead"] == NGOS[1]


def test_who_has_led_the_case_comes_after_who_has_not(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    record_new_lead(desk, boss, stuck)
    desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[0]))
    world.close_office("KZ_LEAD", active=True)
    world.close_office(NGOS[0])
    world.run_worker()
    desk.does_with(boss, "take-over", stuck, make_takeover("KZ_LEAD"))
    world.close_office(NGOS[0], active=True)
    world.close_office("KZ_LEAD")
    world.run_worker()

    assert desk.read(stuck)["next_lead"] == NGOS[1]
