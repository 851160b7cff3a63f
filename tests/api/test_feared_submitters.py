"""A submitter that the person fears cannot withdraw the person's consents (ADR 53)."""

from typing import Any

import pytest
from sqlalchemy import select

from app.notifications.models import Notification
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

WOMEN = "KZ_SHELTER_KOGERSHIN"
AT = "2026-06-01T13:00:00Z"
FEARS: list[Json] = [
    {"unsafe_focal_points": ["UZ_CONSULATE_ALMATY"]},
    {"origin_contact": "blocked", "fear_of_state": True},
    {"seeks_asylum": True},
]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case with a lead and with two consents that the submitter recorded."""
    return lead.take_lead(officer.submit(consents=[make_consent(), make_service_consent()]))


@pytest.fixture
def shelter_referral(lead: Someone, shelter: Someone, case: Json) -> Json:
    """Return a referral to a shelter that has begun to help."""
    sent = unwrap(lead.refer(case, WOMEN))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    return unwrap(shelter.does("start", sent, {"person_met": True}))


def put_safeguards(lead: Someone, case: Json, **safeguards: Any) -> None:
    """Replace the safeguards of a case as the lead."""
    path, match = f"{get_path(case)}/safeguards", {"If_Match": lead.get_tag(case)}
    body = {"country_of_origin": "UZ"} | safeguards
    unwrap(lead.ask("PUT", path, body, headers=match))


def withdraw_consents(who: Someone, case: Json) -> tuple[int, str]:
    body = {"purposes": ["SHELTER", "REFER"]}
    answer = who.send(f"{get_path(case)}/consents/withdraw", body)
    return answer.status_code, answer.text


def list_withdrawal_times(who: Someone, case: Json) -> list[str | None]:
    """Return the withdrawal time of each consent of a case, as shown to an office."""
    found = unwrap(who.get(f"{get_path(case)}/consents"))["items"]
    return [one["withdrawn_at"] for one in found]


@pytest.mark.parametrize("safeguards", FEARS)
def test_feared_submitter_cannot_end_help_with_a_withdrawal(
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    shelter_referral: Json,
    safeguards: Json,
) -> None:
    case = {"code": shelter_referral["case"]}
    put_safeguards(lead, case, **safeguards)

    answer = withdraw_consents(officer, case)

    assert answer == (204, "")
    assert lead.read(shelter_referral)["state"] == "in_progress"
    assert lead.read(case)["state"] == "assisting"
    assert list_withdrawal_times(lead, case) == [None, None]
    assert shelter.open(f"{get_path(case)}/sections/needs").is_success
    assert lead.open(f"{get_path(case)}/sections/contact").is_success


def test_lead_and_oversight_hear_what_a_feared_submitter_reported(
    world: World, officer: Someone, lead: Someone, shelter: Someone, shelter_referral: Json
) -> None:
    case = {"code": shelter_referral["case"]}
    watcher = world.add_person("OVERSIGHT_DEMO")
    put_safeguards(lead, case, **FEARS[0])
    everybody = (officer, lead, shelter, watcher)
    for who in everybody:
        who.poll()

    for _ in range(2):
        withdraw_consents(officer, case)

    ids = [one["id"] for one in unwrap(lead.get(f"{get_path(case)}/consents"))["items"]]
    expected = [
        ("consent.withdrawal_reported", officer.code, {"consent": one}) for one in ids
    ]
    events = [[(e["type"], e["by"], e["facts"]) for e in who.poll()] for who in everybody]
    assert events == [[], expected, [], expected]


def test_lead_and_oversight_are_called_on_once_when_a_feared_submitter_reports(
    world: World, officer: Someone, lead: Someone, shelter_referral: Json
) -> None:
    case = {"code": shelter_referral["case"]}
    watcher = world.add_person("OVERSIGHT_DEMO")
    put_safeguards(lead, case, **FEARS[0])
    before = unwrap(officer.get(f"{get_path(case)}/evidence"))

    for _ in range(2):
        withdraw_consents(officer, case)

    with world.database.begin_read() as session:
        query = select(Notification).where(
            Notification.why == "consent.withdrawal_reported"
        )
        offices = [one.focal_point_id for one in session.scalars(query)]
    assert sorted(set(offices)) == sorted([lead.id, watcher.id])
    assert unwrap(officer.get(f"{get_path(case)}/evidence")) == before


def test_feared_submitter_sees_the_withdrawal_that_it_reported(
    world: World, officer: Someone, lead: Someone, shelter_referral: Json
) -> None:
    case = {"code": shelter_referral["case"]}
    put_safeguards(lead, case, **FEARS[0])
    [first, second] = unwrap(officer.get(f"{get_path(case)}/consents"))["items"]
    world.advance(hours=1)

    one = f"{get_path(case)}/consents/{second['id']}/withdraw"
    shown = unwrap(officer.send(one))
    world.advance(hours=1)
    again = unwrap(officer.send(one))

    assert (first["withdrawn_at"], second["withdrawn_at"]) == (None, None)
    assert shown == again == second | {"withdrawn_at": AT}
    assert list_withdrawal_times(officer, case) == [None, AT]
    assert list_withdrawal_times(lead, case) == [None, None]


def test_withdrawal_counts_once_the_lead_heard_it_from_the_person(
    world: World, officer: Someone, lead: Someone, shelter: Someone, shelter_referral: Json
) -> None:
    case = {"code": shelter_referral["case"]}
    put_safeguards(lead, case, **FEARS[0])
    world.advance(hours=1)
    withdraw_consents(officer, case)
    world.advance(hours=1)

    assert withdraw_consents(lead, case) == (204, "")

    later = "2026-06-01T14:00:00Z"
    assert shelter.read(shelter_referral)["state"] == "withdrawn"
    assert list_withdrawal_times(lead, case) == [later, later]
    assert list_withdrawal_times(officer, case) == [AT, AT]


def test_whoever_else_helps_still_takes_back_at_once_in_a_case_with_a_fear(
    lead: Someone, shelter: Someone, shelter_referral: Json
) -> None:
    case = {"code": shelter_referral["case"]}
    put_safeguards(lead, case, **FEARS[0])

    assert withdraw_consents(shelter, case) == (204, "")

    assert shelter.read(shelter_referral)["state"] == "withdrawn"
