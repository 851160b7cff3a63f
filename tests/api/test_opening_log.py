"""Tests that openings and refusals are logged and that rewrites are events (R17)."""

import pytest

from app.kernel.actors import Role
from tests.support.databases import overheard
from tests.support.world import (
    NOTICE,
    Json,
    Someone,
    World,
    consent,
    contacts,
    done,
    for_services,
    path_of,
    problem,
    promise,
)

HIDDEN = (404, "not-found")
BACK: Json = {"reason": "NO_LONGER_NEEDED"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [consent(), for_services(sections=["needs"])]
    return lead.leads(officer.submits(consents=given))


@pytest.fixture
def sent(case: Json, lead: Someone, shelter: Someone) -> Json:
    """An accepted referral to a shelter that may read the section `needs`."""
    sent = done(lead.refers(case, shelter.code))
    return done(shelter.does("accept", sent, promise()))


def list_log_entries(
    who: Someone, case: Json, subject: str
) -> list[tuple[str, bool, bool]]:
    """Return the office, result and emergency flag of each log entry of a subject."""
    items = done(who.get(f"{path_of(case)}/access-log", limit=200))["items"]
    return [
        (one["focal_point"], one["allowed"], one["in_emergency"])
        for one in items
        if one["subject"] == subject
    ]


def test_the_safety_notice_is_told_to_who_helps_and_to_nobody_else_or_afterwards(
    world: World, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    path, watcher = f"{path_of(case)}/safety-notice", world.someone("OVERSIGHT_DEMO")
    told = done(shelter.opens(path))
    done(lead.does("withdraw", sent, BACK))

    assert problem(shelter.opens(path)) == problem(watcher.opens(path)) == HIDDEN
    assert told["safety_notice"] == "Two men"
    assert list_log_entries(lead, case, "safety_notice") == [
        (shelter.code, True, False),
        (watcher.code, False, False),
    ]


def test_where_nothing_is_written_there_is_no_safety_notice(officer: Someone) -> None:
    draft = done(officer.writes_case(sections=[], notice=NOTICE))

    assert problem(officer.opens(f"{path_of(draft)}/safety-notice")) == HIDDEN


def test_nor_is_there_one_for_who_leads(officer: Someone, lead: Someone) -> None:
    case = lead.leads(officer.submits(sections=[]))

    assert problem(lead.opens(f"{path_of(case)}/safety-notice")) == HIDDEN
    assert list_log_entries(lead, case, "safety_notice") == [(lead.code, True, False)]


def test_whom_to_reach_at_the_lead_nobody_writes_before_there_is_one(
    officer: Someone,
) -> None:
    draft = done(officer.writes_case())
    seen = {"If_Match": officer.tag(draft)}
    body = {"contacts": contacts("Ержан", "Аружан")}

    refused = officer.ask("PUT", f"{path_of(draft)}/contacts", body, headers=seen)

    assert problem(refused) == (403, "action-not-yours")


def test_what_was_allowed_anyway_rests_on_no_emergency(
    world: World, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    path = f"{path_of(case)}/vital-readings"
    why = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    asked = done(shelter.creates(path, why | {"sections": ["needs", "contact"]}))
    done(watcher.post(f"{path}/{asked['id']}/permit"))

    for section in ("needs", "contact"):
        done(shelter.opens(f"{path_of(case)}/sections/{section}", "protection"))

    assert sent["sections"] == ["needs"]
    for reader in (lead, watcher):
        assert list_log_entries(reader, case, "needs") == [(shelter.code, True, False)]
        assert list_log_entries(reader, case, "contact") == [(shelter.code, True, True)]


def replace_part(who: Someone, case: Json, part: str, body: Json) -> None:
    """Replace a part of a case."""
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PUT", f"{path_of(case)}/{part}", body, headers=seen))


def list_rewritten_sections(*people: Someone) -> list[list[str]]:
    """Return the sections that each office is told were rewritten."""
    heard = ([e for e in who.hears() if "written" in e["type"]] for who in people)
    return [[f"{e['type']} {e['facts']['section']}" for e in events] for events in heard]


ANEW: Json = {"section": "narrative", "text": "Told anew"}


def test_what_is_written_anew_is_told_to_who_keeps_the_case_and_to_nobody_else(
    officer: Someone, lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    replace_part(lead, case, "sections/narrative", ANEW)
    replace_part(lead, case, "contacts", {"contacts": contacts("Ержан", "Аружан")})

    assert list_rewritten_sections(officer, lead, shelter) == [
        [],
        ["case.section_written narrative", "case.section_written contacts"],
        [],
    ]
    assert sent["state"] == "accepted"


def test_a_candidate_hears_what_is_written_before_it_takes_the_case_and_no_fear(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
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
    path = f"{path_of(case)}/access-log"
    readers = {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR, Role.PROTECTION_OFFICER}

    found = {role: world.someone(office, {role}).get(path) for role in Role}

    assert {role for role, answer in found.items() if answer.is_success} == readers
    assert {found[role].status_code for role in set(Role) - readers} == {403}
    assert problem(found[Role.SUPERVISOR]) == (403, "role-missing")
    assert found[Role.SUPERVISOR].json()["detail"] == (
        "This needs one of the roles caseworker, coordinator, officer, protection_officer."
    )


def test_in_an_emergency_only_who_works_on_cases_reads(
    world: World, case: Json, sent: Json, shelter: Someone
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    path = f"{path_of(case)}/vital-readings"
    why = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    asked = done(shelter.creates(path, why | {"sections": ["contact"]}))
    done(watcher.post(f"{path}/{asked['id']}/permit"))
    section = f"{path_of(case)}/sections/contact"
    other = world.someone(shelter.code, {Role.SUPERVISOR})

    assert problem(other.opens(section, "protection")) == HIDDEN
    assert done(shelter.opens(section, "protection"))["section"] == "contact"
    assert sent["state"] == "accepted"


def test_what_a_paper_is_judged_by_is_read_after_it(
    world: World, case: Json, sent: Json, shelter: Someone
) -> None:
    with overheard(world.database) as statements:
        done(shelter.opens(f"{path_of(case)}/sections/needs"))

    found = [one for one, said in enumerate(statements) if "FROM sealed" in said]
    after = " ".join(statements[found[0] + 1 :])
    assert sent["sections"] == ["needs"]
    assert "FROM party" in after or "JOIN party" in after
    assert "FROM referral" in after
