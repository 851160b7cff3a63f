"""Tests of questions, redirection, holds, withdrawal and expiry of referrals."""

from uuid import UUID

import pytest

from app.kernel.actors import Role
from app.referrals import following, queries
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

SHELTER, OTHER = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"
ASK: Json = {"topics": ["health", "health"], "question": "Does she take medicine?"}
SAY: Json = {"sections": ["health"], "answer": "Insulin"}
ON: Json = {"reason": "NO_CAPACITY", "alternative": OTHER, "note": "They have a bed"}
HOLD: Json = {
    "reason": "CONTACT_LOST",
    "review_at": "2026-06-10T12:00:00Z",
    "note": "No answer",
}
BACK: Json = {"reason": "SURVIVOR_DECLINED", "note": "She said no"}
BODIES: dict[str, Json | None] = {
    "ask": ASK,
    "answer": SAY,
    "redirect": ON,
    "hold": HOLD,
    "resume": None,
    "withdraw": BACK,
    "confirm-deletion": None,
}
WHERE = {
    "ask": "sent",
    "answer": "info_requested",
    "redirect": "sent",
    "hold": "in_progress",
    "resume": "on_hold",
    "withdraw": "in_progress",
    "confirm-deletion": "withdrawn",
}
SENDERS = {"answer", "withdraw"}


@pytest.fixture
def other(world: World) -> Someone:
    return world.someone(OTHER)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.leads(officer.submits())


@pytest.fixture
def sent(lead: Someone, case: Json) -> Json:
    return done(lead.refers(case, SHELTER))


def move_referral(lead: Someone, shelter: Someone, sent: Json, state: str) -> None:
    """Move a sent referral to a state."""
    if state == "info_requested":
        done(shelter.does("ask", sent, ASK))
    if state in {"in_progress", "on_hold", "withdrawn"}:
        done(shelter.does("accept", sent, promise()))
        done(shelter.does("start", sent, {"person_met": True}))
    if state == "on_hold":
        done(shelter.does("hold", sent, HOLD))
    if state == "withdrawn":
        done(lead.does("withdraw", sent, BACK))


def list_worklist_entries(who: Someone, record: Json) -> list[tuple[str, str]]:
    """Return the kinds and deadlines of a referral's entries in an office's worklist."""
    mine = f"referrals/{record['id']}"
    return [(kind, until) for subject, kind, until in who.waits() if subject == mine]


def test_a_question_stops_the_time_to_decide_until_it_is_answered(
    world: World, officer: Someone, lead: Someone, shelter: Someone, sent: Json
) -> None:
    done(shelter.does("acknowledge", sent))
    world.passes(hours=12)
    officer.hears(), lead.hears(), shelter.hears()

    asked = done(shelter.does("ask", sent, ASK))
    asking = list_worklist_entries(lead, sent), list_worklist_entries(shelter, sent)
    world.passes(hours=20)
    answered = done(lead.does("answer", sent, SAY))

    assert (asked["state"], asked["asked"]) == ("info_requested", ["health"])
    assert asking == ([("answer", "2026-06-03T00:00:00Z")], [])
    assert (answered["state"], answered["asked"]) == ("received", [])
    assert answered["sections"] == ["health", "needs"]
    assert list_worklist_entries(lead, sent) == []
    assert list_worklist_entries(shelter, sent) == [
        ("decide_referral", "2026-06-05T08:00:00Z")
    ]
    for one in (lead, shelter):
        told = one.hears()
        assert kinds(told) == ["referral.asked", "referral.answered"]
        assert {tuple(event["facts"]) for event in told} == {("state", "service")}
    assert officer.hears() == []
    assert ("question", ASK["question"]) in lead.notes(sent)
    assert ("answer", "Insulin") in shelter.notes(sent)


def test_what_was_answered_opens_once_it_is_accepted(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    path = f"{path_of(case)}/sections/health"
    done(shelter.does("ask", sent, ASK))
    done(lead.does("answer", sent, SAY))
    before = shelter.opens(path).status_code

    done(shelter.does("accept", sent, promise()))

    assert (before, shelter.opens(path).status_code) == (404, 200)


def test_no_more_is_answered_than_the_person_agreed_to(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [consent(), for_services(sections=["needs"])]
    case = lead.leads(officer.submits(consents=given))
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("ask", sent, ASK))

    refused = lead.does("answer", sent, SAY)
    told = done(lead.does("answer", sent, {"answer": "She prefers not to say"}))

    assert lacks(refused) == [("consent_to_answer", "sender")]
    assert told["sections"] == ["needs"]


def test_an_answer_crosses_no_border_without_an_agreement(
    world: World, officer: Someone, lead: Someone
) -> None:
    there = world.someone("TT_SHELTER")
    given = [consent(), for_services(country="TT")]
    case = lead.leads(officer.submits(consents=given))
    sent = done(lead.refers(case, "TT_SHELTER", sections=[]))
    done(there.does("ask", sent, ASK))

    refused = lead.does("answer", sent, SAY)

    assert lacks(refused) == [("agreement", "sender")]
    assert done(lead.does("answer", sent, {"answer": "Ask by phone"}))["sections"] == []


def test_who_cannot_help_says_who_could_and_the_sender_finds_a_draft(  # noqa: PLR0913, PLR0917
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    other: Someone,
    case: Json,
    sent: Json,
) -> None:
    lead.hears(), shelter.hears(), officer.hears()

    done(shelter.does("redirect", sent, ON))

    [draft] = done(lead.get("/referrals", state="draft"))["items"]
    assert (draft["recipient"], draft["service"]) == (OTHER, "SHELTER")
    assert draft["sections"] == ["needs"]
    assert kinds(lead.hears()) == ["referral.redirected", "referral.opened"]
    [told] = shelter.hears()
    assert (told["type"], told["facts"]) == (
        "referral.redirected",
        {
            "state": "redirected",
            "service": "SHELTER",
            "reason": "NO_CAPACITY",
            "alternative": OTHER,
        },
    )
    assert other.hears() == officer.hears() == []
    assert problem(shelter.get(path_of(draft))) == (404, "not-found")
    assert list_worklist_entries(lead, draft) == [("finish_draft", "2026-06-15T12:00:00Z")]
    assert list_worklist_entries(shelter, sent) == [
        ("confirm_deletion", "2026-06-08T12:00:00Z")
    ]
    assert ("redirect", "They have a bed") in lead.notes(sent)
    assert done(lead.does("send", draft))["state"] == "sent"
    assert case["state"] == "referring"


def test_a_draft_of_a_redirection_needs_a_consent_of_its_own(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [consent(), for_services(focal_point=SHELTER)]
    case = lead.leads(officer.submits(consents=given))
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("redirect", sent, ON))
    [draft] = done(lead.get("/referrals", state="draft"))["items"]

    assert lacks(lead.does("send", draft)) == [("consent", "sender")]


def test_nobody_is_asked_twice_on_one_way_and_nobody_is_told_so(
    lead: Someone, shelter: Someone, other: Someone, sent: Json
) -> None:
    done(shelter.does("redirect", sent, ON))
    [draft] = done(lead.get("/referrals", state="draft"))["items"]
    done(lead.does("send", draft))

    back = done(other.does("redirect", draft, ON | {"alternative": SHELTER}))

    assert (back["state"], back["reason"]) == ("redirected", "NO_CAPACITY")
    assert done(lead.get("/referrals", state="draft"))["items"] == []
    assert other.hears()[-1]["facts"]["alternative"] == SHELTER


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (SHELTER, "recipient-unfit"),
        ("KZ_LEAD", "recipient-unfit"),
        ("OVERSIGHT_DEMO", "recipient-unfit"),
        ("DESK_CENTRAL_ASIA", "recipient-unfit"),
        ("NOBODY_AT_ALL", "focal-point-unknown"),
    ],
)
def test_not_everybody_can_be_named_instead(
    lead: Someone, shelter: Someone, sent: Json, code: str, wrong: str
) -> None:
    refused = shelter.does("redirect", sent, ON | {"alternative": code})

    assert problem(refused) == (422, wrong)
    assert lead.sees(sent)["state"] == "sent"


def test_who_is_feared_may_be_named_and_is_never_sent_to(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [OTHER]}
    case = lead.leads(officer.submits(safeguards=guards))
    sent = done(lead.refers(case, SHELTER))

    done(shelter.does("redirect", sent, ON))

    [draft] = done(lead.get("/referrals", state="draft"))["items"]
    assert lacks(lead.does("send", draft)) == [("recipient_safe", "sender")]


def test_help_rests_until_a_review_and_goes_on_in_the_time_that_was_left(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    before = list_worklist_entries(shelter, sent)
    world.passes(hours=12)
    lead.hears()

    held = done(shelter.does("hold", sent, HOLD))
    resting = list_worklist_entries(shelter, sent)
    world.passes(days=2)
    resumed = done(shelter.does("resume", sent))

    assert before == [("give_feedback", "2026-06-04T12:00:00Z")]
    assert (held["state"], held["reason"]) == ("on_hold", "CONTACT_LOST")
    assert resting == [("review", "2026-06-10T12:00:00Z")]
    assert (resumed["state"], resumed["reason"]) == ("in_progress", None)
    # 60 hours of working days were left: local Thursday and Friday, then Monday.
    assert list_worklist_entries(shelter, sent) == [
        ("give_feedback", "2026-06-08T12:00:00Z")
    ]
    assert kinds(lead.hears()) == ["referral.held", "referral.resumed"]
    assert ("hold", "No answer") in lead.notes(sent)


def test_recipient_tells_how_it_goes_while_help_goes_on(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    world.passes(days=2)
    lead.hears()

    told = done(shelter.does("report", sent, {"feedback": "She sleeps"}))

    assert (told["state"], told["outcome"]) == ("in_progress", None)
    assert list_worklist_entries(shelter, sent) == [
        ("give_feedback", "2026-06-08T12:00:00Z")
    ]
    assert kinds(lead.hears()) == ["referral.reported"]
    assert ("feedback", "She sleeps") in lead.notes(sent)


def test_recipient_that_reports_in_time_is_never_called_silent(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    lead.hears()

    for _ in range(5):
        world.waits_for(days=2)
        done(shelter.does("report", sent, {"feedback": "She sleeps"}))

    heard = [event for event in lead.hears() if event["type"] != "case.overdue"]
    assert kinds(heard) == ["referral.reported"] * 5
    world.waits_for(days=9)
    assert "referral.overdue" in kinds(lead.hears())


@pytest.mark.parametrize("state", ["accepted", "on_hold", "completed"])
def test_recipient_reports_on_help_that_is_under_way_alone(
    lead: Someone, shelter: Someone, sent: Json, state: str
) -> None:
    move_referral(lead, shelter, sent, state)

    refused = shelter.does("report", sent, {"feedback": "She sleeps"})

    assert problem(refused) == (409, "action-illegal")


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00Z", "2026-06-15T12:00:01Z"])
def test_a_review_of_help_that_rests_is_ahead_and_not_too_far(
    lead: Someone, shelter: Someone, sent: Json, at: str
) -> None:
    move_referral(lead, shelter, sent, "in_progress")

    refused = shelter.does("hold", sent, HOLD | {"review_at": at})

    assert lacks(refused) == [("review_date", "recipient")]


@pytest.mark.parametrize("state", ["sent", "info_requested", "in_progress", "on_hold"])
def test_whatever_has_begun_is_taken_back_for_the_person_and_deleted(
    lead: Someone, shelter: Someone, case: Json, sent: Json, state: str
) -> None:
    move_referral(lead, shelter, sent, state)
    shelter.hears(), lead.hears()

    taken = done(lead.does("withdraw", sent, BACK))
    deleting = list_worklist_entries(shelter, sent)
    shut = [
        shelter.opens(f"{path_of(case)}/sections/needs"),
        shelter.opens(f"{path_of(sent)}/arrangement"),
    ]
    notes = shelter.notes(sent)
    confirmed = shelter.does("confirm-deletion", sent)

    assert (taken["state"], taken["reason"]) == ("withdrawn", "SURVIVOR_DECLINED")
    assert deleting == [("confirm_deletion", "2026-06-08T12:00:00Z")]
    assert {problem(answer) for answer in shut} == {(404, "not-found")}
    assert notes == []
    assert (confirmed.status_code, confirmed.content) == (204, b"")
    assert list_worklist_entries(shelter, sent) == []
    for record in (sent, case):
        assert problem(shelter.get(path_of(record))) == (404, "not-found")
    assert lead.sees(sent)["state"] == "withdrawn"
    for one in (lead, shelter):
        assert kinds(one.hears())[-1] == "referral.deletion_confirmed"
    assert ("withdraw", "She said no") in lead.notes(sent)
    assert problem(lead.does("confirm-deletion", sent)) == (403, "action-not-yours")


@pytest.mark.parametrize("ending", ["decline", "redirect", "revoke", "expire"])
def test_whoever_was_sent_something_says_that_it_was_deleted(
    lead: Someone, shelter: Someone, sent: Json, ending: str
) -> None:
    if ending == "expire":
        expire_referral(lead, sent)
    else:
        who = lead if ending == "revoke" else shelter
        why = {"decline": {"reason": "LANGUAGE"}, "redirect": ON, "revoke": BACK}[ending]
        done(who.does(ending, sent, why))

    deleting = list_worklist_entries(shelter, sent)

    assert [kind for kind, _ in deleting] == ["confirm_deletion"]
    assert shelter.does("confirm-deletion", sent).status_code == 204


def expire_referral(lead: Someone, sent: Json) -> None:
    """Expire an undecided referral, as the worker does."""
    with lead.writing() as work:
        _, referral = queries.lock(work, UUID(sent["id"]))
        following.expire(work, referral)


def test_what_nobody_decided_ends_by_itself_and_the_sender_is_told(
    lead: Someone, shelter: Someone, sent: Json
) -> None:
    shelter.hears(), lead.hears()

    expire_referral(lead, sent)

    assert lead.sees(sent)["state"] == "expired"
    for one in (lead, shelter):
        [told] = one.hears()
        assert (told["type"], told["by"]) == ("referral.expired", None)
        assert told["facts"] == {"state": "expired", "service": "SHELTER"}
    assert problem(shelter.does("accept", sent, promise())) == (409, "action-illegal")


@pytest.fixture(params=BODIES)
def there(
    request: pytest.FixtureRequest, lead: Someone, shelter: Someone, sent: Json
) -> str:
    """An action that is available on the sent referral."""
    move_referral(lead, shelter, sent, WHERE[request.param])
    return str(request.param)


def test_each_act_is_its_sides_and_of_who_works_there(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    stranger: Someone,
    sent: Json,
    there: str,
) -> None:
    mine, theirs = (lead, shelter) if there in SENDERS else (shelter, lead)
    idle = world.someone(mine.code, {Role.SUPERVISOR, Role.OFFICER})

    assert problem(theirs.does(there, sent, BODIES[there])) == (403, "action-not-yours")
    assert problem(idle.does(there, sent, BODIES[there])) == (403, "role-missing")
    for one in (officer, stranger):
        assert problem(one.does(there, sent, BODIES[there])) == (404, "not-found")
    assert mine.does(there, sent, BODIES[there]).is_success


def test_each_act_is_repeated_and_not_done_twice(
    lead: Someone, shelter: Someone, sent: Json, there: str
) -> None:
    mine = lead if there in SENDERS else shelter
    path, body = f"{path_of(sent)}/{there}", BODIES[there]
    headers = {"if_match": mine.tag(sent), "idempotency_key": "once"}
    first = mine.post(path, body, **headers)
    lead.hears()

    again = mine.post(path, body, **headers)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert lead.hears() == []


def test_each_act_is_of_the_latest_version_and_of_its_state(
    lead: Someone, shelter: Someone, sent: Json, there: str
) -> None:
    mine = lead if there in SENDERS else shelter
    path, body = f"{path_of(sent)}/{there}", BODIES[there]
    stale = '"99.0000000000000000"'

    assert problem(mine.post(path, body)) == (428, "version-not-given")
    assert problem(mine.post(path, body, if_match=stale)) == (412, "version-stale")
    assert mine.does(there, sent, body).is_success
    over = {"confirm-deletion": (404, "not-found")}
    illegal = over.get(there, (409, "action-illegal"))
    assert problem(mine.does(there, sent, body)) == illegal
