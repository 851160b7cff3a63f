"""What a child is owed: protection at once, and no step that waits for a guardian."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.cases.models import Case
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
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
FIRST = ["CHILD_PROTECTION", "GUARDIANSHIP", "SHELTER", "MEDICAL"]


def child(**changes: object) -> Json:
    """A case of a child without anybody who could consent."""
    notice = {"age_class": "child"} | dict(changes.pop("notice", {}))  # type: ignore[call-overload]
    return {"notice": notice, "consents": [], "vital_interest": VITAL} | changes


@pytest.fixture
def alone(officer: Someone, lead: Someone) -> Json:
    """A child's case that is led, without a guardian."""
    return lead.leads(officer.submits(**child()))


def records(who: Someone, case: Json, fact: Json) -> Json:
    return done(who.creates(f"{path_of(case)}/facts", fact))


def interests(who: Someone) -> list[str]:
    """Until when the best interests of children wait for somebody."""
    return [until for _, kind, until in who.waits() if kind == "assess_interests"]


@pytest.mark.parametrize("age", ["child", "presumed_child"])
def test_a_child_without_a_guardian_is_referred_on_what_is_best_for_it(
    officer: Someone, lead: Someone, age: str
) -> None:
    case = child(notice={"age_class": age}, vital_interest=None)
    draft = done(officer.writes_case(**case))
    early = officer.does("submit", draft)
    records(officer, draft, ASSESSED)

    done(officer.does("submit", draft))

    assert lacks(early) == [("consent_to_refer", "submitter")]
    others = early.json()["unmet"][0]["alternatives"]
    assert [lack["need"] for lack in others] == ["child_path", "vital_interest"]
    assert lead.sees(draft)["you_are"] == ["candidate"]
    assert interests(lead) == []


def test_an_adult_has_no_such_path(officer: Someone) -> None:
    adult = child(notice={"age_class": "adult"}, vital_interest=None)
    draft = done(officer.writes_case(**adult))
    records(officer, draft, ASSESSED)

    assert lacks(officer.does("submit", draft)) == [("consent_to_refer", "submitter")]


def test_no_step_of_the_lead_waits_for_a_guardian(
    world: World, lead: Someone, alone: Json
) -> None:
    world.passes(hours=5)
    at = "2026-06-05T12:00:00Z"
    rest = {"reason": "SAFETY", "review_at": at}

    done(lead.does("suspend", alone, rest))
    done(lead.does("resume", alone))
    done(lead.does("monitor", alone, {}))
    done(lead.does("reopen-assistance", alone, {"reason": "NEW_NEED"}))
    done(lead.does("stop", alone, {"reason": "SURVIVOR_REQUEST"}))
    records(lead, alone, ASSESSED)

    assert done(lead.does("reopen", alone, {"reason": "NEW_NEED"}))["state"] == "referring"


@pytest.mark.parametrize("service", FIRST)
def test_what_protects_a_child_goes_at_once_with_the_notice_alone(
    world: World, lead: Someone, shelter: Someone, alone: Json, service: str
) -> None:
    world.passes(hours=5)

    with_needs = lead.refers(alone, SHELTER, service=service)
    sent = done(lead.refers(alone, SHELTER, service=service, sections=[]))

    assert lacks(with_needs) == [("consent", "sender")]
    path = path_of(alone)
    notice = done(shelter.opens(f"{path}/safety-notice"))["safety_notice"]
    assert notice == "Two men"
    assert shelter.opens(f"{path}/sections/needs").status_code == 404
    assert done(shelter.does("accept", sent, promise()))["state"] == "accepted"


def test_anything_more_waits_until_its_best_interests_are_assessed(
    world: World, lead: Someone, alone: Json
) -> None:
    world.passes(hours=5)
    ask = {"service": "LEGAL_AID", "sections": []}

    early = lead.refers(alone, "KZ_LEGAL_AID", **ask)
    records(lead, alone, ASSESSED)

    assert lacks(early) == [("consent", "sender")]
    assert done(lead.refers(alone, "KZ_LEGAL_AID", **ask))["state"] == "sent"


def test_nothing_of_this_is_for_an_adult(officer: Someone, lead: Someone) -> None:
    case = lead.leads(officer.submits(consents=[consent()]))

    refused = lead.refers(case, SHELTER, sections=[])

    assert lacks(refused) == [("consent", "sender")]


def test_what_is_best_for_a_child_is_to_be_found_out_in_72_hours(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(**child())
    first = interests(lead)
    world.passes(hours=10)
    lead.leads(case)

    assert first == interests(lead) == ["2026-06-04T12:00:00Z"]
    [fact] = done(lead.get(f"{path_of(case)}/facts"))["items"]
    assert (fact["value"], fact["recorded_by"]) == ("assessment_due", None)
    records(lead, case, ASSESSED)
    assert interests(lead) == []


def test_the_time_runs_on_for_whoever_has_the_case(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(**child())
    world.passes(hours=10)
    lead.does("decline-lead", case, {"reason": "NO_CAPACITY"})

    holder = world.someone(officer.sees(case)["holder"])

    assert interests(lead) == []
    assert interests(holder) == ["2026-06-04T12:00:00Z"]


def test_a_guardians_yes_ends_the_time_and_its_no_begins_it_anew(
    world: World, lead: Someone, alone: Json
) -> None:
    path = f"{path_of(alone)}/consents"
    given = done(lead.creates(path, consent(**GUARDIAN)))
    allowed = interests(lead)
    world.passes(hours=1)

    done(lead.post(f"{path}/{given['id']}/withdraw"))

    assert allowed == []
    assert interests(lead) == ["2026-06-04T13:00:00Z"]


def test_a_person_who_turns_out_to_be_a_child_is_treated_as_one_from_then_on(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    before = interests(lead)
    world.passes(hours=1)

    ages(lead, case, "presumed_child")
    doubted = interests(lead)
    own = lead.refers(case, SHELTER)
    first = lead.refers(case, SHELTER, sections=[])
    ages(lead, case, "adult")

    assert (before, doubted) == ([], ["2026-06-04T13:00:00Z"])
    assert lacks(own) == [("consent", "sender")]
    assert first.is_success
    assert interests(lead) == []


def test_to_say_again_that_it_is_due_gives_no_new_time(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits(**child()))
    for _ in range(2):
        world.passes(hours=10)
        records(lead, case, DUE)

    facts = done(lead.get(f"{path_of(case)}/facts"))["items"]

    assert interests(lead) == ["2026-06-04T12:00:00Z"]
    assert [fact["due_at"] for fact in facts] == [None, None, "2026-06-04T12:00:00Z"]


def test_silence_about_a_child_is_counted_however_often_it_is_said_to_be_due(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits(**child()))
    for _ in range(5):
        world.waits_for(days=2)
        records(lead, case, DUE)

    assert silences(lead) == [1, 2, 3]


def silences(who: Someone) -> list[int]:
    """Which silences about a child's best interests an office heard of."""
    heard = [event["facts"] for event in who.hears()]
    return [one["silence"] for one in heard if one.get("clock") == "assess_interests"]


@pytest.mark.parametrize(
    ("days", "until"),
    [(1, "2026-06-04T12:00:00Z"), (7, "2026-06-08T12:00:00Z")],
    ids=["in time", "late already"],
)
def test_to_hold_a_child_for_an_adult_for_a_while_gives_no_new_time(
    world: World, lead: Someone, alone: Json, days: int, until: str
) -> None:
    ages(lead, alone, "adult")
    meanwhile = interests(lead)
    world.passes(days=days)

    ages(lead, alone, "child")

    assert (meanwhile, interests(lead)) == ([], [until])


@pytest.mark.parametrize("between", ["a guardian's yes", "an assessment"])
def test_there_is_new_time_once_a_child_was_provided_for(
    world: World, lead: Someone, alone: Json, between: str
) -> None:
    path = f"{path_of(alone)}/consents"
    if between == "an assessment":
        records(lead, alone, ASSESSED)
    given = done(lead.creates(path, consent(**GUARDIAN)))
    ages(lead, alone, "adult")
    world.passes(days=1)
    done(lead.post(f"{path}/{given['id']}/withdraw"))
    ages(lead, alone, "child")
    records(lead, alone, DUE)

    assert interests(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]


def test_nobody_says_that_a_child_needs_no_assessment(
    officer: Someone, lead: Someone, alone: Json
) -> None:
    unsure = done(officer.writes_case(notice={"age_class": None}, consents=[]))
    early = officer.creates(f"{path_of(unsure)}/facts", NOT_NEEDED)

    refused = lead.creates(f"{path_of(alone)}/facts", NOT_NEEDED)

    assert problem(early) == problem(refused) == (409, "assessment-owed")
    assert interests(lead) == ["2026-06-04T12:00:00Z"]
    [fact] = done(lead.get(f"{path_of(alone)}/facts"))["items"]
    assert fact["value"] == "assessment_due"


def test_what_was_not_needed_for_an_adult_is_due_once_it_may_be_a_child(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    records(lead, case, NOT_NEEDED)

    ages(lead, case, "presumed_child")

    assert interests(lead) == ["2026-06-04T12:00:00Z"]
    facts = done(lead.get(f"{path_of(case)}/facts"))["items"]
    assert [(fact["value"], fact["recorded_by"]) for fact in facts] == [
        ("not_needed", "KZ_LEAD"),
        ("assessment_due", None),
    ]


def ages(who: Someone, case: Json, age_class: str) -> None:
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), {"age_class": age_class}, headers=seen))


def test_across_a_border_a_guardians_yes_to_referral_holds_no_more(
    officer: Someone, lead: Someone
) -> None:
    given = [consent(**GUARDIAN)]
    case = lead.leads(officer.submits(**child(consents=given, vital_interest=None)))
    before = interests(lead)

    done(lead.does("relocate", case, {"country": "UZ"}))

    assert (before, interests(lead)) == ([], ["2026-06-04T12:00:00Z"])


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ([consent(**GUARDIAN, expires_at=SOON)], SOON),
        ([consent(**GUARDIAN, expires_at=end) for end in (LATER, SOON)], LATER),
    ],
    ids=["one", "the last of two"],
)
def test_a_guardians_yes_that_runs_out_begins_the_time_anew(
    world: World, officer: Someone, lead: Someone, given: list[Json], until: str
) -> None:
    case = lead.leads(officer.submits(**child(consents=given, vital_interest=None)))
    last_call = f"{datetime.fromisoformat(until) - timedelta(days=3):%FT%TZ}"
    ends = consents_that_end(lead, case)
    before = interests(lead)
    world.now = datetime.fromisoformat(until)

    world.works()
    world.works()

    assert (ends, before) == ([last_call], [])
    assert interests(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]
    assert consents_that_end(lead, case) == [until]


def test_a_yes_that_holds_again_where_the_child_is_gives_new_time_once_it_ends(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(**GUARDIAN, expires_at=LATER)]
    case = lead.leads(officer.submits(**child(consents=given, vital_interest=None)))
    done(lead.does("relocate", case, {"country": "UZ"}))
    away = interests(lead)
    world.passes(days=1)
    done(lead.does("relocate", case, {"country": "KZ"}))
    back = interests(lead)

    world.now = datetime.fromisoformat(LATER)
    world.works()

    assert (away, back) == (["2026-06-04T12:00:00Z"], [])
    assert interests(lead) == [f"{world.now + timedelta(hours=72):%FT%TZ}"]


def test_the_end_of_a_childs_consent_is_watched_until_it_is_renewed_or_the_case_ends(
    officer: Someone, lead: Someone
) -> None:
    given = [consent(**GUARDIAN, expires_at=SOON)]
    case = lead.leads(officer.submits(**child(consents=given, vital_interest=None)))
    renewed = done(lead.creates(f"{path_of(case)}/consents", consent(**GUARDIAN)))
    moved = consents_that_end(lead, case)

    done(lead.post(f"{path_of(case)}/consents/{renewed['id']}/withdraw"))
    back = consents_that_end(lead, case)
    records(lead, case, ASSESSED)
    assessed = consents_that_end(lead, case)
    records(lead, case, DUE)
    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    assert moved == ["2027-05-18T00:00:00Z"]
    assert (back, assessed) == ([BEFORE_SOON], [BEFORE_SOON])
    assert consents_that_end(lead, case) == []


def consents_that_end(who: Someone, case: Json) -> list[str]:
    """When the end of each consent of a case is announced next, or when it has ended."""
    with who.reading() as work:
        mine = select(Clock).join(Case, Case.id == Clock.case_id)
        of_case = mine.where(Case.code == case["code"], Clock.stopped_at.is_(None))
        ends = work.session.scalars(of_case.where(Clock.kind == ClockKind.CONSENT_ENDS))
        return [f"{clock.due_at:%FT%TZ}" for clock in ends]


def test_a_guardians_no_does_not_take_a_childs_bed(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone
) -> None:
    given = [consent(**GUARDIAN), for_services(**GUARDIAN)]
    case = lead.leads(officer.submits(**child(consents=given)))
    bed = done(lead.refers(case, SHELTER))
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    done(shelter.does("accept", bed, promise()))
    before = shelter.opens(f"{path_of(case)}/sections/needs").status_code
    shelter.hears(), lead.hears()
    services = to_services(lead, case)

    done(lead.post(f"{path_of(case)}/consents/{services['id']}/withdraw"))

    kept, ended = shelter.sees(bed), lawyer.sees(advice)
    assert (kept["state"], kept["sections"]) == ("accepted", [])
    assert (ended["state"], ended["reason"]) == ("withdrawn", "CONSENT_WITHDRAWN")
    after = shelter.opens(f"{path_of(case)}/sections/needs").status_code
    assert (before, after) == (200, 404)
    [told] = shelter.hears()
    assert (told["type"], told["by"]) == ("referral.narrowed", None)
    assert told["facts"] == {
        "state": "accepted",
        "service": "SHELTER",
        "basis": "child_path",
    }
    assert set(kinds(lead.hears())) == {
        *("consent.withdrawn", "referral.narrowed", "referral.withdrawn"),
    }
    done(shelter.does("start", bed, {"person_met": True}))


def to_services(who: Someone, case: Json) -> Json:
    """Find the consent to services among those of a case."""
    given = done(who.get(f"{path_of(case)}/consents"))["items"]
    [found] = [one for one in given if "SHELTER" in one["purposes"]]
    return dict(found)


def test_help_that_never_rested_on_a_consent_does_not_end_with_one(
    lead: Someone, shelter: Someone, alone: Json
) -> None:
    bed = done(lead.refers(alone, SHELTER, sections=[]))
    path = f"{path_of(alone)}/consents"
    given = done(lead.creates(path, for_services(**GUARDIAN)))

    done(lead.post(f"{path}/{given['id']}/withdraw"))

    assert shelter.sees(bed)["state"] == "sent"


def test_an_adults_no_ends_what_rests_on_it(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    bed = done(lead.refers(case, SHELTER, sections=[]))
    services = to_services(lead, case)

    done(lead.post(f"{path_of(case)}/consents/{services['id']}/withdraw"))

    assert shelter.sees(bed)["state"] == "withdrawn"


def test_when_a_childs_case_ends_no_time_runs_on(
    world: World, lead: Someone, alone: Json
) -> None:
    assert interests(lead)

    done(lead.does("stop", alone, {"reason": "SURVIVOR_REQUEST"}))
    ended = lead.waits()
    records(lead, alone, DUE)
    world.passes(hours=1)
    path = f"{path_of(alone)}/consents"
    done(lead.creates(path, consent(**GUARDIAN)))
    still = lead.waits()
    done(lead.does("reopen", alone, {"reason": "NEW_NEED"}))

    assert ended == still == []
    assert interests(lead) == []


def test_a_childs_question_is_answered_without_a_guardian(
    lead: Someone, shelter: Someone, alone: Json
) -> None:
    bed = done(lead.refers(alone, SHELTER, sections=[]))
    done(shelter.does("ask", bed, {"topics": ["needs"], "question": "Boy or girl?"}))

    more = lead.does("answer", bed, {"sections": ["needs"], "answer": "A girl"})
    answered = done(lead.does("answer", bed, {"answer": "A girl"}))

    assert lacks(more) == [("consent_to_answer", "sender")]
    assert (answered["state"], answered["sections"]) == ("received", [])
    assert ("answer", "A girl") in shelter.notes(bed)


def test_a_worker_of_guardianship_says_who_speaks_for_the_child(
    lead: Someone, shelter: Someone, alone: Json
) -> None:
    sent = done(lead.refers(alone, SHELTER, service="GUARDIANSHIP", sections=[]))
    done(shelter.does("accept", sent, promise()))

    records(shelter, alone, {"name": "guardian", "value": "appointed"})
    records(shelter, alone, ASSESSED)

    assert interests(lead) == []
    assert Role.CASEWORKER in shelter.actor.roles
