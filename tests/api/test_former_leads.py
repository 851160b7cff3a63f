"""Tests that a former lead reads only the content that it wrote or sent (ADR 57)."""

from uuid import uuid4

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HIDDEN = (404, "not-found")
ASK: Json = {"topics": ["needs"], "question": "Does she take medicine?"}


@pytest.fixture
def iom(world: World) -> Someone:
    return world.add_person("IOM")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case led by Kazakhstan, with consents to a handover to IOM and back."""
    given = [make_consent(), make_service_consent()]
    given += [make_handover_consent(to) for to in ("IOM", "KZ_LEAD")]
    return lead.take_lead(officer.submit(consents=given))


def hand_over(world: World, giver: Someone, taker: Someone, case: Json) -> None:
    """Hand the case over, and let a minute pass before and after the handover."""
    world.advance(minutes=1)
    offered = unwrap(giver.offer(case, taker.code))
    unwrap(taker.does("accept", offered, make_takeover()))
    world.advance(minutes=1)


def list_stages(who: Someone, referral: Json) -> list[list[str]]:
    found = unwrap(who.get(f"{get_path(referral)}/evidence"))["items"]
    return [[stage["name"] for stage in one["statuses"]] for one in found]


def list_notes(who: Someone, record: Json) -> list[str]:
    path = f"{get_path(record)}/notes"
    return [one["text"] for one in unwrap(who.open(path))["items"]]


def test_evidence_of_a_referral_that_it_sent_ends_with_the_handover(
    world: World, lead: Someone, shelter: Someone, iom: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    world.advance(minutes=1)
    unwrap(shelter.does("acknowledge", referral))
    before = unwrap(lead.get(f"{get_path(referral)}/evidence"))

    hand_over(world, lead, iom, case)
    after = unwrap(lead.get(f"{get_path(referral)}/evidence"))
    unwrap(shelter.does("accept", referral, make_acceptance()))

    assert after == before
    assert before["items"][0]["recipient"] == SHELTER
    assert unwrap(lead.get(f"{get_path(referral)}/evidence")) == before
    assert "decided" not in list_stages(lead, referral)[0]
    assert "decided" in list_stages(iom, referral)[0]
    for path in ("", "/arrangement"):
        assert get_problem(lead.open(f"{get_path(referral)}{path}")) == HIDDEN


def test_missed_deadline_and_notification_after_the_handover_are_not_shown(
    world: World, lead: Someone, iom: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    world.run_worker()
    before = unwrap(lead.get(f"{get_path(referral)}/evidence"))
    hand_over(world, lead, iom, case)

    world.wait(days=3)

    assert unwrap(iom.get(f"{get_path(referral)}/evidence"))["items"][0]["missed_deadlines"]
    assert unwrap(lead.get(f"{get_path(referral)}/evidence")) == before


def test_referral_of_the_new_lead_looks_like_one_that_does_not_exist(
    world: World, lead: Someone, iom: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    hand_over(world, lead, iom, case)
    later = unwrap(iom.refer(case, SHELTER))
    unwrap(iom.does("revoke", later, {"reason": "SENT_IN_ERROR"}))
    unwrap(iom.does("send", draft))

    for path in ("evidence", "notes"):
        assert get_problem(lead.open(f"{get_path(later)}/{path}")) == HIDDEN
        assert get_problem(lead.open(f"/referrals/{uuid4()}/{path}")) == HIDDEN
    assert list_stages(lead, draft) == []


def test_its_own_answers_and_notes_of_a_referral_and_no_others(
    world: World, lead: Someone, shelter: Someone, iom: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("ask", referral, ASK))
    unwrap(lead.does("answer", referral, {"answer": "None that we know"}))
    assert set(list_notes(lead, referral)) == {ASK["question"], "None that we know"}

    hand_over(world, lead, iom, case)
    unwrap(shelter.does("ask", referral, ASK | {"question": "Since when?"}))
    unwrap(iom.does("answer", referral, {"answer": "Since May"}))

    assert list_notes(lead, referral) == ["None that we know"]
    assert len(list_notes(iom, referral)) == 4
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    assert list_notes(supervisor, referral) == []
    log = unwrap(iom.open(f"{get_path(case)}/access-log", "protection"))["items"]
    entries = [e for e in log if e["focal_point"] == "KZ_LEAD" and e["subject"] == "note"]
    assert [entry["allowed"] for entry in entries][-2:] == [True, False]


def test_screening_that_it_recorded_and_no_other(
    world: World, lead: Someone, iom: Someone, case: Json
) -> None:
    mine = unwrap(lead.screen(case))
    hand_over(world, lead, iom, case)
    theirs = unwrap(iom.screen(case))
    path = f"{get_path(case)}/screenings"

    listed = unwrap(lead.get(path))["items"]

    assert [one["id"] for one in listed] == [mine["id"]]
    assert lead.open(f"{path}/{mine['id']}").is_success
    assert get_problem(lead.open(f"{path}/{theirs['id']}")) == HIDDEN
    assert get_problem(lead.open(f"{path}/{uuid4()}")) == HIDDEN


def test_safeguards_and_contacts_that_it_wrote_stay_closed(
    world: World, lead: Someone, iom: Someone, case: Json
) -> None:
    seen = {"If_Match": lead.get_tag(case)}
    guards = {"unsafe_people": "Her uncle", "country_of_origin": "UZ"}
    path = get_path(case)
    unwrap(lead.ask("PUT", f"{path}/safeguards", guards, headers=seen))

    hand_over(world, lead, iom, case)

    for part in ("safeguards", "contacts"):
        assert get_problem(lead.open(f"{path}/{part}")) == HIDDEN


def test_fear_of_the_former_lead_changes_nothing_that_it_reads(
    world: World, lead: Someone, shelter: Someone, iom: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("ask", referral, ASK))
    unwrap(lead.does("answer", referral, {"answer": "None that we know"}))
    hand_over(world, lead, iom, case)
    before = list_notes(lead, referral), list_stages(lead, referral)
    seen = {"If_Match": iom.get_tag(case)}
    guards = {"unsafe_focal_points": ["KZ_LEAD"], "country_of_origin": "KZ"}

    unwrap(iom.ask("PUT", f"{get_path(case)}/safeguards", guards, headers=seen))

    assert (list_notes(lead, referral), list_stages(lead, referral)) == before
    [found] = unwrap(lead.get(f"{get_path(referral)}/evidence"))["items"]
    assert found["recipient"] == SHELTER


def test_office_that_leads_again_reads_the_present_and_later_up_to_its_last_end(
    world: World, lead: Someone, shelter: Someone, iom: Someone, case: Json
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    hand_over(world, lead, iom, case)
    unwrap(shelter.does("acknowledge", referral))
    hand_over(world, iom, lead, case)
    assert "acknowledged" in list_stages(lead, referral)[0]
    unwrap(lead.create(f"{get_path(case)}/consents", make_handover_consent("IOM")))

    hand_over(world, lead, iom, case)
    unwrap(shelter.does("accept", referral, make_acceptance()))

    assert "acknowledged" in list_stages(lead, referral)[0]
    assert "decided" not in list_stages(lead, referral)[0]
