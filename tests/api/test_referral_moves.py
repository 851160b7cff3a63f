"""Tests of referrals: questions, redirects, holds, withdrawals and expiry."""

from uuid import UUID

import pytest

from app.kernel.actors import Role
from app.referrals import following as referral_following
from app.referrals import queries as referral_queries
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
REPORT: Json = {"outcome": "delivered", "feedback": "Она спит"}
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
    return world.add_person(OTHER)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


@pytest.fixture
def sent(lead: Someone, case: Json) -> Json:
    return unwrap(lead.refer(case, SHELTER))


def move_referral(lead: Someone, shelter: Someone, sent: Json, state: str) -> None:
    """Move a sent referral to `info_requested`, `in_progress`, `on_hold` or `withdrawn`.

    For any other state, do nothing.
    """
    if state == "info_requested":
        unwrap(shelter.does("ask", sent, ASK))
    if state in {"accepted", "in_progress", "on_hold", "completed", "withdrawn"}:
        unwrap(shelter.does("accept", sent, make_acceptance()))
    if state in {"in_progress", "on_hold", "completed", "withdrawn"}:
        unwrap(shelter.does("start", sent, {"person_met": True}))
    if state == "completed":
        unwrap(shelter.does("complete", sent, REPORT))
    if state == "on_hold":
        unwrap(shelter.does("hold", sent, HOLD))
    if state == "withdrawn":
        unwrap(lead.does("withdraw", sent, BACK))


def list_worklist_entries(who: Someone, record: Json) -> list[tuple[str, str]]:
    """Return the kind and the deadline of each worklist entry about a referral."""
    mine = f"referrals/{record['id']}"
    return [(kind, until) for subject, kind, until in who.get_worklist() if subject == mine]


def test_a_question_stops_the_time_to_decide_until_it_is_answered(
    world: World, officer: Someone, lead: Someone, shelter: Someone, sent: Json
) -> None:
    unwrap(shelter.does("acknowledge", sent))
    world.advance(hours=12)
    officer.poll(), lead.poll(), shelter.poll()

    questioned = unwrap(shelter.does("ask", sent, ASK))
    asking = list_worklist_entries(lead, sent), list_worklist_entries(shelter, sent)
    world.advance(hours=20)
    answered = unwrap(lead.does("answer", sent, SAY))

    assert (questioned["state"], questioned["asked"]) == ("info_requested", ["health"])
    assert asking == ([("answer", "2026-06-03T00:00:00Z")], [])
    assert (answered["state"], answered["asked"]) == ("received", [])
    assert answered["sections"] == ["health", "needs"]
    assert list_worklist_entries(lead, sent) == []
    assert list_worklist_entries(shelter, sent) == [
        ("decide_referral", "2026-06-05T08:00:00Z")
    ]
    for one in (lead, shelter):
        events = one.poll()
        assert list_types(events) == ["referral.asked", "referral.answered"]
        assert {tuple(event["facts"]) for event in events} == {("state", "service")}
    assert officer.poll() == []
    assert ("question", ASK["question"]) in lead.list_notes(sent)
    assert ("answer", "Insulin") in shelter.list_notes(sent)


def test_what_was_answered_opens_once_it_is_accepted(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    path = f"{get_path(case)}/sections/health"
    unwrap(shelter.does("ask", sent, ASK))
    unwrap(lead.does("answer", sent, SAY))
    before = shelter.open(path).status_code

    unwrap(shelter.does("accept", sent, make_acceptance()))

    assert (before, shelter.open(path).status_code) == (404, 200)


def test_no_more_is_answered_than_the_person_agreed_to(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(), make_service_consent(sections=["needs"])]
    case = lead.take_lead(officer.submit(consents=given))
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("ask", sent, ASK))

    refused = lead.does("answer", sent, SAY)
    answered = unwrap(lead.does("answer", sent, {"answer": "She prefers not to say"}))

    assert get_unmet(refused) == [("consent_to_answer", "sender")]
    assert answered["sections"] == ["needs"]


def test_an_answer_crosses_no_border_without_an_agreement(
    world: World, officer: Someone, lead: Someone
) -> None:
    there = world.add_person("TT_SHELTER")
    given = [make_consent(), make_service_consent(country="TT")]
    case = lead.take_lead(officer.submit(consents=given))
    sent = unwrap(lead.refer(case, "TT_SHELTER", sections=[]))
    unwrap(there.does("ask", sent, ASK))

    refused = lead.does("answer", sent, SAY)

    assert get_unmet(refused) == [("agreement", "sender")]
    assert unwrap(lead.does("answer", sent, {"answer": "Ask by phone"}))["sections"] == []


def test_who_cannot_help_says_who_could_and_the_sender_finds_a_draft(  # noqa: PLR0913, PLR0917
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    other: Someone,
    case: Json,
    sent: Json,
) -> None:
    lead.poll(), shelter.poll(), officer.poll()

    unwrap(shelter.does("redirect", sent, ON))

    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    assert (draft["recipient"], draft["service"]) == (OTHER, "SHELTER")
    assert (draft["predecessor"], lead.read(sent)["predecessor"]) == (sent["id"], None)
    assert draft["sections"] == ["needs"]
    assert list_types(lead.poll()) == ["referral.redirected", "referral.created"]
    [event] = shelter.poll()
    assert (event["type"], event["facts"]) == (
        "referral.redirected",
        {
            "state": "redirected",
            "service": "SHELTER",
            "reason": "NO_CAPACITY",
            "alternative": OTHER,
        },
    )
    assert other.poll() == officer.poll() == []
    assert get_problem(shelter.get(get_path(draft))) == (404, "not-found")
    assert list_worklist_entries(lead, draft) == [("finish_draft", "2026-06-15T12:00:00Z")]
    assert list_worklist_entries(shelter, sent) == [
        ("confirm_deletion", "2026-06-08T12:00:00Z")
    ]
    assert ("redirect", "They have a bed") in lead.list_notes(sent)
    assert unwrap(lead.does("send", draft))["predecessor"] == sent["id"]
    assert other.read(draft)["predecessor"] is None
    assert shelter.read(sent)["predecessor"] is None
    assert case["state"] == "referring"


def test_a_draft_of_a_redirection_needs_a_consent_of_its_own(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    given = [make_consent(), make_service_consent(focal_point=SHELTER)]
    case = lead.take_lead(officer.submit(consents=given))
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("redirect", sent, ON))
    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]

    assert get_unmet(lead.does("send", draft)) == [("consent", "sender")]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (SHELTER, "redirect-loop"),
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

    assert get_problem(refused) == (422, wrong)
    assert lead.read(sent)["state"] == "sent"


def test_who_is_feared_may_be_named_and_is_never_sent_to(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [OTHER]}
    case = lead.take_lead(officer.submit(safeguards=guards))
    sent = unwrap(lead.refer(case, SHELTER))

    unwrap(shelter.does("redirect", sent, ON))

    [draft] = unwrap(lead.get("/referrals", state="draft"))["items"]
    assert get_unmet(lead.does("send", draft)) == [("recipient_safe", "sender")]


def test_help_rests_until_a_review_and_goes_on_in_the_time_that_was_left(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    before = list_worklist_entries(shelter, sent)
    world.advance(hours=12)
    lead.poll()

    held = unwrap(shelter.does("hold", sent, HOLD))
    resting = list_worklist_entries(shelter, sent)
    world.advance(days=2)
    resumed = unwrap(shelter.does("resume", sent))

    assert before == [("give_feedback", "2026-06-04T12:00:00Z")]
    assert (held["state"], held["reason"]) == ("on_hold", "CONTACT_LOST")
    assert resting == [("review", "2026-06-10T12:00:00Z")]
    assert (resumed["state"], resumed["reason"]) == ("in_progress", None)
    # 60 hours on working days were left: local Thursday and Friday, then Monday.
    assert list_worklist_entries(shelter, sent) == [
        ("give_feedback", "2026-06-08T12:00:00Z")
    ]
    assert list_types(lead.poll()) == ["referral.held", "referral.resumed"]
    assert ("hold", "No answer") in lead.list_notes(sent)


def test_recipient_tells_how_it_goes_while_help_goes_on(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    world.advance(days=2)
    lead.poll()

    answered = unwrap(shelter.does("report", sent, {"feedback": "She sleeps"}))

    assert (answered["state"], answered["outcome"]) == ("in_progress", None)
    assert list_worklist_entries(shelter, sent) == [
        ("give_feedback", "2026-06-08T12:00:00Z")
    ]
    assert list_types(lead.poll()) == ["referral.reported"]
    assert ("feedback", "She sleeps") in lead.list_notes(sent)


def test_recipient_that_reports_in_time_is_never_called_silent(
    world: World, lead: Someone, shelter: Someone, sent: Json
) -> None:
    move_referral(lead, shelter, sent, "in_progress")
    lead.poll()

    for _ in range(5):
        world.wait(days=2)
        unwrap(shelter.does("report", sent, {"feedback": "She sleeps"}))

    events = [event for event in lead.poll() if event["type"] != "case.overdue"]
    assert list_types(events) == ["referral.reported"] * 5
    world.wait(days=9)
    assert "referral.overdue" in list_types(lead.poll())


@pytest.mark.parametrize("state", ["accepted", "on_hold", "completed"])
def test_recipient_reports_on_help_that_is_under_way_alone(
    lead: Someone, shelter: Someone, sent: Json, state: str
) -> None:
    move_referral(lead, shelter, sent, state)

    refused = shelter.does("report", sent, {"feedback": "She sleeps"})

    assert get_problem(refused) == (409, "action-illegal")


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00Z", "2026-06-15T12:00:01Z"])
def test_a_review_of_help_that_rests_is_ahead_and_not_too_far(
    lead: Someone, shelter: Someone, sent: Json, at: str
) -> None:
    move_referral(lead, shelter, sent, "in_progress")

    refused = shelter.does("hold", sent, HOLD | {"review_at": at})

    assert get_unmet(refused) == [("review_date", "recipient")]


@pytest.mark.parametrize("state", ["sent", "info_requested", "in_progress", "on_hold"])
def test_whatever_has_begun_is_taken_back_for_the_person_and_deleted(
    lead: Someone, shelter: Someone, case: Json, sent: Json, state: str
) -> None:
    move_referral(lead, shelter, sent, state)
    shelter.poll(), lead.poll()

    taken = unwrap(lead.does("withdraw", sent, BACK))
    deleting = list_worklist_entries(shelter, sent)
    shut = [
        shelter.open(f"{get_path(case)}/sections/needs"),
        shelter.open(f"{get_path(sent)}/arrangement"),
    ]
    notes = shelter.list_notes(sent)
    confirmed = shelter.does("confirm-deletion", sent)

    assert (taken["state"], taken["reason"]) == ("withdrawn", "SURVIVOR_DECLINED")
    assert deleting == [("confirm_deletion", "2026-06-08T12:00:00Z")]
    assert {get_problem(answer) for answer in shut} == {(404, "not-found")}
    assert notes == []
    assert (confirmed.status_code, confirmed.content) == (204, b"")
    assert list_worklist_entries(shelter, sent) == []
    for record in (sent, case):
        assert get_problem(shelter.get(get_path(record))) == (404, "not-found")
    assert lead.read(sent)["state"] == "withdrawn"
    for one in (lead, shelter):
        assert list_types(one.poll())[-1] == "referral.deletion_confirmed"
    assert ("withdraw", "She said no") in lead.list_notes(sent)
    assert get_problem(lead.does("confirm-deletion", sent)) == (403, "action-not-yours")


@pytest.mark.parametrize("ending", ["decline", "redirect", "revoke", "expire"])
def test_whoever_was_sent_something_says_that_it_was_deleted(
    lead: Someone, shelter: Someone, sent: Json, ending: str
) -> None:
    if ending == "expire":
        expire_referral(lead, sent)
    else:
        who = lead if ending == "revoke" else shelter
        why = {"decline": {"reason": "LANGUAGE"}, "redirect": ON, "revoke": BACK}[ending]
        unwrap(who.does(ending, sent, why))

    deleting = list_worklist_entries(shelter, sent)

    assert [kind for kind, _ in deleting] == ["confirm_deletion"]
    assert shelter.does("confirm-deletion", sent).status_code == 204


def expire_referral(lead: Someone, sent: Json) -> None:
    """Expire an undecided referral as the worker does."""
    with lead.begin_write() as tx:
        _, referral = referral_queries.lock(tx, UUID(sent["id"]))
        referral_following.expire(tx, referral)


def test_what_nobody_decided_ends_by_itself_and_the_sender_is_told(
    lead: Someone, shelter: Someone, sent: Json
) -> None:
    shelter.poll(), lead.poll()

    expire_referral(lead, sent)

    assert lead.read(sent)["state"] == "expired"
    for one in (lead, shelter):
        [event] = one.poll()
        assert (event["type"], event["by"]) == ("referral.expired", None)
        assert event["facts"] == {"state": "expired", "service": "SHELTER"}
    assert get_problem(shelter.does("accept", sent, make_acceptance())) == (
        409,
        "action-illegal",
    )


@pytest.fixture(params=BODIES)
def there(
    request: pytest.FixtureRequest, lead: Someone, shelter: Someone, sent: Json
) -> str:
    """Move the referral to a state in which an action is available; return the action."""
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
    idle = world.add_person(mine.code, {Role.SUPERVISOR, Role.OFFICER})

    assert get_problem(theirs.does(there, sent, BODIES[there])) == (403, "action-not-yours")
    assert get_problem(idle.does(there, sent, BODIES[there])) == (403, "role-missing")
    for one in (officer, stranger):
        assert get_problem(one.does(there, sent, BODIES[there])) == (404, "not-found")
    assert mine.does(there, sent, BODIES[there]).is_success


def test_each_act_is_repeated_and_not_done_twice(
    lead: Someone, shelter: Someone, sent: Json, there: str
) -> None:
    mine = lead if there in SENDERS else shelter
    path, body = f"{get_path(sent)}/{there}", BODIES[there]
    headers = {"if_match": mine.get_tag(sent), "idempotency_key": "once"}
    first = mine.send(path, body, **headers)
    lead.poll()

    again = mine.send(path, body, **headers)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert lead.poll() == []


def test_each_act_is_of_the_latest_version_and_of_its_state(
    lead: Someone, shelter: Someone, sent: Json, there: str
) -> None:
    mine = lead if there in SENDERS else shelter
    path, body = f"{get_path(sent)}/{there}", BODIES[there]
    stale = '"99.0000000000000000"'

    assert get_problem(mine.send(path, body)) == (428, "version-not-given")
    assert get_problem(mine.send(path, body, if_match=stale)) == (412, "version-stale")
    assert mine.does(there, sent, body).is_success
    over = {"confirm-deletion": (404, "not-found")}
    illegal = over.get(there, (409, "action-illegal"))
    assert get_problem(mine.does(there, sent, body)) == illegal
