"""Tests of the facts of a case: which offices can record them, and which can read them."""

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

PRESUMED: Json = {
    "name": "identification",
    "value": "presumed",
    "country": "KZ",
    "note": "Signs",
}
REFLECTION: Json = {"name": "reflection_period", "value": "offered", "country": "KZ"}
SPOKEN_FOR: Json = {"name": "guardian", "value": "not_needed"}
SERVICES = ["GUARDIANSHIP", "SHELTER", "IDENTIFICATION", "LEGAL_AID"]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead, and consents to more services than usual."""
    given = [make_consent(), make_service_consent(purposes=[*SERVICES, "LAW_ENFORCEMENT"])]
    return lead.take_lead(officer.submit(consents=given))


def get_facts_path(case: Json) -> str:
    return f"{get_path(case)}/facts"


def list_facts(who: Someone, case: Json) -> list[tuple[str, str]]:
    items = unwrap(who.get(get_facts_path(case)))["items"]
    return [(fact["name"], fact["value"]) for fact in items]


def refer_and_answer(
    lead: Someone, recipient: Someone, case: Json, service: str, *, answer: str = "accept"
) -> Json:
    sent = unwrap(lead.refer(case, recipient.code, service=service))
    body = make_acceptance() if answer == "accept" else {"reason": "NO_CAPACITY"}
    return unwrap(recipient.does(answer, sent, body))


def test_a_fact_is_recorded_with_who_said_so_and_when(
    officer: Someone, lead: Someone, case: Json
) -> None:
    lead.poll(), officer.poll()
    version = lead.read(case)["version"]

    recorded = lead.create(get_facts_path(case), PRESUMED)

    assert recorded.status_code == 201
    fact = unwrap(recorded)
    del fact["id"]
    assert fact == {
        "name": "identification",
        "value": "presumed",
        "country": "KZ",
        "body": "KZ_LEAD",
        "ends_on": None,
        "recorded_by": "KZ_LEAD",
        "recorded_at": "2026-06-01T12:00:00Z",
        "due_at": None,
    }
    assert lead.read(case)["version"] == version + 1
    [event] = lead.poll()
    assert (event["type"], event["facts"]) == (
        "case.fact_recorded",
        {"name": "identification"},
    )
    assert officer.poll() == []
    assert ("identification", "Signs") in lead.list_notes(case)


def test_which_body_decided_can_be_another(lead: Someone, case: Json) -> None:
    named = unwrap(lead.create(get_facts_path(case), PRESUMED | {"body": "UZ_LEAD"}))
    unknown = lead.create(get_facts_path(case), PRESUMED | {"body": "NOBODY_AT_ALL"})

    assert (named["body"], named["recorded_by"]) == ("UZ_LEAD", "KZ_LEAD")
    assert get_problem(unknown) == (422, "focal-point-unknown")


def test_a_fact_keeps_its_small_history(lead: Someone, case: Json) -> None:
    for value in ("presumed", "formally_identified"):
        unwrap(lead.create(get_facts_path(case), PRESUMED | {"value": value}))

    assert list_facts(lead, case) == [
        ("identification", "presumed"),
        ("identification", "formally_identified"),
    ]


def test_a_fact_is_recorded_once_however_often_it_is_sent(
    lead: Someone, case: Json
) -> None:
    unkeyed = lead.send(get_facts_path(case), PRESUMED)
    both = [lead.create(get_facts_path(case), PRESUMED, "once") for _ in range(2)]

    assert get_problem(unkeyed) == (400, "idempotency-key-missing")
    assert unwrap(both[0]) == unwrap(both[1])
    assert len(list_facts(lead, case)) == 1


def test_the_submitter_records_until_there_is_a_lead(
    officer: Someone, lead: Someone
) -> None:
    draft = unwrap(officer.create_case())
    unwrap(officer.create(get_facts_path(draft), PRESUMED))
    unwrap(officer.does("submit", draft))
    early = lead.create(get_facts_path(draft), PRESUMED)
    lead.take_lead(draft)

    late = officer.create(get_facts_path(draft), PRESUMED)

    assert get_problem(early) == get_problem(late) == (403, "action-not-yours")
    assert list_facts(officer, draft) == []
    assert list_facts(lead, draft) == [("identification", "presumed")]


def test_who_was_asked_to_find_out_records_what_it_found(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    refer_and_answer(lead, shelter, case, "IDENTIFICATION")
    unwrap(lead.create(get_facts_path(case), SPOKEN_FOR))
    lead.poll(), officer.poll()

    unwrap(shelter.create(get_facts_path(case), PRESUMED))

    assert get_problem(shelter.create(get_facts_path(case), SPOKEN_FOR)) == (
        403,
        "action-not-yours",
    )
    assert list_facts(shelter, case) == [("identification", "presumed")]
    assert list_facts(lead, case)[-1] == ("identification", "presumed")
    [event] = lead.poll()
    assert (event["type"], event["by"]) == ("case.fact_recorded", "KZ_SHELTER_KOGERSHIN")
    assert officer.poll() == []
    assert shelter.list_notes(case) == []
    assert ("identification", "Signs") in lead.list_notes(case)


@pytest.mark.parametrize(
    ("service", "answer", "told"),
    [
        ("SHELTER", "accept", (403, "action-not-yours")),
        ("IDENTIFICATION", "decline", (404, "not-found")),
    ],
)
def test_who_was_asked_for_something_else_or_declined_records_nothing(  # noqa: PLR0913, PLR0917
    lead: Someone,
    shelter: Someone,
    case: Json,
    service: str,
    answer: str,
    told: tuple[int, str],
) -> None:
    refer_and_answer(lead, shelter, case, service, answer=answer)
    unwrap(lead.create(get_facts_path(case), PRESUMED))

    assert get_problem(shelter.create(get_facts_path(case), PRESUMED)) == told
    listed = shelter.get(get_facts_path(case))
    assert listed.status_code == 404 or unwrap(listed)["items"] == []


def test_who_found_out_adds_nothing_once_the_case_has_ended(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    helped = refer_and_answer(lead, shelter, case, "IDENTIFICATION")
    unwrap(shelter.does("start", helped, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Всё хорошо"}
    unwrap(shelter.does("complete", helped, report))
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    late = shelter.create(get_facts_path(case), PRESUMED)

    assert get_problem(late) == (403, "action-not-yours")
    assert list_facts(lead, case) == []


def test_facts_are_nobody_elses(
    world: World, officer: Someone, lead: Someone, stranger: Someone, case: Json
) -> None:
    unwrap(lead.create(get_facts_path(case), PRESUMED))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    second = world.add_person("KZ_LEAD", {Role.SUPERVISOR})

    assert list_facts(watcher, case) == list_facts(officer, case) == []
    assert get_problem(watcher.create(get_facts_path(case), PRESUMED)) == (
        403,
        "action-not-yours",
    )
    assert get_problem(second.create(get_facts_path(case), PRESUMED)) == (
        403,
        "role-missing",
    )
    assert get_problem(stranger.get(get_facts_path(case))) == (404, "not-found")
    assert get_problem(stranger.create(get_facts_path(case), PRESUMED)) == (
        404,
        "not-found",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "running"},
        {"ends_on": "2026-07-01"},
        {"value": "appointed"},
        {"name": "legal_hold", "value": "in_force"},
        {"name": "guardian", "value": "appointed"},
        {"country": None},
    ],
)
def test_a_fact_says_what_its_name_allows(lead: Someone, case: Json, changes: Json) -> None:
    refused = lead.create(get_facts_path(case), REFLECTION | changes)

    assert refused.status_code == 422
    assert list_facts(lead, case) == []


def test_the_police_wait_until_the_person_knows_of_the_time_to_recover(
    lead: Someone, case: Json
) -> None:
    ask = {"service": "LAW_ENFORCEMENT", "sections": []}
    early = lead.refer(case, "KZ_SHELTER_KOGERSHIN", **ask)
    elsewhere = unwrap(lead.create(get_facts_path(case), REFLECTION | {"country": "UZ"}))
    still = lead.refer(case, "KZ_SHELTER_KOGERSHIN", **ask)

    unwrap(lead.create(get_facts_path(case), REFLECTION))

    assert elsewhere["country"] == "UZ"
    for refused in (early, still):
        assert [u["requirement"] for u in refused.json()["unmet"]] == ["reflection_told"]
    assert unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", **ask))["state"] == "sent"


def test_no_help_waits_for_a_fact(lead: Someone, shelter: Someone, case: Json) -> None:
    unwrap(lead.create(get_facts_path(case), PRESUMED | {"value": "not_victim"}))

    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"
    assert "case.assistance_begun" in list_types(lead.poll())


def test_a_period_that_runs_says_until_when(officer: Someone) -> None:
    case = officer.submit()
    running = {"name": "reflection_period", "value": "running", "country": "KZ"}

    refused = officer.create(f"/cases/{case['code']}/facts", running)
    missing = officer.create(f"/cases/{case['code']}/facts", {"name": "guardian"})

    assert refused.json()["errors"] == [
        {
            "pointer": "#",
            "code": "end_unclear",
            "detail": "Give `ends_on` if and only if `value` is `running`.",
        }
    ]
    assert [error["pointer"] for error in missing.json()["errors"]] == ["#/value"]
