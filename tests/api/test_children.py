"""Tests of the rules for children, whose protection never waits for a guardian (BR14)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.cases.models import Case
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
    unwrap_only,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
GUARDIAN = {"given_by": "guardian_with_assent"}
ASSESSED: Json = {"name": "best_interests", "value": "assessed"}
NOT_NEEDED: Json = {"name": "best_interests", "value": "not_needed"}
DUE: Json = {"name": "best_interests", "value": "assessment_due"}
VITAL: Json = {"reason": "CHILD_UNPROTECTED", "note": "Alone at the station"}
SOON, LATER = "2026-06-10T12:00:00Z", "2026-06-11T12:00:00Z"
BEFORE_SOON = "2026-06-07T12:00:00Z"
RISK = "2026-06-08T12:00:00Z"
URGENT_SERVICES = ["CHILD_PROTECTION", "GUARDIANSHIP", "SHELTER", "MEDICAL"]


def new_child(**changes: object) -> Json:
    """Return the request body for the case of a child for whom nobody has consented."""
    summary = {"age_class": "child"} | dict(changes.pop("summary", {}))  # type: ignore[call-overload]
    return {"summary": summary, "consents": [], "vital_interest": VITAL} | changes


@pytest.fixture
def child_case(officer: Someone, lead: Someone) -> Json:
    """Return a case with a lead, about a child without a guardian."""
    return lead.take_lead(officer.submit(**new_child()))


def record_fact(who: Someone, case: Json, fact: Json) -> Json:
    return unwrap(who.create(f"{get_path(case)}/facts", fact))


def list_assessment_deadlines(who: Someone) -> list[str]:
    """Return the deadlines of an office to assess the best interests of a child."""
    return [until for _, kind, until in who.get_worklist() if kind == "assess_interests"]


@pytest.mark.parametrize("age", ["child", "presumed_child"])
def test_a_child_without_a_guardian_is_referred_on_what_is_best_for_it(
    officer: Someone, lead: Someone, age: str
) -> None:
    case = new_child(summary={"age_class": age}, vital_interest=None)
    draft = unwrap(officer.create_case(**case))
    early = officer.does("submit", draft)
    record_fact(officer, draft, ASSESSED)

    unwrap(officer.does("submit", draft))

    assert get_unmet(early) == [("consent_to_refer", "submitter")]
    others = early.json()["unmet"][0]["alternatives"]
    assert [lack["requirement"] for lack in others] == ["child_path", "vital_interest"]
    assert lead.read(draft)["you_are"] == ["candidate"]
    assert list_assessment_deadlines(lead) == []


def test_an_adult_has_no_such_path(officer: Someone) -> None:
    adult = new_child(summary={"age_class": "adult"}, vital_interest=None)
    draft = unwrap(officer.create_case(**adult))
    record_fact(officer, draft, ASSESSED)

    assert get_unmet(officer.does("submit", draft)) == [("consent_to_refer", "submitter")]


def test_no_step_of_the_lead_waits_for_a_guardian(
    world: World, lead: Someone, child_case: Json
) -> None:
    world.advance(hours=5)
    at = "2026-06-05T12:00:00Z"
    rest = {"reason": "SAFETY", "review_at": at}

    unwrap(lead.does("suspend", child_case, rest))
    unwrap(lead.does("resume", child_case))
    unwrap(lead.does("monitor", child_case, {}))
    unwrap(lead.does("reopen-assistance", child_case, {"reason": "NEW_NEED"}))
    unwrap(lead.does("stop", child_case, {"reason": "SURVIVOR_REQUEST"}))
    record_fact(lead, child_case, ASSESSED)

    reopened = unwrap(lead.does("reopen", child_case, {"reason": "NEW_NEED"}))
    assert reopened["state"] == "referring"


@pytest.mark.parametrize("service", URGENT_SERVICES)
def test_what_protects_a_child_goes_at_once_with_the_notice_alone(
    world: World, lead: Someone, shelter: Someone, child_case: Json, service: str
) -> None:
    world.advance(hours=5)

    with_needs = lead.refer(child_case, SHELTER, service=service)
    sent = unwrap(lead.refer(child_case, SHELTER, service=service, sections=[]))

    assert get_unmet(with_needs) == [("consent", "sender")]
    path = get_path(child_case)
    summary = unwrap(shelter.open(f"{path}/safety-alert"))["safety_alert"]
    assert summary == "Two men"
    assert shelter.open(f"{path}/sections/needs").status_code == 404
    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"


def test_anything_more_waits_until_its_best_interests_are_assessed(
    world: World, lead: Someone, child_case: Json
) -> None:
    world.advance(hours=5)
    ask = {"service": "LEGAL_AID", "sections": []}

    early = lead.refer(child_case, "KZ_LEGAL_AID", **ask)
    record_fact(lead, child_case, ASSESSED)

    assert get_unmet(early) == [("consent", "sender")]
    assert unwrap(lead.refer(child_case, "KZ_LEGAL_AID", **ask))["state"] == "sent"


def test_nothing_of_this_is_for_an_adult(officer: Someone, lead: Someone) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent()]))

    refused = lead.refer(case, SHELTER, sections=[])

    assert get_unmet(refused) == [("consent", "sender")]


def test_what_is_best_for_a_child_is_to_be_found_out_in_72_hours(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(**new_child())
    first = list_assessment_deadlines(lead)
    world.advance(hours=10)
    lead.take_lead(case)

    assert first == list_assessment_deadlines(lead) == ["2026-06-04T12:00:00Z"]
    [fact] = unwrap(lead.get(f"{get_path(case)}/facts"))["items"]
    assert (fact["value"], fact["recorded_by"]) == ("assessment_due", None)
    record_fact(lead, case, ASSESSED)
    assert list_assessment_deadlines(lead) == []


def test_the_time_runs_on_for_whoever_has_the_case(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(**new_child())
    world.advance(hours=10)
    lead.does("decline-lead", case, {"reason": "NO_CAPACITY"})

    holder = world.add_person(officer.read(case)["holder"])

    assert list_assessment_deadlines(lead) == []
    assert list_assessment_deadlines(holder) == ["2026-06-04T12:00:00Z"]


def test_a_guardians_yes_ends_the_time_and_its_no_begins_it_anew(
    world: World, lead: Someone, child_case: Json
) -> None:
    path = f"{get_path(child_case)}/consents"
    given = unwrap_only(lead.create(path, make_consent(**GUARDIAN)))
    allowed = list_assessment_deadlines(lead)
    world.advance(hours=1)

    unwrap(lead.send(f"{path}/{given['id']}/withdraw"))

    assert allowed == []
    assert list_assessment_deadlines(lead) == ["2026-06-04T13:00:00Z"]


def test_a_person_who_turns_out_to_be_a_child_is_treated_as_one_from_then_on(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    before = list_assessment_deadlines(lead)
    world.advance(hours=1)

    set_age_class(lead, case, "presumed_child")
    doubted = list_assessment_deadlines(lead)
    own = lead.refer(case, SHELTER)
    first = lead.refer(case, SHELTER, sections=[])
    set_age_class(lead, case, "adult")

    assert (before, doubted) == ([], ["2026-06-04T13:00:00Z"])
    assert get_unmet(own) == [("consent", "sender")]
    assert first.is_success
    assert list_assessment_deadlines(lead) == []


def test_to_say_again_that_it_is_due_gives_no_new_time(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(**new_child()))
    for _ in range(2):
        world.advance(hours=10)
        record_fact(lead, case, DUE)

    facts = unwrap(lead.get(f"{get_path(case)}/facts"))["items"]

    assert list_assessment_deadlines(lead) == ["2026-06-04T12:00:00Z"]
    assert [fact["due_at"] for fact in facts] == [None, None, "2026-06-04T12:00:00Z"]


def test_silence_about_a_child_is_counted_however_often_it_is_said_to_be_due(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(**new_child()))
    for _ in range(5):
        world.wait(days=2)
        record_fact(lead, case, DUE)

    assert list_missed_assessments(lead) == [1, 2, 3]


def list_missed_assessments(who: Someone) -> list[int]:
    """Return the number of misses in each event about an assessment of best interests."""
    events = [event["facts"] for event in who.poll()]
    return [one["missed"] for one in events if one.get("deadline") == "assess_interests"]


@pytest.mark.parametrize(
    ("days", "until"),
    [(1, "2026-06-04T12:00:00Z"), (7, "2026-06-08T12:00:00Z")],
    ids=["in time", "late already"],
)
def test_to_hold_a_child_for_an_adult_for_a_while_gives_no_new_time(
    world: World, lead: Someone, child_case: Json, days: int, until: str
) -> None:
    set_age_class(lead, child_case, "adult")
    meanwhile = list_assessment_deadlines(lead)
    world.advance(days=days)

    set_age_class(lead, child_case, "child")

    assert (meanwhile, list_assessment_deadlines(lead)) == ([], [until])


@pytest.mark.parametrize("between", ["a guardian's yes", "an assessment"])
def test_there_is_new_time_once_a_child_was_provided_for(
    world: World, lead: Someone, child_case: Json, between: str
) -> None:
    path = f"{get_path(child_case)}/consents"
    if between == "an assessment":
        record_fact(lead, child_case, ASSESSED)
    given = unwrap_only(lead.create(path, make_consent(**GUARDIAN)))
    set_age_class(lead, child_case, "adult")
    world.advance(days=1)
    unwrap(lead.send(f"{path}/{given['id']}/withdraw"))
    set_age_class(lead, child_case, "child")
    record_fact(lead, child_case, DUE)

    assert list_assessment_deadlines(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]


def test_nobody_says_that_a_child_needs_no_assessment(
    officer: Someone, lead: Someone, child_case: Json
) -> None:
    unsure = unwrap(officer.create_case(summary={"age_class": None}, consents=[]))
    early = officer.create(f"{get_path(unsure)}/facts", NOT_NEEDED)

    refused = lead.create(f"{get_path(child_case)}/facts", NOT_NEEDED)

    assert get_problem(early) == get_problem(refused) == (409, "assessment-required")
    assert list_assessment_deadlines(lead) == ["2026-06-04T12:00:00Z"]
    [fact] = unwrap(lead.get(f"{get_path(child_case)}/facts"))["items"]
    assert fact["value"] == "assessment_due"


def test_what_was_not_needed_for_an_adult_is_due_once_it_may_be_a_child(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    record_fact(lead, case, NOT_NEEDED)

    set_age_class(lead, case, "presumed_child")

    assert list_assessment_deadlines(lead) == ["2026-06-04T12:00:00Z"]
    facts = unwrap(lead.get(f"{get_path(case)}/facts"))["items"]
    assert [(fact["value"], fact["recorded_by"]) for fact in facts] == [
        ("not_needed", "KZ_LEAD"),
        ("assessment_due", None),
    ]


def set_age_class(who: Someone, case: Json, age_class: str) -> None:
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_path(case), {"age_class": age_class}, headers=seen))


def test_across_a_border_a_guardians_yes_to_referral_holds_no_more(
    officer: Someone, lead: Someone
) -> None:
    given = [make_consent(**GUARDIAN)]
    case = lead.take_lead(officer.submit(**new_child(consents=given, vital_interest=None)))
    before = list_assessment_deadlines(lead)

    unwrap(lead.does("relocate", case, {"country": "UZ"}))

    assert (before, list_assessment_deadlines(lead)) == ([], ["2026-06-04T12:00:00Z"])


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ([make_consent(**GUARDIAN, expires_at=SOON)], SOON),
        ([make_consent(**GUARDIAN, expires_at=end) for end in (LATER, SOON)], LATER),
    ],
    ids=["one", "the last of two"],
)
def test_a_guardians_yes_that_runs_out_begins_the_time_anew(
    world: World, officer: Someone, lead: Someone, given: list[Json], until: str
) -> None:
    case = lead.take_lead(officer.submit(**new_child(consents=given, vital_interest=None)))
    last_call = f"{datetime.fromisoformat(until) - timedelta(days=3):%FT%TZ}"
    ends = list_consent_deadlines(lead, case)
    before = list_assessment_deadlines(lead)
    world.now = datetime.fromisoformat(until)

    world.run_worker()
    world.run_worker()

    assert (ends, before) == ([last_call], [])
    assert list_assessment_deadlines(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]
    assert list_consent_deadlines(lead, case) == [until]


def test_a_yes_that_holds_again_where_the_child_is_gives_new_time_once_it_ends(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [make_consent(**GUARDIAN, expires_at=LATER)]
    case = lead.take_lead(officer.submit(**new_child(consents=given, vital_interest=None)))
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    away = list_assessment_deadlines(lead)
    world.advance(days=1)
    unwrap(lead.does("relocate", case, {"country": "KZ"}))
    back = list_assessment_deadlines(lead)

    world.now = datetime.fromisoformat(LATER)
    world.run_worker()

    assert (away, back) == (["2026-06-04T12:00:00Z"], [])
    assert list_assessment_deadlines(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]


def test_the_end_of_a_childs_consent_is_watched_until_it_is_renewed_or_the_case_ends(
    officer: Someone, lead: Someone
) -> None:
    short = [make_consent(**GUARDIAN, expires_at=SOON)]
    case = lead.take_lead(officer.submit(**new_child(consents=short, vital_interest=None)))
    given = make_consent(**GUARDIAN)
    renewed = unwrap_only(lead.create(f"{get_path(case)}/consents", given))
    moved = list_consent_deadlines(lead, case)

    unwrap(lead.send(f"{get_path(case)}/consents/{renewed['id']}/withdraw"))
    back = list_consent_deadlines(lead, case)
    record_fact(lead, case, ASSESSED)
    assessed = list_consent_deadlines(lead, case)
    record_fact(lead, case, DUE)
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    assert moved == ["2027-05-18T00:00:00Z"]
    assert (back, assessed) == ([BEFORE_SOON], [BEFORE_SOON])
    assert list_consent_deadlines(lead, case) == []


def list_consent_deadlines(who: Someone, case: Json) -> list[str]:
    """Return the due times of the running deadlines for the expiry of consents.

    The deadline of a consent is due when the expiry is announced, and again at the expiry.
    """
    with who.begin_read() as tx:
        mine = select(Clock).join(Case, Case.id == Clock.case_id)
        of_case = mine.where(Case.code == case["code"], Clock.stopped_at.is_(None))
        ends = tx.session.scalars(of_case.where(Clock.kind == DeadlineKind.CONSENT_ENDS))
        return [f"{clock.due_at:%FT%TZ}" for clock in ends]


def test_a_guardians_no_does_not_take_a_childs_bed(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(**GUARDIAN), make_service_consent(**GUARDIAN)]
    case = lead.take_lead(officer.submit(**new_child(consents=given)))
    bed = unwrap(lead.refer(case, SHELTER))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    before = shelter.open(f"{get_path(case)}/sections/needs").status_code
    shelter.poll(), lead.poll()
    services = get_shelter_consent(lead, case)

    unwrap(lead.send(f"{get_path(case)}/consents/{services['id']}/withdraw"))

    kept, ended = shelter.read(bed), lead.read(advice)
    assert (kept["state"], kept["sections"]) == ("accepted", [])
    assert (ended["state"], ended["reason"]) == ("withdrawn", "CONSENT_WITHDRAWN")
    after = shelter.open(f"{get_path(case)}/sections/needs").status_code
    assert (before, after) == (200, 404)
    [event] = shelter.poll()
    assert (event["type"], event["by"]) == ("referral.narrowed", None)
    assert event["facts"] == {
        "state": "accepted",
        "service": "SHELTER",
        "basis": "child_path",
    }
    assert set(list_types(lead.poll())) == {
        "consent.withdrawn",
        "referral.narrowed",
        "referral.withdrawn",
    }
    unwrap(shelter.does("start", bed, {"person_met": True}))


def get_shelter_consent(who: Someone, case: Json) -> Json:
    """Return the consent for the purpose SHELTER in a case."""
    given = unwrap(who.get(f"{get_path(case)}/consents"))["items"]
    [found] = [one for one in given if "SHELTER" in one["purposes"]]
    return dict(found)


def test_help_that_never_rested_on_a_consent_does_not_end_with_one(
    lead: Someone, shelter: Someone, child_case: Json
) -> None:
    bed = unwrap(lead.refer(child_case, SHELTER, sections=[]))
    path = f"{get_path(child_case)}/consents"
    given = unwrap_only(lead.create(path, make_service_consent(**GUARDIAN)))

    unwrap(lead.send(f"{path}/{given['id']}/withdraw"))

    assert shelter.read(bed)["state"] == "sent"


def test_an_adults_no_ends_what_rests_on_it(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    bed = unwrap(lead.refer(case, SHELTER, sections=[]))
    services = get_shelter_consent(lead, case)

    unwrap(lead.send(f"{get_path(case)}/consents/{services['id']}/withdraw"))

    assert shelter.read(bed)["state"] == "withdrawn"


def test_when_a_childs_case_ends_no_time_runs_on(
    world: World, lead: Someone, child_case: Json
) -> None:
    assert list_assessment_deadlines(lead)

    unwrap(lead.does("stop", child_case, {"reason": "SURVIVOR_REQUEST"}))
    ended = lead.get_worklist()
    record_fact(lead, child_case, DUE)
    world.advance(hours=1)
    path = f"{get_path(child_case)}/consents"
    unwrap(lead.create(path, make_consent(**GUARDIAN)))
    still = lead.get_worklist()
    unwrap(lead.does("reopen", child_case, {"reason": "NEW_NEED"}))

    assert ended == still == []
    assert list_assessment_deadlines(lead) == []


def test_a_childs_question_is_answered_without_a_guardian(
    lead: Someone, shelter: Someone, child_case: Json
) -> None:
    bed = unwrap(lead.refer(child_case, SHELTER, sections=[]))
    unwrap(shelter.does("ask", bed, {"topics": ["needs"], "question": "Boy or girl?"}))

    more = lead.does("answer", bed, {"sections": ["needs"], "answer": "A girl"})
    answered = unwrap(lead.does("answer", bed, {"answer": "A girl"}))

    assert get_unmet(more) == [("consent_to_answer", "sender")]
    assert (answered["state"], answered["sections"]) == ("received", [])
    assert ("answer", "A girl") in shelter.list_notes(bed)


def test_a_worker_of_guardianship_says_who_speaks_for_the_child(
    lead: Someone, shelter: Someone, child_case: Json
) -> None:
    sent = unwrap(lead.refer(child_case, SHELTER, service="GUARDIANSHIP", sections=[]))
    unwrap(shelter.does("accept", sent, make_acceptance()))

    record_fact(shelter, child_case, {"name": "guardian", "value": "appointed"})
    record_fact(shelter, child_case, ASSESSED)

    assert list_assessment_deadlines(lead) == []
    assert Role.CASEWORKER in shelter.actor.roles
