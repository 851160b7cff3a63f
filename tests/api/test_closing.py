"""How a case is closed: with a reason, the person informed, and a second person."""

from uuid import UUID, uuid4

import pytest

from app.cases.reasons import ClosureReason
from app.kernel.actors import AccountKind, Role
from app.kernel.codes import new_code
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    closing,
    done,
    kinds,
    lacks,
    problem,
    promise,
)

SECOND = {Role.SUPERVISOR}
SHELTER = "KZ_SHELTER_KOGERSHIN"
UNKNOWN_CODE = new_code(UUID(int=1))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case with a lead and without referrals."""
    return lead.leads(officer.submits())


def ask_to_close(who: Someone, case: Json, **changes: object) -> Json:
    """Ask a second person to approve the closure of a case."""
    response = who.does("close", case, closing(**changes))
    assert response.status_code == 202, response.text
    return dict(response.json())


def test_a_case_is_closed_by_two_people(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    [waits] = done(supervisor.get("/approvals"))["items"]
    approved = done(supervisor.post(f"/approvals/{asked['id']}/approve"))

    closed = done(lead.does("close", case, closing(), approval=asked["id"]))

    assert (asked["decision"], asked["action"]) == ("pending", "case.close")
    assert asked["subject"] == f"cases/{case['code']}"
    assert (waits["id"], waits["asked_by_you"]) == (asked["id"], False)
    assert approved["decision"] == "approved"
    assert (closed["state"], closed["stage"]) == ("closed", "closure")
    assert closed["closure_reason"] == "GOALS_MET"
    assert list(actions(closed)) == ["reopen"]
    assert kinds(officer.hears())[-1] == "case.closed"


def test_asking_changes_nothing_and_tells_the_focal_point_alone(
    lead: Someone, officer: Someone, case: Json
) -> None:
    before = officer.hears()

    asked = ask_to_close(lead, case)

    assert lead.sees(case)["state"] == "referring"
    told = lead.hears()[-1]
    assert (told["type"], told["subject"]) == ("approval.asked", f"approvals/{asked['id']}")
    assert told["facts"] == {"action": "case.close", "subject": f"cases/{case['code']}"}
    assert before
    assert officer.hears() == []


def test_what_only_a_second_person_is_missing_from_is_asked_and_the_rest_refused(
    lead: Someone, case: Json
) -> None:
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))

    refused = lead.does("close", case, closing(person_informed=False))

    assert lacks(refused) == [("nothing_open", "holder"), ("person_informed", "holder")]
    assert done(lead.get("/approvals"))["items"] == []
    [in_the_way] = actions(lead.sees(case))["close"]["unmet"]
    assert in_the_way["need"] == "nothing_open"


@pytest.mark.parametrize("reason", ClosureReason)
def test_a_case_is_closed_without_telling_the_person_for_three_reasons_alone(
    officer: Someone,
    lead: Someone,
    supervisor: Someone,
    case: Json,
    reason: ClosureReason,
) -> None:
    """The person cannot be reached or is dead, or another case of the person continues."""
    body = closing(reason=reason, person_informed=False)
    if reason == ClosureReason.DUPLICATE:
        body["continues_in"] = lead.leads(officer.submits())["code"]
    asked = lead.does("close", case, body)
    if reason not in {"LOST_CONTACT", "DEATH", "DUPLICATE"}:
        assert lacks(asked) == [("person_informed", "holder")]
        return
    done(supervisor.post(f"/approvals/{asked.json()['id']}/approve"))

    closed = done(lead.does("close", case, body, approval=asked.json()["id"]))

    assert (closed["state"], closed["closure_reason"]) == ("closed", reason)


def test_a_candidate_closes_what_it_acknowledged(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = officer.submits()
    done(lead.does("acknowledge", case))
    duplicate = {
        "reason": "DUPLICATE",
        "continues_in": lead.leads(officer.submits())["code"],
    }
    asked = ask_to_close(lead, case, **duplicate)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))

    closed = lead.does("close", case, closing(**duplicate), approval=asked["id"])

    assert done(closed)["state"] == "closed"


def test_closing_revokes_what_was_never_sent(
    lead: Someone, supervisor: Someone, shelter: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN", send=False))
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))

    done(lead.does("close", case, closing(), approval=asked["id"]))

    assert lead.sees(draft)["state"] == "revoked"
    assert shelter.hears() == []


def test_nobody_is_their_own_second_person(lead: Someone, case: Json) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"

    assert problem(lead.post(f"{path}/approve")) == (409, "not-a-second-person")
    assert problem(lead.post(f"{path}/refuse")) == (409, "not-a-second-person")
    assert done(lead.get(path))["decision"] == "pending"


def test_a_machine_is_nobodys_second_person(
    world: World, lead: Someone, case: Json
) -> None:
    machine = world.someone("KZ_LEAD", {Role.COORDINATOR}, kind=AccountKind.INTEGRATION)

    refused = machine.post(f"/approvals/{ask_to_close(lead, case)['id']}/approve")

    assert problem(refused) == (409, "not-a-second-person")


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
    asked = ask_to_close(lead, case)

    answered = world.someone("KZ_LEAD", {role}).post(f"/approvals/{asked['id']}/approve")

    assert answered.status_code == status
    assert status == 200 or problem(answered) == (403, "role-missing")


def test_another_focal_point_knows_of_no_question(
    world: World, lead: Someone, case: Json
) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"
    other = world.someone("UZ_CONSULATE_ALMATY", SECOND)

    hidden = [other.get(path), other.post(f"{path}/approve"), other.post(f"{path}/refuse")]

    assert {problem(answer) for answer in hidden} == {(404, "not-found")}
    assert done(other.get("/approvals"))["items"] == []


def test_what_was_refused_allows_nothing_and_can_be_asked_anew(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    first = ask_to_close(lead, case)
    refused = done(supervisor.post(f"/approvals/{first['id']}/refuse"))

    closing_it = lead.does("close", case, closing(), approval=first["id"])
    again = supervisor.post(f"/approvals/{first['id']}/approve")

    assert refused["decision"] == "refused"
    assert problem(closing_it) == (409, "approval-unusable")
    assert problem(again) == (409, "approval-decided")
    assert ask_to_close(lead, case)["id"] != first["id"]


def test_what_is_still_pending_allows_nothing(lead: Someone, case: Json) -> None:
    asked = ask_to_close(lead, case)

    refused = lead.does("close", case, closing(), approval=asked["id"])

    assert problem(refused) == (409, "approval-unusable")
    assert lead.sees(case)["state"] == "referring"


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_a_question_waits_in_the_worklist_until_it_is_decided(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json, decision: str
) -> None:
    asked = ask_to_close(lead, case)
    subject = f"approvals/{asked['id']}"
    [waits] = [w for w in list_worklist(supervisor) if w["kind"] == "approve"]

    done(supervisor.post(f"/{subject}/{decision}"))

    assert (waits["subject"], waits["due_at"]) == (subject, "2026-06-04T12:00:00Z")
    assert [w for w in list_worklist(supervisor) if w["kind"] == "approve"] == []
    assert "approve" not in [w["kind"] for w in list_worklist(officer)]
    told = lead.hears()[-1]
    word = {"approve": "approved", "refuse": "refused"}[decision]
    assert (told["type"], told["subject"]) == ("approval.decided", subject)
    assert told["facts"] == {"decision": word, "subject": f"cases/{case['code']}"}
    assert not [e for e in officer.hears() if e["type"].startswith("approval.")]


def list_worklist(who: Someone) -> list[Json]:
    return list(done(who.get("/worklist"))["items"])


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_the_same_person_may_say_the_same_again_and_nobody_else(
    world: World, lead: Someone, supervisor: Someone, case: Json, decision: str
) -> None:
    path = f"/approvals/{ask_to_close(lead, case)['id']}"
    first = done(supervisor.post(f"{path}/{decision}"))
    lead.hears()
    third = world.someone("KZ_LEAD", SECOND)

    again = done(supervisor.post(f"{path}/{decision}"))

    assert again == first
    assert lead.hears() == []
    assert problem(third.post(f"{path}/{decision}")) == (409, "approval-decided")
    done(supervisor.post(f"{path}/refuse"))
    assert problem(supervisor.post(f"{path}/approve")) == (409, "approval-decided")


def test_a_question_lapses_after_72_hours(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    assert asked["lapses_at"] == "2026-06-04T12:00:00Z"
    world.passes(hours=72)

    late = supervisor.post(f"/approvals/{asked['id']}/approve")

    assert problem(late) == (409, "approval-decided")
    assert done(supervisor.get("/approvals"))["items"] == []
    assert ask_to_close(lead, case)["id"] != asked["id"]


def test_an_approval_lapses_too(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    world.passes(hours=71)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    world.passes(hours=1)

    refused = lead.does("close", case, closing(), approval=asked["id"])

    assert problem(refused) == (409, "approval-unusable")


def test_an_approval_is_spent_once(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("close", case, closing(), approval=asked["id"]))

    again = lead.does("close", case, closing(), approval=asked["id"])
    other = lead.leads(officer.submits())
    elsewhere = lead.does("close", other, closing(), approval=asked["id"])

    assert done(lead.get(f"/approvals/{asked['id']}"))["decision"] == "spent"
    assert problem(again) == (409, "action-illegal")
    assert problem(elsewhere) == (409, "approval-unusable")


@pytest.mark.parametrize(
    "changes",
    [{"reason": "LOST_CONTACT"}, {"note": "Anything else"}],
    ids=["reason", "note"],
)
def test_an_approval_is_of_the_very_same_request(
    lead: Someone, supervisor: Someone, case: Json, changes: Json
) -> None:
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))

    refused = lead.does("close", case, closing(**changes), approval=asked["id"])

    assert problem(refused) == (409, "approval-unusable")
    assert done(lead.does("close", case, closing(), approval=asked["id"]))


def test_an_approval_is_of_whoever_asked(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    colleague = world.someone("KZ_LEAD")

    refused = colleague.does("close", case, closing(), approval=asked["id"])

    assert problem(refused) == (409, "approval-unusable")


def test_an_approval_that_does_not_exist_allows_nothing(lead: Someone, case: Json) -> None:
    refused = lead.does("close", case, closing(), approval=str(uuid4()))

    assert problem(refused) == (409, "approval-unusable")


def test_an_approval_does_not_replace_the_other_needs(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    sent = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))

    refused = lead.does("close", case, closing(), approval=asked["id"])
    done(lead.does("revoke", sent, {"reason": "NO_LONGER_NEEDED"}))

    assert lacks(refused) == [("nothing_open", "holder")]
    assert done(lead.does("close", case, closing(), approval=asked["id"]))


def test_asked_twice_it_is_one_question(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    first, again = ask_to_close(lead, case), ask_to_close(lead, case)
    other = ask_to_close(lead, case, reason="LOST_CONTACT")

    listed = [one["id"] for one in done(supervisor.get("/approvals"))["items"]]

    assert first == again
    assert listed == [first["id"], other["id"]]


def test_a_retry_under_the_same_key_answers_as_the_first_time(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    asked = lead.does("close", case, closing(), idempotency_key="a")
    replayed = lead.does("close", case, closing(), idempotency_key="a")
    question = asked.json()["id"]
    done(supervisor.post(f"/approvals/{question}/approve"))
    headers = {"approval": question, "idempotency_key": "b"}

    closed = lead.does("close", case, closing(), **headers)
    again = lead.does("close", case, closing(), **headers)

    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (202, "true")
    assert replayed.json()["id"] == question
    assert done(closed) == done(again)


def test_once_a_case_is_closed_its_sections_are_shut(
    officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    path = f"/cases/{case['code']}/sections/needs"
    assert {lead.opens(path).status_code, officer.opens(path).status_code} == {200}
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))

    done(lead.does("close", case, closing(), approval=asked["id"]))

    assert {lead.opens(path).status_code, officer.opens(path).status_code} == {404}


def test_what_was_promised_stays_with_a_case_until_it_is_completed(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    done(shelter.does("accept", sent, promise()))
    done(shelter.does("start", sent, {"person_met": True}))

    early = lead.does("close", case, closing())
    report = {"outcome": "delivered", "feedback": "Всё хорошо"}
    done(shelter.does("complete", sent, report))

    assert lacks(early) == [("nothing_open", "holder")]
    assert ask_to_close(lead, case)["decision"] == "pending"


def test_a_word_about_a_case_ends_with_the_state_it_was_about(
    officer: Someone, lead: Someone, shelter: Someone, supervisor: Someone
) -> None:
    case = lead.leads(officer.submits())
    asked = ask_to_close(lead, case)
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    referral = done(lead.refers(case, shelter.code))
    done(shelter.does("accept", referral, promise()))
    done(shelter.does("start", referral, {"person_met": True}))
    done(shelter.does("complete", referral, {"outcome": "delivered", "feedback": "Afraid"}))

    refused = lead.does("close", case, closing(), approval=asked["id"])

    assert lead.sees(case)["state"] == "assisting"
    assert problem(refused) == (409, "approval-unusable")
    assert ask_to_close(lead, case)["id"] != asked["id"]


@pytest.mark.parametrize("how", ["close", "stop"])
@pytest.mark.parametrize("led", [False, True])
def test_a_case_that_nobody_led_is_written_anew_and_one_that_was_led_is_opened_again(
    officer: Someone, lead: Someone, supervisor: Someone, how: str, *, led: bool
) -> None:
    case = officer.submits(external_reference="A/7")
    if led:
        lead.leads(case)
    else:
        done(lead.does("acknowledge", case))
    if how == "close":
        done(lead.does_with(supervisor, "close", case, closing()))
    else:
        done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    opened = lead.does("reopen", case, {"reason": "SURVIVOR_REQUEST"})
    anew = officer.writes_case(external_reference="A/7")

    assert opened.is_success is led
    if led:
        assert problem(anew) == (409, "external-reference-taken")
    else:
        assert problem(opened) == (403, "action-not-yours")
        assert done(anew)["code"] != case["code"]


def test_what_is_not_taken_back_any_more_is_stopped_by_the_holder_as_its_submitter_is_told(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
    done(lead.does("revoke", done(lead.refers(case, SHELTER)), {"reason": "SENT_IN_ERROR"}))

    refused = officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"})

    assert lacks(refused) == [("nothing_sent", "holder")]
    told = refused.json()["unmet"][0]["remedy"]
    assert told == "A referral was sent. Ask the holder to stop the case."
    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    assert officer.sees(case)["state"] == "closed"
