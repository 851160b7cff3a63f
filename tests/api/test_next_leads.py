"""Tests of the next lead that routing names after a desk has recorded a consent."""

import pytest
from httpx2 import Response
from sqlalchemy import update

from app.directory.models import Country
from tests.support.stuck_cases import (
    NGOS,
    STATE_ALONE,
    boss,
    desk,
    giving,
    records,
    refuses_all,
    strand,
    stuck,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    lacks,
    lead_consent,
    path_of,
    problem,
)

__all__ = ("boss", "desk", "stuck")


def get_comparable_body(answer: Response) -> Json:
    """Return an answer without its case code."""
    return {k: v for k, v in done(answer).items() if k != "code"}


def test_that_nobody_is_safe_reads_like_that_nobody_fits(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    fearing = {"country_of_origin": "UZ", "unsafe_focal_points": [*NGOS]}
    feared = lead.leads(officer.submits(consents=STATE_ALONE, safeguards=fearing))
    plain = lead.leads(officer.submits(consents=STATE_ALONE))
    world.shuts("KZ_LEAD")
    world.works()
    shown = [
        get_comparable_body(
            desk.does_with(boss, "record-lead-consent", feared, lead_consent())
        )
    ]
    for one in NGOS:
        world.shuts(one)

    shown.append(
        get_comparable_body(
            desk.does_with(boss, "record-lead-consent", plain, lead_consent())
        )
    )

    assert shown[0] == shown[1]
    assert shown[0]["next_lead"] is None
    for one in NGOS:
        world.shuts(one, active=True)
    refuses_all(desk, feared, *NGOS)


def test_who_is_feared_is_passed_over(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [NGOS[0]]}
    case = strand(world, officer, lead, safeguards=guards)

    assert records(desk, boss, case)["next_lead"] == NGOS[1]
    refuses_all(desk, case, NGOS[0])


def test_a_made_up_approval_tells_nothing_of_who_is_feared(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["PARTNERSHIP_IN_ACTION"]}
    case = strand(world, officer, lead, safeguards=guards)
    records(desk, boss, case)
    nothing = "00000000-0000-4000-8000-000000000000"

    told = {
        problem(desk.does("take-over", case, giving(one), approval=nothing))
        for one in (*NGOS, "IOM")
    }

    assert told == {(409, "approval-unusable")}


def test_a_turn_that_passes_while_the_second_person_decides_is_kept(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    stuck = strand(world, officer, lead, notice={"services": []})
    first = records(desk, boss, stuck, kind="intergovernmental")["next_lead"]
    asked = done(desk.does("take-over", stuck, giving(first)))
    done(boss.post(f"/approvals/{asked['id']}/approve"))
    refuses_all(desk, stuck, "UNHCR")
    done(world.someone(first).ask("PUT", f"/focal-points/{first}/capacity", {"free": 0}))
    then = desk.sees(stuck)["next_lead"]
    refuses_all(desk, stuck, first)

    moved = desk.does("take-over", stuck, giving(first), approval=asked["id"])

    assert (first, then) == ("IOM", "UNHCR")
    assert moved.status_code == 204


def test_a_class_that_the_person_takes_back_names_nobody(
    officer: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    records(desk, boss, stuck)
    done_ = officer.post(f"{path_of(stuck)}/consents/withdraw", {"purposes": ["REFER"]})

    assert done_.status_code == 204
    assert desk.sees(stuck)["next_lead"] is None
    refuses_all(desk, stuck, *NGOS)
    assert records(desk, boss, stuck, kind="intergovernmental")["next_lead"] == "IOM"


def test_a_state_whose_route_is_avoided_is_named_where_there_is_no_other(
    world: World, officer: Someone, desk: Someone, boss: Someone
) -> None:
    ngo = world.someone(NGOS[0])
    case = strand(world, officer, ngo, consents=[consent(focal_point=NGOS[0])])
    with world.database.writing() as session:
        there = Country.iso2 == "KZ"
        session.execute(update(Country).where(there).values(state_routing="avoid"))

    assert records(desk, boss, case, kind="state")["next_lead"] == "KZ_LEAD"


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
    case = lead.leads(officer.submits(consents=STATE_ALONE, safeguards=guards))
    done(lead.does("relocate", case, {"country": "UZ"}))
    world.shuts(lead.code)
    world.works()

    assert records(desk, boss, case, kind="state")["next_lead"] == named
    if named is None:
        refuses_all(desk, case, "UZ_LEAD")


def test_who_became_feared_while_the_second_person_decided_is_not_given_the_case(
    lead: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    first = records(desk, boss, stuck)["next_lead"]
    asked = done(desk.does("take-over", stuck, giving(first)))
    done(boss.post(f"/approvals/{asked['id']}/approve"))
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [first]}
    match = {"If-Match": lead.tag(stuck)}
    done(lead.ask("PUT", f"{path_of(stuck)}/safeguards", guards, headers=match))

    refused = desk.does("take-over", stuck, giving(first), approval=asked["id"])

    assert lacks(refused) == [("focal_point_chosen", "desk")]
    assert desk.sees(stuck)["next_lead"] == NGOS[1]


def test_who_has_led_the_case_comes_after_who_has_not(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    records(desk, boss, stuck)
    desk.does_with(boss, "take-over", stuck, giving(NGOS[0]))
    world.shuts("KZ_LEAD", active=True)
    world.shuts(NGOS[0])
    world.works()
    desk.does_with(boss, "take-over", stuck, giving("KZ_LEAD"))
    world.shuts(NGOS[0], active=True)
    world.shuts("KZ_LEAD")
    world.works()

    assert desk.sees(stuck)["next_lead"] == NGOS[1]
