"""Tests of questions to the submitter of a case: their readers and their deadlines."""

from uuid import uuid4

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    unwrap,
)

ASK: Json = {"topics": ["needs", "contact", "needs"], "question": "Can she read?"}
SAY: Json = {"answer": "Yes, Uzbek"}
HER_WORDS = "Can she read?"


def build_questions_path(case: Json) -> str:
    return f"{get_path(case)}/questions"


def ask_submitter(who: Someone, case: Json) -> Json:
    return unwrap(who.create(build_questions_path(case), ASK))


def build_answer_path(case: Json, question: Json) -> str:
    return f"{build_questions_path(case)}/{question['id']}/answer"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


def test_a_question_is_put_and_answered_in_words_that_both_sides_read(
    officer: Someone, lead: Someone, case: Json
) -> None:
    officer.poll(), lead.poll()

    question = ask_submitter(lead, case)
    waits = officer.get_worklist()
    read = officer.list_notes(case)
    answered = unwrap(officer.send(build_answer_path(case, question), SAY))

    assert (question["topics"], question["answered_at"]) == (["contact", "needs"], None)
    assert waits == [(f"cases/{case['code']}", "answer", "2026-06-02T12:00:00Z")]
    assert (f"question {question['id']}", HER_WORDS) in read
    assert answered["answered_at"] == "2026-06-01T12:00:00Z"
    assert officer.get_worklist() == []
    assert (f"answer {question['id']}", "Yes, Uzbek") in lead.list_notes(case)
    for one in (officer, lead):
        events = one.poll()
        assert list_types(events) == ["case.asked", "case.answered"]
        assert [event["facts"] for event in events] == [{"question": question["id"]}] * 2
        assert [q["id"] for q in unwrap(one.get(build_questions_path(case)))["items"]] == [
            question["id"]
        ]


def test_a_question_in_an_emergency_is_due_in_four_hours(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary={"priority": "emergency"}))

    ask_submitter(lead, case)

    assert officer.get_worklist()[0][2] == "2026-06-01T16:00:00Z"


def test_question_after_a_change_of_priority_is_due_by_the_priority_before(
    officer: Someone, lead: Someone, case: Json
) -> None:
    """The submitter must not learn the new priority of a case that is led (R12)."""
    changed = lead.ask(
        "PATCH",
        get_path(case),
        {"priority": "emergency"},
        headers={"If-Match": lead.get_tag(case)},
    )
    assert unwrap(changed)["summary"]["priority"] == "emergency"

    ask_submitter(lead, case)
    rest = {"reason": "SURVIVOR_REQUEST", "review_at": "2026-06-04T09:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    unwrap(lead.does("resume", case))

    assert [row[2] for row in officer.get_worklist()] == ["2026-06-02T12:00:00Z"]


def test_a_candidate_asks_and_reads_the_answer_once_it_acknowledged(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    question = ask_submitter(lead, case)
    unwrap(officer.send(build_answer_path(case, question), SAY))
    about = f"answer {question['id']}"

    before = [name for name, _ in lead.list_notes(case)]
    unwrap(lead.does("acknowledge", case))

    assert about not in before
    assert about in [name for name, _ in lead.list_notes(case)]


def test_a_desk_asks_and_reads_no_answer(world: World, officer: Someone) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    case = officer.submit(consents=[make_consent(focal_point="KZ_SHELTER_KOGERSHIN")])

    question = ask_submitter(desk, case)
    unwrap(officer.send(build_answer_path(case, question), SAY))

    assert [text for _, text in officer.list_notes(case) if text == HER_WORDS]
    assert desk.list_notes(case) == []


def test_a_submitter_that_is_feared_is_asked_no_more_and_keeps_what_it_was_asked(
    officer: Someone, lead: Someone, case: Json
) -> None:
    ask_submitter(lead, case)
    feared = {"country_of_origin": "UZ", "fear_of_state": True}
    match = {"If-Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", feared, headers=match))

    again = lead.create(build_questions_path(case), ASK)

    assert get_unmet(again) == [("recipient_safe", "holder")]
    assert [text for _, text in officer.list_notes(case)].count(HER_WORDS) == 1


def test_a_question_is_nobody_elses(
    world: World, officer: Someone, lead: Someone, shelter: Someone, stranger: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    question = ask_submitter(lead, case)
    for one in (watcher, shelter):
        event_types = list_types(one.poll())
        assert "case.asked" not in event_types
        assert unwrap(one.get(build_questions_path(case)))["items"] == []
        assert get_problem(one.create(build_questions_path(case), ASK)) == (
            403,
            "action-not-yours",
        )
        refused = one.send(build_answer_path(case, question), SAY)
        assert get_problem(refused) == (403, "action-not-yours")
        assert HER_WORDS not in [text for _, text in one.list_notes(case)]

    assert get_problem(officer.create(build_questions_path(case), ASK)) == (
        403,
        "action-not-yours",
    )
    assert get_problem(lead.send(build_answer_path(case, question), SAY)) == (
        403,
        "action-not-yours",
    )
    second = world.add_person("UZ_CONSULATE_ALMATY", {Role.SUPERVISOR})
    assert get_problem(second.send(build_answer_path(case, question), SAY)) == (
        403,
        "role-missing",
    )
    assert get_problem(stranger.get(build_questions_path(case))) == (404, "not-found")
    assert get_problem(stranger.send(build_answer_path(case, question), SAY)) == (
        404,
        "not-found",
    )


def test_a_question_is_answered_once(officer: Someone, lead: Someone, case: Json) -> None:
    path = build_answer_path(case, ask_submitter(lead, case))
    first = officer.send(path, SAY, idempotency_key="once")

    again = officer.send(path, SAY, idempotency_key="once")
    anew = officer.send(path, {"answer": "No"})

    assert unwrap(again) == unwrap(first)
    assert get_problem(anew) == (409, "question-answered")
    assert "No" not in [text for _, text in lead.list_notes(case)]


def test_a_question_of_another_case_is_not_there(
    officer: Someone, lead: Someone, case: Json
) -> None:
    other = lead.take_lead(officer.submit())
    question = ask_submitter(lead, other)

    for strange in (question, {"id": str(uuid4())}):
        assert get_problem(officer.send(build_answer_path(case, strange), SAY)) == (
            404,
            "not-found",
        )


def test_a_question_is_asked_once_however_often_it_is_sent(
    lead: Someone, case: Json
) -> None:
    unkeyed = lead.send(build_questions_path(case), ASK)
    both = [lead.create(build_questions_path(case), ASK, "once") for _ in range(2)]

    assert get_problem(unkeyed) == (400, "idempotency-key-missing")
    assert unwrap(both[0]) == unwrap(both[1])
    assert len(unwrap(lead.get(build_questions_path(case)))["items"]) == 1


def test_who_has_the_case_next_reads_what_was_asked_before(
    world: World, officer: Someone, lead: Someone
) -> None:
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submit(consents=[make_consent(), ngos])
    question = ask_submitter(lead, case)
    lead.does("decline-lead", case, {"reason": "LANGUAGE"})
    ngo = world.add_person("SANA_SEZIM")

    listed = unwrap(ngo.get(build_questions_path(case)))["items"]
    unwrap(ngo.does("acknowledge", case))

    assert [q["id"] for q in listed] == [question["id"]]
    assert HER_WORDS in [text for _, text in ngo.list_notes(case)]
    assert [kind for _, kind, _ in officer.get_worklist()] == ["answer"]


@pytest.mark.parametrize("ending", ["stop", "withdraw"])
def test_in_a_case_that_has_ended_nothing_is_asked_or_answered(
    officer: Someone, lead: Someone, ending: str
) -> None:
    case = officer.submit()
    question = ask_submitter(lead, case)
    reason = {"stop": "SURVIVOR_REQUEST", "withdraw": "DUPLICATE"}[ending]
    who = {"stop": lead, "withdraw": officer}[ending]
    unwrap(who.does(ending, case, {"reason": reason}))

    assert officer.get_worklist() == []
    assert get_problem(officer.send(build_answer_path(case, question), SAY)) == (
        409,
        "action-illegal",
    )
    assert [text for _, text in officer.list_notes(case) if text == HER_WORDS] == []


def test_what_nobody_answered_is_waited_for_again_once_the_case_is_reopened(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    question = ask_submitter(lead, case)
    world.advance(hours=4)
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    world.advance(hours=44)

    unwrap(lead.does("reopen", case, {"reason": "NEW_NEED"}))

    assert officer.get_worklist() == [
        (f"cases/{case['code']}", "answer", "2026-06-04T08:00:00Z")
    ]
    assert unwrap(officer.send(build_answer_path(case, question), SAY))["answered_at"]
    assert officer.get_worklist() == []


def test_each_look_at_the_notes_is_entered_also_where_there_was_nothing(
    world: World, officer: Someone
) -> None:
    desk, watcher = (
        world.add_person("DESK_CENTRAL_ASIA"),
        world.add_person("OVERSIGHT_DEMO"),
    )
    case = officer.submit(consents=[make_consent(focal_point="KZ_SHELTER_KOGERSHIN")])
    ask_submitter(desk, case)

    assert officer.list_notes(case)
    assert desk.list_notes(case) == []

    log = unwrap(watcher.get(f"{get_path(case)}/access-log"))["items"]
    assert [(e["focal_point"], e["subject"], e["allowed"]) for e in log] == [
        (officer.code, "note", True),
        (desk.code, "note", False),
    ]
