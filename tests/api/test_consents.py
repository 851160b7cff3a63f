"""Tests of consents: what they permit, and how soon a withdrawal takes effect."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    ALL_SECTIONS,
    NOON,
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_recipient,
    make_service_consent,
    unwrap,
    unwrap_only,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
NO: Json = {"reason": "NO_CAPACITY"}
CLASS_AND_OFFICE = make_recipient() | {"focal_point": "IOM"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and consents to referral, shelter and legal aid."""
    return lead.take_lead(officer.submit())


def get_consents_path(case: Json, one: Json | None = None) -> str:
    tail = f"/{one['id']}/withdraw" if one else ""
    return f"/cases/{case['code']}/consents{tail}"


def list_consents(who: Someone, case: Json) -> list[Json]:
    return list(unwrap(who.get(get_consents_path(case)))["items"])


def get_consent(who: Someone, case: Json, purpose: str) -> Json:
    """Return the only consent for a purpose."""
    [found] = [one for one in list_consents(who, case) if purpose in one["purposes"]]
    return found


def record_consent(who: Someone, case: Json, **changes: Any) -> Json:
    given = make_service_consent(**changes)
    return unwrap_only(who.create(get_consents_path(case), given))


def test_a_consent_is_recorded_as_the_person_gave_it(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    given = make_service_consent(interpreter=True, evidence="Signed before a witness")

    answer = officer.create(get_consents_path(case), given)

    shown = unwrap_only(answer)
    assert answer.status_code == 201
    named = {"kind": "non_state", "country": "KZ", "function": None}
    assert shown["recipient_class"] == named
    assert shown["sections"] == sorted(ALL_SECTIONS)
    assert shown["interpreter"]
    assert shown["withdrawn_at"] is None
    assert "evidence" not in shown
    assert list_consents(officer, case) == [shown]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (make_consent(recipients=[CLASS_AND_OFFICE]), (422, "request-invalid")),
        (make_consent(focal_point=None), (422, "request-invalid")),
        (make_consent(purposes=[]), (422, "request-invalid")),
        (make_consent(purposes=["ADOPTION"]), (422, "request-invalid")),
        (make_consent(sections=["everything"]), (422, "request-invalid")),
        (make_consent(focal_point="NOBODY_AT_ALL"), (422, "focal-point-unknown")),
        (make_consent(expires_at="2026-06-01T12:00:00Z"), (422, "consent-ended")),
        (make_consent(obtained_on="2026-06-03"), (422, "consent-ended")),
        (make_consent(obtained_on=1780000000), (422, "request-invalid")),
        (make_consent(expires_at=1880000000), (422, "request-invalid")),
        (make_consent(expires_at="2100-01-01T00:00:00Z"), (422, "request-invalid")),
        (make_consent(expires_at="1999-12-31T00:00:00Z"), (422, "request-invalid")),
        (make_consent(interpreter="true"), (422, "request-invalid")),
    ],
    ids=[
        "class and office",
        "no recipient",
        "no purpose",
        "unknown purpose",
        "unknown section",
        "unknown office",
        "expired",
        "obtained later",
        "day as number",
        "instant as number",
        "too late",
        "too early",
        "boolean as text",
    ],
)
def test_a_consent_that_means_nothing_is_refused(
    officer: Someone, given: Json, answer: tuple[int, str]
) -> None:
    case = unwrap(officer.create_case(consents=[]))

    assert get_problem(officer.create(get_consents_path(case), given)) == answer
    assert list_consents(officer, case) == []


@pytest.mark.parametrize(("hours", "status"), [(0, 201), (-2, 201), (-3, 422)])
def test_a_consent_is_of_today_where_today_begins_first(
    world: World, officer: Someone, hours: int, status: int
) -> None:
    case = unwrap(officer.create_case(consents=[]))
    world.advance(hours=hours)

    given = officer.create(get_consents_path(case), make_consent(obtained_on="2026-06-02"))

    assert given.status_code == status


def test_a_consent_is_recorded_once_however_often_it_is_sent(officer: Someone) -> None:
    case, key = unwrap(officer.create_case(consents=[])), str(uuid4())
    first = officer.create(get_consents_path(case), make_consent(), key)

    again = officer.create(get_consents_path(case), make_consent(), key)
    unkeyed = officer.send(get_consents_path(case), make_consent())

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert get_problem(unkeyed) == (400, "idempotency-key-missing")
    assert len(list_consents(officer, case)) == 1


def test_the_submitter_records_until_the_lead_accepts_then_the_lead(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    early = lead.create(get_consents_path(case), make_consent())
    recorded = officer.create(get_consents_path(case), make_consent())
    lead.take_lead(case)

    late = officer.create(get_consents_path(case), make_consent())

    assert get_problem(early) == get_problem(late) == (403, "action-not-yours")
    assert recorded.status_code == 201
    assert lead.create(get_consents_path(case), make_consent()).status_code == 201


def test_recording_takes_a_role(world: World, lead: Someone, case: Json) -> None:
    second = world.add_person(lead.code, {Role.SUPERVISOR})

    assert get_problem(second.create(get_consents_path(case), make_consent())) == (
        403,
        "role-missing",
    )


def test_nobody_records_in_a_case_that_has_ended(officer: Someone) -> None:
    case = officer.submit()
    unwrap(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))

    refused = officer.create(get_consents_path(case), make_consent())

    assert get_problem(refused) == (409, "action-illegal")


def test_the_lead_sees_all_a_submitter_its_own_a_recipient_those_that_name_it(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    later = unwrap_only(
        lead.create(get_consents_path(case), make_consent(focal_point="KZ_LEGAL_AID"))
    )
    unwrap(lead.refer(case, SHELTER))

    seen = {one["id"] for one in list_consents(lead, case)}

    assert len(seen) == 3
    assert {one["id"] for one in list_consents(officer, case)} == seen - {later["id"]}
    assert [one["purposes"] for one in list_consents(shelter, case)] == [
        ["LEGAL_AID", "SHELTER"]
    ]
    assert get_problem(lawyer.get(get_consents_path(case))) == (404, "not-found")


def test_a_submitter_does_not_find_a_consent_that_the_lead_recorded(
    officer: Someone, lead: Someone, case: Json
) -> None:
    later = unwrap_only(
        lead.create(get_consents_path(case), make_consent(focal_point="KZ_LEGAL_AID"))
    )

    assert get_problem(officer.send(get_consents_path(case, later))) == (404, "not-found")


def test_a_stranger_hears_what_a_case_that_is_not_there_would_say(
    stranger: Someone, officer: Someone, case: Json
) -> None:
    given = list_consents(officer, case)[0]

    answers = [
        stranger.get(get_consents_path(case)),
        stranger.create(get_consents_path(case), make_consent()),
        stranger.send(get_consents_path(case, given)),
    ]

    assert {get_problem(answer) for answer in answers} == {(404, "not-found")}


def test_oversight_sees_no_consent_and_withdraws_none(
    world: World, lead: Someone, case: Json
) -> None:
    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    given = list_consents(lead, case)[0]

    assert list_consents(oversight, case) == []
    assert get_problem(oversight.send(get_consents_path(case, given))) == (404, "not-found")


def test_the_desk_is_told_the_notice_and_no_consent(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.does("decline-lead", case, NO)
    desk = world.add_person("DESK_CENTRAL_ASIA")

    assert desk.read(case)["you_are"] == ["desk"]
    assert list_consents(desk, case) == []


@pytest.mark.parametrize("who", ["officer", "lead", "shelter"])
def test_any_party_that_sees_a_consent_records_that_it_was_taken_back(
    request: pytest.FixtureRequest, lead: Someone, shelter: Someone, case: Json, who: str
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    party: Someone = request.getfixturevalue(who)

    taken = unwrap(party.send(get_consents_path(case, get_consent(party, case, "SHELTER"))))

    assert taken["withdrawn_at"] == "2026-06-01T12:00:00Z"
    assert shelter.read(sent)["state"] == "withdrawn"


@pytest.mark.parametrize("role", Role)
def test_taking_back_takes_a_role_that_works_on_cases(
    world: World, officer: Someone, case: Json, role: Role
) -> None:
    given = get_consent(officer, case, "SHELTER")

    answer = world.add_person("KZ_LEAD", {role}).send(get_consents_path(case, given))

    works = role in {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR}
    assert works == answer.is_success
    kept_out = role in {Role.ADMINISTRATOR, Role.ANALYST}
    why = "forbidden" if kept_out else "role-missing"
    assert works or get_problem(answer) == (403, why)


def test_a_no_is_never_out_of_date(officer: Someone, lead: Someone, case: Json) -> None:
    given = get_consent(officer, case, "SHELTER")
    old = officer.get_tag(case)
    record_consent(lead, case)

    unasked = officer.send(get_consents_path(case, given))
    stale = officer.send(get_consents_path(case, given), if_match=old)

    assert (unasked.status_code, stale.status_code) == (200, 200)


def test_taking_back_twice_is_as_good_as_once(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    given = get_consent(officer, case, "SHELTER")
    first = unwrap(officer.send(get_consents_path(case, given)))
    version = lead.read(case)["version"]
    world.advance(hours=1)

    again = unwrap(officer.send(get_consents_path(case, given)))

    assert again == first
    assert lead.read(case)["version"] == version
    assert list_types(lead.poll()).count("consent.withdrawn") == 1


def test_a_consent_of_another_case_or_of_none_is_not_there(
    officer: Someone, case: Json
) -> None:
    other = officer.submit()
    foreign = list_consents(officer, other)[0]

    for one in (foreign, {"id": str(uuid4())}):
        assert get_problem(officer.send(get_consents_path(case, one))) == (404, "not-found")
    assert list_consents(officer, other)[0]["withdrawn_at"] is None


def test_a_recipient_does_not_find_a_consent_that_does_not_name_it(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, SHELTER))
    to_refer = get_consent(officer, case, "REFER")

    assert get_problem(shelter.send(get_consents_path(case, to_refer))) == (
        404,
        "not-found",
    )


@pytest.mark.parametrize("steps", [[], ["acknowledge"], ["accept"], ["accept", "start"]])
def test_what_rests_on_a_consent_ends_with_it_at_once(
    lead: Someone, shelter: Someone, case: Json, steps: list[str]
) -> None:
    bodies = {"accept": make_acceptance(), "start": {"person_met": True}}
    sent = unwrap(lead.refer(case, SHELTER))
    for step in steps:
        unwrap(shelter.does(step, sent, bodies.get(step)))
    shelter.poll()

    unwrap(lead.send(get_consents_path(case, get_consent(lead, case, "SHELTER"))))

    ended = lead.read(sent)
    assert (ended["state"], ended["reason"]) == ("withdrawn", "CONSENT_WITHDRAWN")
    assert shelter.read(sent)["reason"] == "NO_LONGER_NEEDED"
    [event] = [one for one in shelter.poll() if one["type"] == "referral.withdrawn"]
    assert event["by"] is None
    assert lead.read(case)["state"] == "referring"


def test_what_was_never_sent_and_what_was_completed_stay_as_they_are(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    given = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", given, make_acceptance()))
    unwrap(shelter.does("start", given, {"person_met": True}))
    unwrap(shelter.does("complete", given, {"outcome": "delivered", "feedback": "Да"}))

    unwrap(lead.send(get_consents_path(case, get_consent(lead, case, "SHELTER"))))

    assert lead.read(draft)["state"] == "draft"
    assert lead.read(given)["state"] == "completed"
    assert get_problem(lead.does("send", draft)) == (409, "needs-unmet")


def test_what_another_consent_still_covers_goes_on(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    first = get_consent(lead, case, "SHELTER")
    record_consent(lead, case, purposes=["SHELTER"], sections=["needs"])

    unwrap(lead.send(get_consents_path(case, first)))

    assert shelter.read(sent)["state"] == "sent"
    assert shelter.open(f"/cases/{case['code']}/sections/needs").status_code == 200


def test_a_recipients_sections_are_shut_in_the_very_next_request(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER, sections=ALL_SECTIONS))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    sections = [f"/cases/{case['code']}/sections/{name}" for name in ALL_SECTIONS]
    before = {shelter.open(section).status_code for section in sections}

    unwrap(lead.send(get_consents_path(case, get_consent(lead, case, "SHELTER"))))

    after = {shelter.open(section).status_code for section in sections}
    assert (before, after) == ({200}, {404})


def test_the_leads_sections_are_shut_in_the_very_next_request(
    officer: Someone, lead: Someone, case: Json
) -> None:
    needs = f"/cases/{case['code']}/sections/needs"
    assert lead.open(needs).status_code == 200

    unwrap(officer.send(get_consents_path(case, get_consent(officer, case, "REFER"))))

    assert lead.open(needs).status_code == 404
    assert lead.read(case)["state"] == "referring"


def test_a_consent_runs_out_by_itself(
    world: World, officer: Someone, lead: Someone
) -> None:
    short = make_consent(expires_at="2026-06-02T12:00:00Z")
    case = lead.take_lead(officer.submit(consents=[short, make_service_consent()]))
    needs = f"/cases/{case['code']}/sections/needs"
    world.advance(hours=23, minutes=59)
    last = lead.open(needs).status_code

    world.advance(minutes=1)

    assert world.now.day == NOON.day + 1
    assert (last, lead.open(needs).status_code) == (200, 404)
    assert get_consent(lead, case, "REFER")["withdrawn_at"] is None


def test_the_keeper_is_told_that_something_was_allowed_or_not_and_no_more(
    officer: Someone, lead: Someone, case: Json
) -> None:
    officer.poll()
    lead.poll()
    given = record_consent(lead, case, evidence="Behind a door")

    unwrap(lead.send(get_consents_path(case, given)))

    recorded, withdrawn = lead.poll()
    assert list_types([recorded, withdrawn]) == ["consent.recorded", "consent.withdrawn"]
    assert recorded["facts"] == withdrawn["facts"] == {"consent": given["id"]}
    assert officer.poll() == []


def test_a_submitter_is_not_told_what_is_allowed_or_not_once_a_lead_has_the_case(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    unwrap(officer.create(get_consents_path(case), make_consent()))
    before = list_types(officer.poll()), list_types(lead.poll())
    lead.take_lead(case)

    unwrap(lead.send(get_consents_path(case, get_consent(lead, case, "SHELTER"))))

    assert before == (
        ["case.drafted", "case.submitted", "consent.recorded"],
        ["case.submitted", "consent.recorded"],
    )
    assert "consent.withdrawn" in list_types(lead.poll())
    assert "consent.withdrawn" not in list_types(officer.poll())


def test_what_a_recipient_takes_back_or_assesses_its_holder_alone_is_told(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit()
    unwrap(lead.refer(case, SHELTER))
    given = get_consent(shelter, case, "SHELTER")
    for who in (officer, lead, shelter):
        who.poll()

    unwrap(shelter.create(f"/cases/{case['code']}/risk-assessments", {"level": "high"}))
    unwrap(shelter.send(get_consents_path(case, given)))

    assert list_types(lead.poll()) == [
        "case.risk_assessed",
        "consent.withdrawn",
        "referral.withdrawn",
    ]
    assert list_types(officer.poll()) == []
    assert list_types(shelter.poll()) == ["referral.withdrawn"]


@pytest.mark.parametrize("ending", ["decline", "revoke"])
def test_whose_part_has_ended_sees_no_consent_withdraws_none_and_assesses_nothing(
    lead: Someone, shelter: Someone, case: Json, ending: str
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    given, risk = (
        get_consent(shelter, case, "SHELTER"),
        f"/cases/{case['code']}/risk-assessments",
    )
    unwrap(shelter.create(risk, {"level": "low"}))
    who, why = (shelter, NO) if ending == "decline" else (lead, {"reason": "DUPLICATE"})
    unwrap(who.does(ending, sent, why))

    hidden = (404, "not-found")
    assert get_problem(shelter.get(f"/cases/{case['code']}/consents")) == hidden
    assert get_problem(shelter.send(get_consents_path(case, given))) == hidden
    assert get_problem(shelter.create(risk, {"level": "low"})) == hidden
    assert get_consent(lead, case, "SHELTER")["withdrawn_at"] is None


def test_help_whose_own_consent_had_run_out_is_not_ended_by_another_withdrawal(
    world: World, officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    short = make_service_consent(purposes=["SHELTER"], expires_at="2026-06-02T00:00:00Z")
    law = make_service_consent(purposes=["LEGAL_AID"])
    case = lead.take_lead(officer.submit(consents=[make_consent(), short, law]))
    bed = unwrap(lead.refer(case, SHELTER))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    world.advance(hours=24)

    unwrap(lead.send(get_consents_path(case, get_consent(lead, case, "LEGAL_AID"))))

    assert shelter.read(bed)["state"] == "accepted"
    assert lawyer.read(advice)["state"] == "withdrawn"
