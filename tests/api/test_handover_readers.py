"""Tests of what each office can read, open and receive during and after a handover."""

from typing import Any

import pytest
from sqlalchemy import select

from app.cases import queries as case_queries
from app.kernel.actors import SERVICE, Relation, Role
from app.kernel.db import Base
from tests.support.case_actions import list_steps
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
SECRET = {"section": "narrative", "text": "Told in Almaty"}
HIDDEN = (404, "not-found")


@pytest.fixture
def successor(world: World) -> Someone:
    """Return a person of the focal point of Uzbekistan, the State of origin."""
    return world.add_person("UZ_LEAD")


@pytest.fixture
def iom(world: World) -> Someone:
    """Return a person of a focal point that does not belong to a State."""
    return world.add_person("IOM")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case led by Kazakhstan, with consents to a handover to Uzbekistan or IOM."""
    given = [make_consent(sections=ALL_SECTIONS), make_service_consent()]
    given += [make_handover_consent(to, sections=ALL_SECTIONS) for to in ("UZ_LEAD", "IOM")]
    return lead.take_lead(officer.submit(safeguards=HOME, consents=given))


def get_case_path(case: Json, *rest: str) -> str:
    return "/".join([f"/cases/{case['code']}", *rest])


def write_section(who: Someone, case: Json, content: Json) -> None:
    seen = {"If_Match": who.get_tag(case)}
    where = get_case_path(case, "sections", content["section"])
    unwrap(who.ask("PUT", where, content, headers=seen))


def list_opened(who: Someone, case: Json) -> set[str]:
    """Return the sections, safeguards and contacts that an office can open at present."""
    sealed = {f"sections/{name}" for name in ALL_SECTIONS} | {"safeguards", "contacts"}
    return {one for one in sealed if who.open(get_case_path(case, one)).is_success}


def list_notes(who: Someone, where: str) -> list[str]:
    return [note["text"] for note in unwrap(who.open(f"{where}/notes"))["items"]]


def hand_over(giver: Someone, taker: Someone, case: Json, **changes: Any) -> Json:
    """Offer the lead to another office, and accept the offer as that office."""
    offered = unwrap(giver.offer(case, taker.code, **changes))
    return unwrap(taker.does("accept", offered, make_takeover()))


def test_who_is_asked_sees_the_notice_and_what_is_needed_and_nothing_else(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    write_section(lead, case, SECRET)
    unwrap(shelter.does("accept", unwrap(lead.refer(case, SHELTER)), make_acceptance()))
    assert get_problem(successor.get(get_case_path(case))) == HIDDEN

    unwrap(lead.offer(case, "UZ_LEAD", note="Kept at the lead"))

    seen = successor.read(case)
    assert (seen["you_are"], seen["lead"]) == (["handover_candidate"], "KZ_LEAD")
    assert seen["summary"] == lead.read(case)["summary"]
    unknown = ("submitter", "risk", "closure_reason", "due_at", "version")
    assert [seen[name] for name in unknown] == [None] * 5
    assert seen["sections"] == list_steps(seen) == []
    assert list_opened(successor, case) == {"sections/needs"}
    assert list_notes(successor, get_case_path(case)) == []
    assert unwrap(successor.get(get_case_path(case, "consents")))["items"] == []
    assert unwrap(successor.get(get_case_path(case, "evidence")))["items"] == []
    assert get_problem(successor.get(get_case_path(case, "routing"))) == HIDDEN
    assert successor.open(get_case_path(case, "access-log")).status_code == 403
    assert unwrap(successor.get("/referrals"))["items"] == []
    listed = unwrap(successor.get("/cases", role="handover_candidate"))["items"]
    assert [one["code"] for one in listed] == [case["code"]]
    history = unwrap(successor.get(get_case_path(case, "history")))["items"]
    assert list_types(history) == ["handover.offered"]


def test_who_is_asked_writes_nothing(lead: Someone, case: Json, successor: Someone) -> None:
    unwrap(lead.offer(case, "UZ_LEAD"))

    risk = successor.create(get_case_path(case, "risk-assessments"), {"level": "low"})
    section = successor.ask(
        "PUT",
        get_case_path(case, "sections/narrative"),
        SECRET,
        headers={"If_Match": '"1.0"'},
    )
    given = successor.create(get_case_path(case, "consents"), make_handover_consent())
    answer = successor.refer(case, SHELTER)

    for refused in (risk, section, given, answer):
        assert get_problem(refused) == (403, "action-not-yours")


@pytest.mark.parametrize(
    ("given", "opens"),
    [
        ([make_handover_consent(sections=["contact"])], set()),
        ([make_handover_consent(sections=[])], set()),
        (
            [make_handover_consent(sections=[]), make_handover_consent(purposes=["REFER"])],
            set(),
        ),
        ([make_handover_consent(sections=["needs"])], {"sections/needs"}),
    ],
)
def test_what_is_needed_is_read_where_the_consent_to_the_handover_says_so(
    officer: Someone, lead: Someone, successor: Someone, given: list[Json], opens: set[str]
) -> None:
    case = lead.take_lead(
        officer.submit(safeguards=HOME, consents=[make_consent(), *given])
    )
    unwrap(lead.offer(case, "UZ_LEAD"))

    assert list_opened(successor, case) == opens


def test_who_is_of_the_state_of_origin_stops_reading_when_the_person_doubts(
    lead: Someone, case: Json, successor: Someone
) -> None:
    unwrap(lead.offer(case, "UZ_LEAD"))
    before = list_opened(successor, case)
    doubt = HOME | {"origin_contact": "undecided"}
    seen = {"If_Match": lead.get_tag(case)}

    unwrap(lead.ask("PUT", get_case_path(case, "safeguards"), doubt, headers=seen))

    assert (before, list_opened(successor, case)) == ({"sections/needs"}, set())


def test_the_new_lead_opens_what_the_consents_say(
    lead: Someone, case: Json, successor: Someone
) -> None:
    hand_over(lead, successor, case)

    everything = {f"sections/{name}" for name in ALL_SECTIONS}
    assert list_opened(successor, case) == everything | {"safeguards", "contacts"}
    assert successor.read(case)["risk"]["level"] == "medium"
    assert unwrap(successor.open(get_case_path(case, "access-log")))["items"]


def refer_with_notes(lead: Someone, shelter: Someone, case: Json) -> str:
    """Return the path of an accepted referral; the shelter declined another with a note."""
    gone = unwrap(lead.refer(case, SHELTER))
    no = {"reason": "NO_CAPACITY", "note": "Try the house by the river"}
    unwrap(shelter.does("decline", gone, no))
    taken = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", taken, make_acceptance()))
    return f"/referrals/{taken['id']}"


def finish_referral(shelter: Someone, referral: str) -> None:
    record = {"id": referral.removeprefix("/referrals/")}
    unwrap(shelter.does("start", record, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She sleeps by the river"}
    unwrap(shelter.does("complete", record, report))


def test_a_lead_of_the_state_of_origin_never_reads_where_the_person_is_met(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = refer_with_notes(lead, shelter, case)
    risk = {"level": "medium", "remarks": "Seen near the river"}
    unwrap(lead.create(get_case_path(case, "risk-assessments"), risk))
    assert unwrap(lead.open(f"{referral}/arrangement"))["content"]["meeting"]["place"]
    assert list_notes(lead, get_case_path(case)) == ["Seen near the river"]

    hand_over(lead, successor, case, note="She was by the river")

    assert unwrap(successor.get(referral))["you_are"] == ["sender"]
    assert get_problem(successor.open(f"{referral}/arrangement")) == HIDDEN
    later = unwrap(successor.refer(case, SHELTER))
    unwrap(shelter.does("accept", later, make_acceptance()))
    finish_referral(shelter, referral)
    for one in unwrap(successor.get("/referrals"))["items"]:
        where = f"/referrals/{one['id']}"
        assert get_problem(successor.open(f"{where}/arrangement")) == HIDDEN
        assert list_notes(successor, where) == []
    assert len(unwrap(successor.get("/referrals"))["items"]) == 3
    assert list_notes(successor, get_case_path(case)) == []


def test_a_lead_that_is_of_no_state_reads_it_as_the_sender_it_has_become(
    lead: Someone, shelter: Someone, case: Json, iom: Someone
) -> None:
    referral = refer_with_notes(lead, shelter, case)

    hand_over(lead, iom, case, note="She was by the river")
    finish_referral(shelter, referral)

    assert iom.open(f"{referral}/arrangement").is_success
    assert list_notes(iom, referral) == ["She sleeps by the river"]
    assert list_notes(iom, get_case_path(case)) == ["She was by the river"]
    assert get_problem(lead.open(f"{referral}/arrangement")) == HIDDEN


def advance_case(who: Someone, shelter: Someone, case: Json) -> None:
    """Take many actions that produce events for the lead of a case."""
    unwrap(who.create(get_case_path(case, "risk-assessments"), {"level": "high"}))
    write_section(who, case, {"section": "health", "text": "Better"})
    unwrap(who.create(get_case_path(case, "consents"), make_service_consent(kind="state")))
    referral = unwrap(who.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_case_path(case), {"priority": "normal"}, headers=seen))
    unwrap(shelter.does("decline", referral, {"reason": "NO_CAPACITY"}))
    colleague = who.world.add_person(who.code, {Role.SUPERVISOR})
    approval = unwrap(who.does("close", case, make_closure()))
    unwrap(colleague.send(f"/approvals/{approval['id']}/approve"))
    unwrap(who.does("close", case, make_closure(), approval=approval["id"]))


def test_a_former_lead_hears_of_the_handover_and_of_nothing_more(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    lead.poll()
    taken = hand_over(lead, successor, case)
    event_types = list_types(lead.poll())
    kept = unwrap(lead.get(get_case_path(case, "history")))

    advance_case(successor, shelter, case)

    assert event_types == ["handover.offered", "handover.accepted", "case.handed_over"]
    assert lead.poll() == []
    assert unwrap(lead.get(get_case_path(case, "history"))) == kept
    assert list_types(kept["items"])[-3:] == event_types
    assert unwrap(lead.get("/worklist"))["items"] == []
    assert lead.read(taken)["you_are"] == ["former_lead"]
    assert list_steps(lead.read(taken)) == []


def test_a_former_lead_finds_the_case_no_more(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    seen, of_referral = lead.get_tag(case), lead.get_tag(referral)
    hand_over(lead, successor, case)
    where = get_case_path(case)

    parts = ["", "/routing", "/evidence", "/consents"]
    sealed = ["/safeguards", "/contacts", "/access-log", "/sections/needs"]
    assert {get_problem(lead.get(where + one)) for one in parts} == {HIDDEN}
    assert {get_problem(lead.open(where + one)) for one in sealed} == {HIDDEN}
    assert unwrap(lead.get("/cases"))["items"] == []
    assert unwrap(lead.get("/cases", role="former_lead"))["items"] == []
    assert unwrap(lead.get("/referrals"))["items"] == []
    for one in ("", "/arrangement"):
        assert get_problem(lead.open(f"/referrals/{referral['id']}{one}")) == HIDDEN
    acts = [
        lead.send(f"{where}/close", make_closure(), if_match=seen),
        lead.ask("PATCH", where, {"priority": "normal"}, headers={"If_Match": seen}),
        lead.create(f"{where}/risk-assessments", {"level": "low"}),
        lead.create(f"{where}/consents", make_consent()),
        lead.offer(case, "IOM"),
        lead.refer(case, SHELTER),
        lead.send(
            f"/referrals/{referral['id']}/revoke",
            {"reason": "SENT_IN_ERROR"},
            if_match=of_referral,
        ),
        *(
            lead.send(f"{where}/consents/{c['id']}/withdraw")
            for c in unwrap(successor.get(f"{where}/consents"))["items"]
        ),
    ]
    assert {get_problem(answer) for answer in acts} == {HIDDEN}
    assert len(acts) == 11


def test_a_former_lead_reads_what_it_wrote_itself_until_it_is_written_anew(
    world: World, lead: Someone, case: Json, iom: Someone
) -> None:
    write_section(lead, case, SECRET)
    unwrap(
        lead.create(
            get_case_path(case, "risk-assessments"), {"level": "medium", "remarks": "Mine"}
        )
    )
    world.advance(minutes=1)
    hand_over(lead, iom, case, note="Also mine")
    world.advance(minutes=1)
    unwrap(
        iom.create(
            get_case_path(case, "risk-assessments"), {"level": "medium", "remarks": "New"}
        )
    )

    assert list_opened(lead, case) == {"sections/narrative"}
    assert list_notes(lead, get_case_path(case)) == ["Mine", "Also mine"]
    assert list_notes(iom, get_case_path(case)) == ["Mine", "Also mine", "New"]
    log = unwrap(iom.open(get_case_path(case, "access-log"), "protection"))["items"]
    by_lead = [(e["subject"], e["allowed"]) for e in log if e["focal_point"] == "KZ_LEAD"]
    assert ("narrative", True) in by_lead
    assert ("needs", False) in by_lead
    write_section(iom, case, {"section": "narrative", "text": "Told in Astana"})
    assert list_opened(lead, case) == set()


def test_the_parties_of_the_case_hear_that_the_lead_has_moved_and_no_more(
    world: World, officer: Someone, lead: Someone, case: Json, iom: Someone
) -> None:
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    for one in (officer, overseer):
        one.poll()
    declined = unwrap(lead.offer(case, "IOM"))
    assert iom.does("decline", declined, {"reason": "NO_CAPACITY"}).status_code == 204

    hand_over(lead, iom, case)

    for one, by in ((officer, None), (overseer, "IOM")):
        [event] = one.poll()
        assert (event["type"], event["subject"]) == (
            "case.handed_over",
            get_case_path(case)[1:],
        )
        assert (event["by"], event["facts"]) == (by, {"state": "referring"})
        assert unwrap(one.get("/handovers"))["items"] == []
        assert one.read(case)["lead"] == by


def test_a_lead_that_comes_back_is_the_lead_and_has_been_one(
    lead: Someone, case: Json, iom: Someone
) -> None:
    first = hand_over(lead, iom, case)
    unwrap(iom.create(get_case_path(case, "consents"), make_handover_consent("KZ_LEAD")))
    second = hand_over(iom, lead, case)

    assert lead.read(case)["you_are"] == ["lead"]
    assert lead.read(first)["you_are"] == ["former_lead", "lead"]
    assert [h["id"] for h in unwrap(lead.get("/handovers"))["items"]] == [
        first["id"],
        second["id"],
    ]
    assert get_problem(iom.get(get_case_path(case))) == HIDDEN
    assert iom.read(second)["you_are"] == ["former_lead"]
    third = hand_over(lead, iom, case)
    assert get_problem(lead.get(get_case_path(case))) == HIDDEN
    assert lead.read(third)["you_are"] == ["former_lead"]
    assert lead.read(first)["you_are"] == ["former_lead"]
    with iom.begin_read() as tx:
        parties = case_queries.get(tx, case["code"]).parties
        assert [p.relation for p in parties if not p.until].count(Relation.LEAD) == 1


def test_who_leads_next_does_not_show_its_own_handovers_to_who_led_before(
    lead: Someone, case: Json, iom: Someone, successor: Someone
) -> None:
    first = hand_over(lead, iom, case)
    onward = unwrap(iom.offer(case, "UZ_LEAD"))

    assert get_problem(lead.get(f"/handovers/{onward['id']}")) == HIDDEN
    assert [h["id"] for h in unwrap(lead.get("/handovers"))["items"]] == [first["id"]]
    unwrap(successor.does("accept", onward, make_takeover()))
    assert get_problem(lead.get(f"/handovers/{onward['id']}")) == HIDDEN
    assert list_types(lead.poll())[-1] == "case.handed_over"


def test_what_a_second_person_allowed_the_old_lead_is_allowed_to_nobody(
    world: World, lead: Someone, supervisor: Someone, case: Json, iom: Someone
) -> None:
    offered = unwrap(lead.offer(case, "IOM"))
    unwrap(lead.does("cancel", offered, {}))
    colleague = world.add_person("KZ_LEAD")
    allowed = unwrap(lead.does("close", case, make_closure()))["id"]
    unwrap(supervisor.send(f"/approvals/{allowed}/approve"))
    pending = unwrap(colleague.does("close", case, make_closure()))["id"]

    hand_over(lead, iom, case)
    world.advance(minutes=1)

    assert unwrap(lead.get("/worklist"))["items"] == []
    late = supervisor.send(f"/approvals/{pending}/approve")
    assert get_problem(late) == (409, "approval-decided")
    seen = iom.get_tag(case)
    theirs = iom.send(
        get_case_path(case, "close"), make_closure(), if_match=seen, approval=allowed
    )
    assert get_problem(theirs) == (409, "approval-unusable")
    mine = lead.send(
        get_case_path(case, "close"), make_closure(), if_match=seen, approval=allowed
    )
    assert get_problem(mine) == HIDDEN
    unwrap(iom.create(get_case_path(case, "consents"), make_handover_consent("KZ_LEAD")))
    hand_over(iom, lead, case)
    for one, approval in ((lead, allowed), (colleague, pending)):
        back = one.does("close", case, make_closure(), approval=approval)
        assert get_problem(back) == (409, "approval-unusable")
    anew = unwrap(lead.does("close", case, make_closure()))
    assert anew["id"] not in {allowed, pending}


def test_a_helper_that_is_asked_to_lead_is_both(
    lead: Someone, officer: Someone, world: World
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent("SANA_SEZIM")]
    case = lead.take_lead(officer.submit(consents=given))
    sana = world.add_person("SANA_SEZIM")
    referral = unwrap(lead.refer(case, "SANA_SEZIM", service="LEGAL_AID"))

    unwrap(lead.offer(case, "SANA_SEZIM"))

    assert sana.read(case)["you_are"] == ["handover_candidate", "recipient"]
    [handover] = unwrap(sana.get("/handovers"))["items"]
    unwrap(sana.does("accept", handover, make_takeover()))
    assert sana.read(case)["you_are"] == ["lead"]
    assert sana.read(referral)["you_are"] == ["recipient", "sender"]
    unwrap(sana.does("accept", referral, make_acceptance()))


def test_what_is_written_to_a_handover_is_sealed(
    world: World, lead: Someone, case: Json, iom: Someone
) -> None:
    gone = unwrap(lead.offer(case, "IOM", note="Zqxvkjwbhf 1"))
    why = {"reason": "LANGUAGE", "note": "Zqxvkjwbhf 2"}
    assert iom.does("decline", gone, why).status_code == 204
    back = unwrap(lead.offer(case, "IOM"))
    unwrap(lead.does("cancel", back, {"note": "Zqxvkjwbhf 3"}))
    taken = unwrap(lead.offer(case, "IOM"))
    named = make_takeover(contacts=make_contacts("Zqxvkjwbhf 4", "Zqxvkjwbhf 5"))
    unwrap(iom.does("accept", taken, named))

    with world.database.begin_read(SERVICE) as session:
        tables = Base.metadata.sorted_tables
        rows = [str(session.execute(select(table)).all()) for table in tables]

    assert len(rows) > 20
    assert not any("Zqxvkjwbhf" in row for row in rows)
    assert sorted(list_notes(iom, get_case_path(case))) == [
        f"Zqxvkjwbhf {n}" for n in (1, 2, 3)
    ]
