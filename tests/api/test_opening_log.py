"""Tests of the access log, and of the events that report replaced documents of a case."""

import pytest

from app.kernel.actors import Role
from tests.support.databases import record_statements
from tests.support.world import (
    NOTICE,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_acceptance,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

HIDDEN = (404, "not-found")
BACK: Json = {"reason": "NO_LONGER_NEEDED"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [make_consent(), make_service_consent(sections=["needs"])]
    return lead.take_lead(officer.submit(consents=given))


@pytest.fixture
def sent(case: Json, lead: Someone, shelter: Someone) -> Json:
    """Return an accepted referral to a shelter that may read the section `needs`."""
    sent = unwrap(lead.refer(case, shelter.code))
    return unwrap(shelter.does("accept", sent, make_acceptance()))


def list_log_entries(
    who: Someone, case: Json, subject: str
) -> list[tuple[str, bool, bool]]:
    """Return the office, result and emergency flag of each log entry on a subject."""
    items = unwrap(who.get(f"{get_path(case)}/access-log", limit=200))["items"]
    return [
        (one["focal_point"], one["allowed"], one["in_emergency"])
        for one in items
        if one["subject"] == subject
    ]


def test_the_safety_notice_is_told_to_who_helps_and_to_nobody_else_or_afterwards(
    world: World, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    path, watcher = f"{get_path(case)}/safety-alert", world.add_person("OVERSIGHT_DEMO")
    document = unwrap(shelter.open(path))
    unwrap(lead.does("withdraw", sent, BACK))

    assert get_problem(shelter.open(path)) == get_problem(watcher.open(path)) == HIDDEN
    assert document["safety_alert"] == "Two men"
    assert list_log_entries(lead, case, "safety_alert") == [
        (shelter.code, True, False),
        (watcher.code, False, False),
    ]


def test_where_nothing_is_written_there_is_no_safety_notice(officer: Someone) -> None:
    draft = unwrap(officer.create_case(sections=[], summary=NOTICE))

    assert get_problem(officer.open(f"{get_path(draft)}/safety-alert")) == HIDDEN


def test_nor_is_there_one_for_who_leads(officer: Someone, lead: Someone) -> None:
    case = lead.take_lead(officer.submit(sections=[]))

    assert get_problem(lead.open(f"{get_path(case)}/safety-alert")) == HIDDEN
    assert list_log_entries(lead, case, "safety_alert") == [(lead.code, True, False)]


def test_whom_to_reach_at_the_lead_nobody_writes_before_there_is_one(
    officer: Someone,
) -> None:
    draft = unwrap(officer.create_case())
    seen = {"If_Match": officer.get_tag(draft)}
    body = {"contacts": make_contacts("Ержан", "Аружан")}

    refused = officer.ask("PUT", f"{get_path(draft)}/contacts", body, headers=seen)

    assert get_problem(refused) == (403, "action-not-yours")


def test_what_was_allowed_anyway_rests_on_no_emergency(
    world: World, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    path = f"{get_path(case)}/emergency-access"
    why = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    access = unwrap(shelter.create(path, why | {"sections": ["needs", "contact"]}))
    unwrap(watcher.send(f"{path}/{access['id']}/grant"))

    for section in ("needs", "contact"):
        unwrap(shelter.open(f"{get_path(case)}/sections/{section}", "protection"))

    assert sent["sections"] == ["needs"]
    for reader in (lead, watcher):
        assert list_log_entries(reader, case, "needs") == [(shelter.code, True, False)]
        assert list_log_entries(reader, case, "contact") == [(shelter.code, True, True)]


def replace_part(who: Someone, case: Json, part: str, body: Json) -> None:
    """Replace a section or another sealed document of a case."""
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PUT", f"{get_path(case)}/{part}", body, headers=seen))


def list_rewritten_sections(*people: Someone) -> list[list[str]]:
    """Return, for each person, the type and section of each new event about a rewrite."""
    new_events = ([e for e in who.poll() if "written" in e["type"]] for who in people)
    return [
        [f"{e['type']} {e['facts']['section']}" for e in events] for events in new_events
    ]


ANEW: Json = {"section": "narrative", "text": "Told anew"}


def test_what_is_written_anew_is_told_to_who_keeps_the_case_and_to_nobody_else(
    officer: Someone, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    replace_part(lead, case, "sections/narrative", ANEW)
    replace_part(lead, case, "contacts", {"contacts": make_contacts("Ержан", "Аружан")})

    assert list_rewritten_sections(officer, lead, shelter) == [
        [],
        ["case.section_written narrative", "case.section_written contacts"],
        [],
    ]
    assert sent["state"] == "accepted"


def test_a_candidate_hears_what_is_written_before_it_takes_the_case_and_no_fear(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    replace_part(officer, case, "sections/narrative", ANEW)
    replace_part(officer, case, "safeguards", {"country_of_origin": "TM"})

    assert list_rewritten_sections(officer, lead) == [
        ["case.section_written narrative", "case.section_written safeguards"],
        ["case.section_written narrative"],
    ]


@pytest.mark.parametrize("office", ["KZ_LEAD", "OVERSIGHT_DEMO"])
def test_who_opened_what_is_for_who_works_on_cases_and_for_who_protects(
    world: World, case: Json, office: str
) -> None:
    path = f"{get_path(case)}/access-log"
    readers = {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR, Role.PROTECTION_OFFICER}

    found = {role: world.add_person(office, {role}).get(path) for role in Role}

    assert {role for role, answer in found.items() if answer.is_success} == readers
    assert {found[role].status_code for role in set(Role) - readers} == {403}
    assert get_problem(found[Role.SUPERVISOR]) == (403, "role-missing")
    assert found[Role.SUPERVISOR].json()["detail"] == (
        "This needs one of the roles caseworker, coordinator, officer, protection_officer."
    )


def test_in_an_emergency_only_who_works_on_cases_reads(
    world: World, case: Json, sent: Json, shelter: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    path = f"{get_path(case)}/emergency-access"
    why = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    access = unwrap(shelter.create(path, why | {"sections": ["contact"]}))
    unwrap(watcher.send(f"{path}/{access['id']}/grant"))
    section = f"{get_path(case)}/sections/contact"
    other = world.add_person(shelter.code, {Role.SUPERVISOR})

    assert get_problem(other.open(section, "protection")) == HIDDEN
    assert unwrap(shelter.open(section, "protection"))["section"] == "contact"
    assert sent["state"] == "accepted"


def test_what_a_paper_is_judged_by_is_read_after_it(
    world: World, case: Json, sent: Json, shelter: Someone
) -> None:
    with record_statements(world.database) as statements:
        unwrap(shelter.open(f"{get_path(case)}/sections/needs"))

    found = [one for one, said in enumerate(statements) if "FROM sealed" in said]
    after = " ".join(statements[found[0] + 1 :])
    assert sent["sections"] == ["needs"]
    assert "FROM party" in after or "JOIN party" in after
    assert "FROM referral" in after
