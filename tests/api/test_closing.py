"""Tests of closing a case: the reason, the second person, and informing the person."""

from uuid import UUID, uuid4

import pytest

from app.cases.reasons import ClosureReason
from app.kernel.actors import AccountKind, Role
from app.kernel.codes import create_case_code
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_closure,
    unwrap,
)

SECOND = {Role.SUPERVISOR}
SHELTER = "KZ_SHELTER_KOGERSHIN"
UNKNOWN_CODE = create_case_code(UUID(int=1))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


def ask_to_close(who: Someone, case: Json, **changes: object) -> Json:
    """Request the approval of a second person to close a case, and return the approval."""
    response = who.does("close", case, make_closure(**changes))
    assert response.status_code == 202, response.text
    return dict(response.json())


def test_a_case_is_closed_by_two_people(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    [waits] = unwrap(supervisor.get("/approvals"))["items"]
    approved = unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    closed = unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))

    assert (approval["decision"], approval["action"]) == ("pending", "case.close")
    assert approval["subject"] == f"cases/{case['code']}"
    assert (waits["id"], waits["asked_by_you"]) == (approval["id"], False)
    assert approved["decision"] == "approved"
    assert (closed["state"], closed["stage"]) == ("closed", "closure")
    assert closed["closure_reason"] == "GOALS_MET"
    assert list(get_actions(closed)) == ["reopen"]
    assert list_types(officer.poll())[-1] == "case.closed"


def test_asking_changes_nothing_and_tells_the_focal_point_alone(
    lead: Someone, officer: Someone, case: Json
) -> None:
    before = officer.poll()

    approval = ask_to_close(lead, case)

    assert lead.read(case)["state"] == "referring"
    event = lead.poll()[-1]
    assert (event["type"], event["subject"]) == (
        "approval.requested",
        f"approvals/{approval['id']}",
    )
    assert event["facts"] == {"action": "case.close", "subject": f"cases/{case['code']}"}
    assert before
    assert officer.poll() == []


def test_what_only_a_second_person_is_missing_from_is_asked_and_the_rest_refused(
    lead: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    refused = lead.does("close", case, make_closure(person_informed=False))

    assert get_unmet(refused) == [("nothing_open", "holder"), ("person_informed", "holder")]
    assert unwrap(lead.get("/approvals"))["items"] == []
    [in_the_way] = get_actions(lead.read(case))["close"]["unmet"]
    assert in_the_way["requirement"] == "nothing_open"


@pytest.mark.parametrize("reason", ClosureReason)
def test_a_case_is_closed_without_telling_the_person_for_three_reasons_alone(
    officer: Someone,
    lead: Someone,
    supervisor: Someone,
    case: Json,
    reason: ClosureReason,
) -> None:
    """The person must be informed unless the reason is LOST_CONTACT, DEATH or DUPLICATE."""
    body = make_closure(reason=reason, person_informed=False)
    if reason == ClosureReason.DUPLICATE:
        body["continues_in"] = lead.take_lead(officer.submit())["code"]
    answer = lead.does("close", case, body)
    if reason not in {"LOST_CONTACT", "DEATH", "DUPLICATE"}:
        assert get_unmet(answer) == [("person_informed", "holder")]
        return
    unwrap(supervisor.send(f"/approvals/{answer.json()['id']}/approve"))

    closed = unwrap(lead.does("close", case, body, approval=answer.json()["id"]))

    assert (closed["state"], closed["closure_reason"]) == ("closed", reason)


def test_a_candidate_closes_what_it_acknowledged(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    duplicate = {
        "reason": "DUPLICATE",
        "continues_in": lead.take_lead(officer.submit())["code"],
    }
    approval = ask_to_close(lead, case, **duplicate)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    closed = lead.does("close", case, make_closure(**duplicate), approval=approval["id"])

    assert unwrap(closed)["state"] == "closed"


def test_closing_revokes_what_was_never_sent(
    lead: Someone, supervisor: Someone, shelter: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", send=False))
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))

    assert lead.read(draft)["state"] == "revoked"
    assert shelter.poll() == []


def test_nobody_is_their_own_second_person(lead: Someone, case: Json) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"

    assert get_problem(lead.send(f"{path}/approve")) == (409, "not-a-second-person")
    assert get_problem(lead.send(f"{path}/refuse")) == (409, "not-a-second-person")
    assert unwrap(lead.get(path))["decision"] == "pending"


def test_a_machine_is_nobodys_second_person(
    world: World, lead: Someone, case: Json
) -> None:
    machine = world.add_person("KZ_LEAD", {Role.COORDINATOR}, kind=AccountKind.INTEGRATION)

    refused = machine.send(f"/approvals/{ask_to_close(lead, case)['id']}/approve")

    assert get_problem(refused) == (409, "not-a-second-person")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.OFFICER, 403),
        (Role.CASEWORKER, 403),
        (Role.COORDINATOR, 200),
        (Role.SUPERVISOR, 200),
        (Role.PROTECTION_OFFICER, 403),
    ],
)
def test_a_second_person_has_a_role_that_decides(
    world: World, lead: Someone, case: Json, role: Role, status: int
) -> None:
    approval = ask_to_close(lead, case)

    answered = world.add_person("KZ_LEAD", {role}).send(
        f"/approvals/{approval['id']}/approve"
    )

    assert answered.status_code == status
    assert status == 200 or get_problem(answered) == (403, "role-missing")


def test_another_focal_point_knows_of_no_question(
    world: World, lead: Someone, case: Json
) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"
    other = world.add_person("UZ_CONSULATE_ALMATY", SECOND)

    hidden = [other.get(path), other.send(f"{path}/approve"), other.send(f"{path}/refuse")]

    assert {get_problem(answer) for answer in hidden} == {(404, "not-found")}
    assert unwrap(other.get("/approvals"))["items"] == []


def test_what_was_refused_allows_nothing_and_can_be_asked_anew(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    first = ask_to_close(lead, case)
    refused = unwrap(supervisor.send(f"/approvals/{first['id']}/refuse"))

    closing_it = lead.does("close", case, make_closure(), approval=first["id"])
    again = supervisor.send(f"/approvals/{first['id']}/approve")

    assert refused["decision"] == "refused"
    assert get_problem(closing_it) == (409, "approval-unusable")
    assert get_problem(again) == (409, "approval-decided")
    assert ask_to_close(lead, case)["id"] != first["id"]


def test_what_is_still_pending_allows_nothing(lead: Someone, case: Json) -> None:
    approval = ask_to_close(lead, case)

    refused = lead.does("close", case, make_closure(), approval=approval["id"])

    assert get_problem(refused) == (409, "approval-unusable")
    assert lead.read(case)["state"] == "referring"


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_a_question_waits_in_the_worklist_until_it_is_decided(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json, decision: str
) -> None:
    approval = ask_to_close(lead, case)
    subject = f"approvals/{approval['id']}"
    [waits] = [w for w in list_worklist(supervisor) if w["kind"] == "approve"]

    unwrap(supervisor.send(f"/{subject}/{decision}"))

    assert (waits["subject"], waits["due_at"]) == (subject, "2026-06-04T12:00:00Z")
    assert [w for w in list_worklist(supervisor) if w["kind"] == "approve"] == []
    assert "approve" not in [w["kind"] for w in list_worklist(officer)]
    event = lead.poll()[-1]
    word = {"approve": "approved", "refuse": "refused"}[decision]
    assert (event["type"], event["subject"]) == ("approval.decided", subject)
    assert event["facts"] == {"decision": word, "subject": f"cases/{case['code']}"}
    assert not [e for e in officer.poll() if e["type"].startswith("approval.")]


def list_worklist(who: Someone) -> list[Json]:
    return list(unwrap(who.get("/worklist"))["items"])


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_the_same_person_may_say_the_same_again_and_nobody_else(
    world: World, lead: Someone, supervisor: Someone, case: Json, decision: str
) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"
    first = unwrap(supervisor.send(f"{path}/{decision}"))
    lead.poll()
    third = world.add_person("KZ_LEAD", SECOND)

    again = unwrap(supervisor.send(f"{path}/{decision}"))

    assert again == first
    assert lead.poll() == []
    assert get_problem(third.send(f"{path}/{decision}")) == (409, "approval-decided")
    unwrap(supervisor.send(f"{path}/refuse"))
    assert get_problem(supervisor.send(f"{path}/approve")) == (409, "approval-decided")


def test_a_question_lapses_after_72_hours(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    assert approval["expires_at"] == "2026-06-04T12:00:00Z"
    world.advance(hours=72)

    late = supervisor.send(f"/approvals/{approval['id']}/approve")

    assert get_problem(late) == (409, "approval-decided")
    assert unwrap(supervisor.get("/approvals"))["items"] == []
    assert ask_to_close(lead, case)["id"] != approval["id"]


def test_an_approval_lapses_too(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    world.advance(hours=71)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    world.advance(hours=1)

    refused = lead.does("close", case, make_closure(), approval=approval["id"])

    assert get_problem(refused) == (409, "approval-unusable")


def test_an_approval_is_spent_once(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))

    again = lead.does("close", case, make_closure(), approval=approval["id"])
    other = lead.take_lead(officer.submit())
    elsewhere = lead.does("close", other, make_closure(), approval=approval["id"])

    assert unwrap(lead.get(f"/approvals/{approval['id']}"))["decision"] == "used"
    assert get_problem(again) == (409, "action-illegal")
    assert get_problem(elsewhere) == (409, "approval-unusable")


@pytest.mark.parametrize(
    "changes",
    [{"reason": "LOST_CONTACT"}, {"note": "Anything else"}],
    ids=["reason", "note"],
)
def test_an_approval_is_of_the_very_same_request(
    lead: Someone, supervisor: Someone, case: Json, changes: Json
) -> None:
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    refused = lead.does("close", case, make_closure(**changes), approval=approval["id"])

    assert get_problem(refused) == (409, "approval-unusable")
    assert unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))


def test_an_approval_is_of_whoever_asked(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    colleague = world.add_person("KZ_LEAD")

    refused = colleague.does("close", case, make_closure(), approval=approval["id"])

    assert get_problem(refused) == (409, "approval-unusable")


def test_an_approval_that_does_not_exist_allows_nothing(lead: Someone, case: Json) -> None:
    refused = lead.does("close", case, make_closure(), approval=str(uuid4()))

    assert get_problem(refused) == (409, "approval-unusable")


def test_an_approval_does_not_replace_the_other_needs(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    refused = lead.does("close", case, make_closure(), approval=approval["id"])
    unwrap(lead.does("revoke", sent, {"reason": "NO_LONGER_NEEDED"}))

    assert get_unmet(refused) == [("nothing_open", "holder")]
    assert unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))


def test_asked_twice_it_is_one_question(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    first, again = ask_to_close(lead, case), ask_to_close(lead, case)
    other = ask_to_close(lead, case, reason="LOST_CONTACT")

    listed = [one["id"] for one in unwrap(supervisor.get("/approvals"))["items"]]

    assert first == again
    assert listed == [first["id"], other["id"]]


def test_a_retry_under_the_same_key_answers_as_the_first_time(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    answer = lead.does("close", case, make_closure(), idempotency_key="a")
    replayed = lead.does("close", case, make_closure(), idempotency_key="a")
    question = answer.json()["id"]
    unwrap(supervisor.send(f"/approvals/{question}/approve"))
    headers = {"approval": question, "idempotency_key": "b"}

    closed = lead.does("close", case, make_closure(), **headers)
    again = lead.does("close", case, make_closure(), **headers)

    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (202, "true")
    assert replayed.json()["id"] == question
    assert unwrap(closed) == unwrap(again)


def test_once_a_case_is_closed_its_sections_are_shut(
    officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    path = f"/cases/{case['code']}/sections/needs"
    assert {lead.open(path).status_code, officer.open(path).status_code} == {200}
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))

    assert {lead.open(path).status_code, officer.open(path).status_code} == {404}


def test_what_was_promised_stays_with_a_case_until_it_is_completed(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(shelter.does("start", sent, {"person_met": True}))

    early = lead.does("close", case, make_closure())
    report = {"outcome": "delivered", "feedback": "Всё хорошо"}
    unwrap(shelter.does("complete", sent, report))

    assert get_unmet(early) == [("nothing_open", "holder")]
    assert ask_to_close(lead, case)["decision"] == "pending"


def test_a_word_about_a_case_ends_with_the_state_it_was_about(
    officer: Someone, lead: Someone, shelter: Someone, supervisor: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    approval = ask_to_close(lead, case)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    referral = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    unwrap(shelter.does("start", referral, {"person_met": True}))
    unwrap(
        shelter.does("complete", referral, {"outcome": "delivered", "feedback": "Afraid"})
    )

    refused = lead.does("close", case, make_closure(), approval=approval["id"])

    assert lead.read(case)["state"] == "assisting"
    assert get_problem(refused) == (409, "approval-unusable")
    assert ask_to_close(lead, case)["id"] != approval["id"]


@pytest.mark.parametrize("how", ["close", "stop"])
@pytest.mark.parametrize("led", [False, True])
def test_a_case_that_nobody_led_is_written_anew_and_one_that_was_led_is_opened_again(
    officer: Someone, lead: Someone, supervisor: Someone, how: str, *, led: bool
) -> None:
    case = officer.submit(external_reference="A/7")
    if led:
        lead.take_lead(case)
    else:
        unwrap(lead.does("acknowledge", case))
    if how == "close":
        unwrap(lead.does_with(supervisor, "close", case, make_closure()))
    else:
        unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    opened = lead.does("reopen", case, {"reason": "SURVIVOR_REQUEST"})
    anew = officer.create_case(external_reference="A/7")

    assert opened.is_success is led
    if led:
        assert get_problem(anew) == (409, "external-reference-taken")
    else:
        assert get_problem(opened) == (403, "action-not-yours")
        assert unwrap(anew)["code"] != case["code"]


def test_what_is_not_taken_back_any_more_is_stopped_by_the_holder_as_its_submitter_is_told(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    unwrap(
        lead.does("revoke", unwrap(lead.refer(case, SHELTER)), {"reason": "SENT_IN_ERROR"})
    )

    refused = officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"})

    assert get_unmet(refused) == [("nothing_sent", "holder")]
    remedy = refused.json()["unmet"][0]["remedy"]
    assert remedy.startswith("A referral was sent, or the person moved.")
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    assert officer.read(case)["state"] == "closed"
