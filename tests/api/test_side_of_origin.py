"""A lead of the State of origin learns that other offices help, but not which (R12)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app.directory.models import FocalPoint
from tests.support.directory_changes import update_directory
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
    unwrap_only,
)

WOMEN, MIXED, LAW = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN", "KZ_LEGAL_AID"
HELPERS = (WOMEN, MIXED, LAW)
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
ELSEWHERE: Json = {"country_of_origin": "TM", "origin_contact": "permitted"}
HIDDEN = (404, "not-found")
WHOLE_COUNTRY = ("/recipients", "/routing")
"""Paths that list all offices of a country, even those that know nothing of the person."""


@pytest.fixture
def origin(world: World) -> Someone:
    """Return a person of the office of Uzbekistan, the State of origin."""
    return world.add_person("UZ_LEAD")


def build_consent(code: str, *purposes: str) -> Json:
    return make_consent(focal_point=code, purposes=[*purposes], sections=["needs"])


def create_referrals(world: World, lead: Someone, case: Json) -> list[Json]:
    """Return five referrals: in progress, accepted, redirected, declined and a draft."""
    women, mixed, law = map(world.add_person, HELPERS)
    kept = unwrap(lead.refer(case, WOMEN))
    unwrap(women.does("accept", kept, make_acceptance()))
    unwrap(women.does("start", kept, {"person_met": True}))
    unwrap(women.create(f"{get_path(case)}/risk-assessments", {"level": "medium"}))
    assert women.open(f"{get_path(case)}/sections/needs").is_success
    guard = unwrap(lead.refer(case, WOMEN, service="GUARDIANSHIP"))
    unwrap(women.does("accept", guard, make_acceptance()))
    fact = {"name": "guardian", "value": "needed"}
    unwrap(women.create(f"{get_path(case)}/facts", fact))
    sent_on = unwrap(lead.refer(case, MIXED))
    on = {"reason": "NO_CAPACITY", "alternative": LAW}
    unwrap(mixed.does("redirect", sent_on, on))
    advice = unwrap(lead.refer(case, LAW, service="LEGAL_AID"))
    unwrap(law.does("decline", advice, {"reason": "LANGUAGE"}))
    draft = unwrap(lead.refer(case, LAW, service="LEGAL_AID", send=False))
    return [kept, guard, sent_on, advice, draft]


def create_moved_case(
    world: World, lead: Someone, origin: Someone, *, guards: Json = HOME
) -> tuple[Json, list[Json]]:
    """Return a case whose lead is now the office of Uzbekistan, and its referrals."""
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    given = [make_consent(sections=ALL_SECTIONS), make_service_consent()]
    given += [
        build_consent(WOMEN, "SHELTER", "GUARDIANSHIP"),
        build_consent(LAW, "LEGAL_AID"),
    ]
    given += [make_handover_consent("UZ_LEAD", sections=ALL_SECTIONS)]
    case = lead.take_lead(officer.submit(safeguards=guards, consents=given))
    referrals = create_referrals(world, lead, case)
    world.advance(minutes=1)
    unwrap(origin.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    world.advance(minutes=1)
    return case, referrals


def read_everything(who: Someone, case: Json) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every response about a case and its referrals."""
    path = get_path(case)
    parts = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
    sealed = ("/recipients", "/access-log", "/notes", "/contacts", "/screenings")
    yield from ((one, who.open(f"{path}{one}").text) for one in (*parts, *sealed))
    lists = ("/cases", "/referrals", "/handovers", "/worklist", "/approvals", "/events")
    yield from ((one, who.get(one).text) for one in lists)
    for referral in unwrap(who.get("/referrals"))["items"]:
        for one in ("", "/evidence", "/arrangement", "/notes", "/return"):
            where = f"/referrals/{referral['id']}{one}"
            yield where, who.open(where).text


def list_missing_shelters(who: Someone, case: Json) -> set[str]:
    """Return the suitable shelters that the list of possible recipients leaves out."""
    path = f"{get_path(case)}/recipients"
    [shelter] = unwrap(who.get(path, service="SHELTER"))["services"]
    return {WOMEN, MIXED} - {one["focal_point"] for one in shelter["candidates"]}


def test_a_lead_of_the_state_of_origin_is_never_told_who_helps_elsewhere(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, _ = create_moved_case(world, lead, origin)
    women = world.add_person(WOMEN)
    women.create(f"{get_path(case)}/risk-assessments", {"level": "high"})
    [kept, *_] = unwrap(origin.get("/referrals", state="in_progress"))["items"]
    hold = {"reason": "CONTACT_LOST", "review_at": "2026-06-04T12:00:00Z"}
    unwrap(women.does("hold", kept, hold))

    for where, text in read_everything(origin, case):
        named = [code for code in HELPERS if code in text]
        assert (where, named) == (where, []) or where in WHOLE_COUNTRY
    event_types = list_types(origin.poll())
    assert {"referral.held", "case.risk_assessed"} <= set(event_types)


def test_it_sees_that_a_service_is_given_and_how_far_it_is(
    world: World, lead: Someone, origin: Someone
) -> None:
    _, [kept, *_] = create_moved_case(world, lead, origin)

    seen = origin.read(kept)

    assert (seen["service"], seen["state"]) == ("SHELTER", "in_progress")
    assert (seen["recipient"], seen["due_at"]) == (None, None)
    assert seen["you_are"] == ["sender"]
    [ladder] = unwrap(origin.get(f"/referrals/{kept['id']}/evidence"))["items"]
    assert (ladder["recipient"], ladder["rank"]) == (None, 5)
    assert len(unwrap(origin.get("/referrals"))["items"]) == 6
    unwrap(origin.does("withdraw", kept, {"reason": "SURVIVOR_DECLINED"}))


def test_it_takes_back_a_consent_without_knowing_whom_it_names(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, _ = create_moved_case(world, lead, origin)
    path = f"{get_path(case)}/consents"
    found = unwrap(origin.get(path))["items"]
    whole = [c for c in found if not (c["focal_point"] or c["recipient_class"])]
    unnamed = sorted(whole, key=lambda given: given["purposes"])
    assert [c["purposes"] for c in unnamed] == [["GUARDIANSHIP", "SHELTER"], ["LEGAL_AID"]]

    gone = unwrap(origin.send(f"{path}/{unnamed[0]['id']}/withdraw"))

    assert gone["withdrawn_at"]
    assert gone["focal_point"] is None
    mine = build_consent(MIXED, "SHELTER")
    assert unwrap_only(origin.create(path, mine))["focal_point"] == MIXED


def test_a_list_does_not_tell_by_leaving_out_who_helps_already(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, _ = create_moved_case(world, lead, origin)

    free = {"free": 0}
    women = world.add_person(WOMEN)
    unwrap(women.ask("PUT", f"/focal-points/{WOMEN}/capacity", free))

    assert list_missing_shelters(origin, case) == set()
    unwrap(origin.refer(case, MIXED))
    assert list_missing_shelters(origin, case) == {MIXED}


def test_whom_it_asks_itself_it_knows(world: World, lead: Someone, origin: Someone) -> None:
    case, _ = create_moved_case(world, lead, origin)
    mixed = world.add_person(MIXED)
    referral = unwrap(origin.refer(case, MIXED))
    origin.poll()

    unwrap(mixed.does("accept", referral, make_acceptance()))

    assert origin.read(referral)["recipient"] == MIXED
    assert [event["by"] for event in origin.poll()] == [MIXED]
    assert get_problem(origin.open(f"/referrals/{referral['id']}/arrangement")) == HIDDEN


def test_who_helps_at_home_it_knows(world: World, lead: Someone, origin: Someone) -> None:
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    back = make_consent(focal_point="ISTIQBOLLI_AVLOD", purposes=["RETURN"])
    given = [make_consent(), back, make_handover_consent("UZ_LEAD")]
    case = lead.take_lead(officer.submit(safeguards=HOME, consents=given))
    terms = {"service": "RETURN", "sections": ["needs"]}
    returning = unwrap(lead.refer(case, "ISTIQBOLLI_AVLOD", **terms))
    unwrap(origin.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    assert origin.read(returning)["recipient"] == "ISTIQBOLLI_AVLOD"


def test_a_lead_of_another_state_knows_who_helps(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, [kept, *_] = create_moved_case(world, lead, origin, guards=ELSEWHERE)

    assert origin.read(kept)["recipient"] == WOMEN
    [ladder] = unwrap(origin.get(f"/referrals/{kept['id']}/evidence"))["items"]
    assert ladder["recipient"] == WOMEN
    log = unwrap(origin.open(f"{get_path(case)}/access-log"))["items"]
    assert WOMEN in [entry["focal_point"] for entry in log]


def test_a_lead_of_the_state_of_origin_does_not_say_that_it_is_none(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, [kept, *_] = create_moved_case(world, lead, origin)
    path = f"{get_path(case)}/safeguards"

    refused = [
        origin.ask("PUT", path, guards, headers={"If_Match": origin.get_tag(case)})
        for guards in (ELSEWHERE, {"country_of_origin": None} | {"fear_of_state": False})
    ]

    assert get_problem(refused[0]) == (403, "action-not-yours")
    assert origin.read(kept)["recipient"] is None
    match = {"If_Match": origin.get_tag(case)}
    unwrap(origin.ask("PUT", path, HOME | {"unsafe_focal_points": [LAW]}, headers=match))


def test_overseers_and_the_helpers_themselves_go_on_as_before(
    world: World, lead: Someone, origin: Someone
) -> None:
    case, [kept, *_] = create_moved_case(world, lead, origin)
    women = world.add_person(WOMEN)

    assert women.read(kept)["recipient"] == WOMEN
    assert women.read(kept)["sender"] == "UZ_LEAD"
    history = unwrap(lead.get(f"{get_path(case)}/history"))["items"]
    by = [event["by"] for event in history if event["type"] == "case.risk_assessed"]
    assert by == [WOMEN]


def test_a_consulate_that_issues_papers_is_not_told_what_else_is_sought(
    world: World, officer: Someone, lead: Someone
) -> None:
    papers = build_consent("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    services = {"services": ["ASYLUM", "CONSULAR_DOCUMENT"], "urgent_needs": ["SHELTER"]}
    ngo = world.add_person("SANA_SEZIM")
    given = [make_consent(), papers, make_service_consent()]
    case = lead.take_lead(ngo.submit(summary=services, safeguards=HOME, consents=given))
    terms = {"service": "CONSULAR_DOCUMENT", "sections": []}
    unwrap(lead.refer(case, "UZ_CONSULATE_ALMATY", **terms))
    unwrap(lead.refer(case, WOMEN))

    notifications = [
        one.read(case)["summary"] for one in (officer, world.add_person(WOMEN))
    ]

    needs = [(summary["services"], summary["urgent_needs"]) for summary in notifications]
    assert needs[0] == (["CONSULAR_DOCUMENT"], [])
    assert needs[1] == (["ASYLUM", "CONSULAR_DOCUMENT"], ["SHELTER"])


def update_case(lead: Someone, case: Json, changes: Json) -> None:
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PATCH", get_path(case), changes, headers=match))


def test_a_consulate_that_issued_papers_is_a_submitter_again_once_it_lost_them(
    officer: Someone, lead: Someone
) -> None:
    papers = build_consent("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    case = lead.take_lead(
        officer.submit(safeguards=HOME, consents=[make_consent(), papers])
    )
    before = officer.read(case)
    terms = {"service": "CONSULAR_DOCUMENT", "sections": []}
    update_case(lead, case, {"language": "ru"})
    sent = unwrap(lead.refer(case, "UZ_CONSULATE_ALMATY", **terms))
    update_case(lead, case, {"language": "tg"})
    helping = officer.read(case)
    claim = {"country_of_origin": "UZ", "seeks_asylum": True}
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", claim, headers=match))

    assert helping["you_are"] == ["submitter"]
    assert helping["summary"] == before["summary"] | {"language": "ru"}
    assert helping["due_at"] is None
    assert officer.read(case) == before
    assert officer.read(sent)["state"] == "withdrawn"


def test_an_office_that_was_closed_does_not_give_itself_away_by_its_silence(
    world: World, lead: Someone, origin: Someone
) -> None:
    create_moved_case(world, lead, origin)
    shut = update(FocalPoint).filter_by(code=WOMEN).values(active=False)
    with world.database.begin_write() as session:
        update_directory(session, shut)
    origin.poll()

    world.wait(days=10)

    silent = [e for e in origin.poll() if e["type"] == "referral.overdue"]
    assert silent
    assert {"active" in event["facts"] for event in silent} == {False}
