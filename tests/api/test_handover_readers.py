"""What each office reads, opens and hears during a handover and after it."""

from typing import Any

import pytest
from sqlalchemy import select

from app.cases import queries as cases
from app.kernel.actors import SERVICE, Relation, Role
from app.kernel.db import Base
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    closing,
    consent,
    contacts,
    done,
    for_handover,
    for_services,
    kinds,
    problem,
    promise,
    taking,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
SECRET = {"section": "narrative", "text": "Told in Almaty"}
HIDDEN = (404, "not-found")


@pytest.fixture
def successor(world: World) -> Someone:
    """An account of the focal point of Uzbekistan, the State of origin."""
    return world.someone("UZ_LEAD")


@pytest.fixture
def iom(world: World) -> Someone:
    """An account of a focal point that belongs to no State."""
    return world.someone("IOM")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that Kazakhstan leads, with consents to a handover to Uzbekistan or to IOM."""
    given = [consent(sections=ALL_SECTIONS), for_services()]
    given += [for_handover(to, sections=ALL_SECTIONS) for to in ("UZ_LEAD", "IOM")]
    return lead.leads(officer.submits(safeguards=HOME, consents=given))


def get_case_path(case: Json, *rest: str) -> str:
    return "/".join([f"/cases/{case['code']}", *rest])


def write_section(who: Someone, case: Json, content: Json) -> None:
    seen = {"If_Match": who.tag(case)}
    where = get_case_path(case, "sections", content["section"])
    done(who.ask("PUT", where, content, headers=seen))


def list_opened(who: Someone, case: Json) -> set[str]:
    """Return the sections, safeguards and contacts that an office can open now."""
    sealed = {f"sections/{name}" for name in ALL_SECTIONS} | {"safeguards", "contacts"}
    return {one for one in sealed if who.opens(get_case_path(case, one)).is_success}


def list_notes(who: Someone, where: str) -> list[str]:
    return [note["text"] for note in done(who.opens(f"{where}/notes"))["items"]]


def hand_over(giver: Someone, taker: Someone, case: Json, **changes: Any) -> Json:
    """Offer the lead and accept it."""
    offered = done(giver.offers(case, taker.code, **changes))
    return done(taker.does("accept", offered, taking()))


def test_who_is_asked_sees_the_notice_and_what_is_needed_and_nothing_else(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    write_section(lead, case, SECRET)
    done(shelter.does("accept", done(lead.refers(case, SHELTER)), promise()))
    assert problem(successor.get(get_case_path(case))) == HIDDEN

    done(lead.offers(case, "UZ_LEAD", note="Kept at the lead"))

    seen = successor.sees(case)
    assert (seen["you_are"], seen["lead"]) == (["handover_candidate"], "KZ_LEAD")
    assert seen["notice"] == lead.sees(case)["notice"]
    unknown = ("submitter", "risk", "closure_reason", "due_at", "version")
    assert [seen[name] for name in unknown] == [None] * 5
    assert seen["sections"] == seen["available_actions"] == []
    assert list_opened(successor, case) == {"sections/needs"}
    assert list_notes(successor, get_case_path(case)) == []
    assert done(successor.get(get_case_path(case, "consents")))["items"] == []
    assert done(successor.get(get_case_path(case, "evidence")))["items"] == []
    assert problem(successor.get(get_case_path(case, "routing"))) == HIDDEN
    assert successor.opens(get_case_path(case, "access-log")).status_code == 403
    assert done(successor.get("/referrals"))["items"] == []
    listed = done(successor.get("/cases", role="handover_candidate"))["items"]
    assert [one["code"] for one in listed] == [case["code"]]
    history = done(successor.get(get_case_path(case, "history")))["items"]
    assert kinds(history) == ["handover.offered"]


def test_who_is_asked_writes_nothing(lead: Someone, case: Json, successor: Someone) -> None:
    done(lead.offers(case, "UZ_LEAD"))

    risk = successor.creates(get_case_path(case, "risk-assessments"), {"level": "low"})
    section = successor.ask(
        "PUT",
        get_case_path(case, "sections/narrative"),
        SECRET,
        headers={"If_Match": '"1.0"'},
    )
    given = successor.creates(get_case_path(case, "consents"), for_handover())
    asked = successor.refers(case, SHELTER)

    for refused in (risk, section, given, asked):
        assert problem(refused) == (403, "action-not-yours")


@pytest.mark.parametrize(
    ("given", "opens"),
    [
        ([for_handover(sections=["contact"])], set()),
        ([for_handover(sections=[])], set()),
        ([for_handover(sections=[]), for_handover(purposes=["REFER"])], set()),
        ([for_handover(sections=["needs"])], {"sections/needs"}),
    ],
)
def test_what_is_needed_is_read_where_the_consent_to_the_handover_says_so(
    officer: Someone, lead: Someone, successor: Someone, given: list[Json], opens: set[str]
) -> None:
    case = lead.leads(officer.submits(safeguards=HOME, consents=[consent(), *given]))
    done(lead.offers(case, "UZ_LEAD"))

    assert list_opened(successor, case) == opens


def test_who_is_of_the_state_of_origin_stops_reading_when_the_person_doubts(
    lead: Someone, case: Json, successor: Someone
) -> None:
    done(lead.offers(case, "UZ_LEAD"))
    before = list_opened(successor, case)
    doubt = HOME | {"origin_contact": "undecided"}
    seen = {"If_Match": lead.tag(case)}

    done(lead.ask("PUT", get_case_path(case, "safeguards"), doubt, headers=seen))

    assert (before, list_opened(successor, case)) == ({"sections/needs"}, set())


def test_the_new_lead_opens_what_the_consents_say(
    lead: Someone, case: Json, successor: Someone
) -> None:
    hand_over(lead, successor, case)

    everything = {f"sections/{name}" for name in ALL_SECTIONS}
    assert list_opened(successor, case) == everything | {"safeguards", "contacts"}
    assert successor.sees(case)["risk"]["level"] == "medium"
    assert done(successor.opens(get_case_path(case, "access-log")))["items"]


def refer_with_notes(lead: Someone, shelter: Someone, case: Json) -> str:
    """Return the path of an accepted referral; both of its sides have written notes."""
    gone = done(lead.refers(case, SHELTER))
    no = {"reason": "NO_CAPACITY", "note": "Try the house by the river"}
    done(shelter.does("decline", gone, no))
    taken = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", taken, promise()))
    return f"/referrals/{taken['id']}"


def finish_referral(shelter: Someone, referral: str) -> None:
    record = {"id": referral.removeprefix("/referrals/")}
    done(shelter.does("start", record, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She sleeps by the river"}
    done(shelter.does("complete", record, report))


def test_a_lead_of_the_state_of_origin_never_reads_where_the_person_is_met(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = refer_with_notes(lead, shelter, case)
    risk = {"level": "medium", "remarks": "Seen near the river"}
    done(lead.creates(get_case_path(case, "risk-assessments"), risk))
    assert done(lead.opens(f"{referral}/arrangement"))["content"]["meeting"]["place"]
    assert list_notes(lead, get_case_path(case)) == ["Seen near the river"]

    hand_over(lead, successor, case, note="She was by the river")

    assert done(successor.get(referral))["you_are"] == ["sender"]
    assert problem(successor.opens(f"{referral}/arrangement")) == HIDDEN
    later = done(successor.refers(case, SHELTER))
    done(shelter.does("accept", later, promise()))
    finish_referral(shelter, referral)
    for one in done(successor.get("/referrals"))["items"]:
        where = f"/referrals/{one['id']}"
        assert problem(successor.opens(f"{where}/arrangement")) == HIDDEN
        assert list_notes(successor, where) == []
    assert len(done(successor.get("/referrals"))["items"]) == 3
    assert list_notes(successor, get_case_path(case)) == []


def test_a_lead_that_is_of_no_state_reads_it_as_the_sender_it_has_become(
    lead: Someone, shelter: Someone, case: Json, iom: Someone
) -> None:
    referral = refer_with_notes(lead, shelter, case)

    hand_over(lead, iom, case, note="She was by the river")
    finish_referral(shelter, referral)

    assert iom.opens(f"{referral}/arrangement").is_success
    assert list_notes(iom, referral) == ["She sleeps by the river"]
    assert list_notes(iom, get_case_path(case)) == ["She was by the river"]
    assert problem(lead.opens(f"{referral}/arrangement")) == HIDDEN


def advance_case(who: Someone, shelter: Someone, case: Json) -> None:
    """Take many steps in a case of which its lead hears."""
    done(who.creates(get_case_path(case, "risk-assessments"), {"level": "high"}))
    write_section(who, case, {"section": "health", "text": "Better"})
    done(who.creates(get_case_path(case, "consents"), for_services(kind="state")))
    referral = done(who.refers(case, SHELTER))
    done(shelter.does("accept", referral, promise()))
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", get_case_path(case), {"priority": "normal"}, headers=seen))
    done(shelter.does("decline", referral, {"reason": "NO_CAPACITY"}))
    colleague = who.world.someone(who.code, {Role.SUPERVISOR})
    asked = done(who.does("close", case, closing()))
    done(colleague.post(f"/approvals/{asked['id']}/approve"))
    done(who.does("close", case, closing(), approval=asked["id"]))


def test_a_former_lead_hears_of_the_handover_and_of_nothing_more(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    lead.hears()
    taken = hand_over(lead, successor, case)
    heard = kinds(lead.hears())
    kept = done(lead.get(get_case_path(case, "history")))

    advance_case(successor, shelter, case)

    assert heard == ["handover.offered", "handover.accepted", "case.handed_over"]
    assert lead.hears() == []
    assert done(lead.get(get_case_path(case, "history"))) == kept
    assert kinds(kept["items"])[-3:] == heard
    assert done(lead.get("/worklist"))["items"] == []
    assert lead.sees(taken)["you_are"] == ["former_lead"]
    assert lead.sees(taken)["available_actions"] == []


def test_a_former_lead_finds_the_case_no_more(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", referral, promise()))
    seen, of_referral = lead.tag(case), lead.tag(referral)
    hand_over(lead, successor, case)
    where = get_case_path(case)

    asked = ["", "/routing", "/evidence", "/consents"]
    sealed = ["/safeguards", "/contacts", "/access-log", "/sections/needs"]
    assert {problem(lead.get(where + one)) for one in asked} == {HIDDEN}
    assert {problem(lead.opens(where + one)) for one in sealed} == {HIDDEN}
    assert done(lead.get("/cases"))["items"] == []
    assert done(lead.get("/cases", role="former_lead"))["items"] == []
    assert done(lead.get("/referrals"))["items"] == []
    for one in ("", "/evidence", "/arrangement", "/notes"):
        assert problem(lead.opens(f"/referrals/{referral['id']}{one}")) == HIDDEN
    acts = [
        lead.post(f"{where}/close", closing(), if_match=seen),
        lead.ask("PATCH", where, {"priority": "normal"}, headers={"If_Match": seen}),
        lead.creates(f"{where}/risk-assessments", {"level": "low"}),
        lead.creates(f"{where}/consents", consent()),
        lead.offers(case, "IOM"),
        lead.refers(case, SHELTER),
        lead.post(
            f"/referrals/{referral['id']}/revoke",
            {"reason": "SENT_IN_ERROR"},
            if_match=of_referral,
        ),
        *(
            lead.post(f"{where}/consents/{c['id']}/withdraw")
            for c in done(successor.get(f"{where}/consents"))["items"]
        ),
    ]
    assert {problem(answer) for answer in acts} == {HIDDEN}
    assert len(acts) == 11


def test_a_former_lead_reads_what_it_wrote_itself_until_it_is_written_anew(
    world: World, lead: Someone, case: Json, iom: Someone
) -> None:
    write_section(lead, case, SECRET)
    done(
        lead.creates(
            get_case_path(case, "risk-assessments"), {"level": "medium", "remarks": "Mine"}
        )
    )
    world.passes(minutes=1)
    hand_over(lead, iom, case, note="Also mine")
    world.passes(minutes=1)
    done(
        iom.creates(
            get_case_path(case, "risk-assessments"), {"level": "medium", "remarks": "New"}
        )
    )

    assert list_opened(lead, case) == {"sections/narrative"}
    assert list_notes(lead, get_case_path(case)) == ["Mine", "Also mine"]
    assert list_notes(iom, get_case_path(case)) == ["Mine", "Also mine", "New"]
    log = done(iom.opens(get_case_path(case, "access-log"), "protection"))["items"]
    by_lead = [(e["subject"], e["allowed"]) for e in log if e["focal_point"] == "KZ_LEAD"]
    assert ("narrative", True) in by_lead
    assert ("needs", False) in by_lead
    write_section(iom, case, {"section": "narrative", "text": "Told in Astana"})
    assert list_opened(lead, case) == set()


def test_the_parties_of_the_case_hear_that_the_lead_has_moved_and_no_more(
    world: World, officer: Someone, lead: Someone, case: Json, iom: Someone
) -> None:
    overseer = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    for one in (officer, overseer):
        one.hears()
    declined = done(lead.offers(case, "IOM"))
    assert iom.does("decline", declined, {"reason": "NO_CAPACITY"}).status_code == 204

    hand_over(lead, iom, case)

    for one, by in ((officer, None), (overseer, "IOM")):
        [event] = one.hears()
        assert (event["type"], event["subject"]) == (
            "case.handed_over",
            get_case_path(case)[1:],
        )
        assert (event["by"], event["facts"]) == (by, {"state": "referring"})
        assert done(one.get("/handovers"))["items"] == []
        assert one.sees(case)["lead"] == by


def test_a_lead_that_comes_back_is_the_lead_and_has_been_one(
    lead: Someone, case: Json, iom: Someone
) -> None:
    first = hand_over(lead, iom, case)
    done(iom.creates(get_case_path(case, "consents"), for_handover("KZ_LEAD")))
    second = hand_over(iom, lead, case)

    assert lead.sees(case)["you_are"] == ["lead"]
    assert lead.sees(first)["you_are"] == ["former_lead", "lead"]
    assert [h["id"] for h in done(lead.get("/handovers"))["items"]] == [
        first["id"],
        second["id"],
    ]
    assert problem(iom.get(get_case_path(case))) == HIDDEN
    assert iom.sees(second)["you_are"] == ["former_lead"]
    third = hand_over(lead, iom, case)
    assert problem(lead.get(get_case_path(case))) == HIDDEN
    assert lead.sees(third)["you_are"] == ["former_lead"]
    assert lead.sees(first)["you_are"] == ["former_lead"]
    with iom.reading() as work:
        parties = cases.get(work, case["code"]).parties
        assert [p.relation for p in parties if not p.until].count(Relation.LEAD) == 1


def test_who_leads_next_does_not_show_its_own_handovers_to_who_led_before(
    lead: Someone, case: Json, iom: Someone, successor: Someone
) -> None:
    first = hand_over(lead, iom, case)
    onward = done(iom.offers(case, "UZ_LEAD"))

    assert problem(lead.get(f"/handovers/{onward['id']}")) == HIDDEN
    assert [h["id"] for h in done(lead.get("/handovers"))["items"]] == [first["id"]]
    done(successor.does("accept", onward, taking()))
    assert problem(lead.get(f"/handovers/{onward['id']}")) == HIDDEN
    assert kinds(lead.hears())[-1] == "case.handed_over"


def test_what_a_second_person_allowed_the_old_lead_is_allowed_to_nobody(
    world: World, lead: Someone, supervisor: Someone, case: Json, iom: Someone
) -> None:
    offered = done(lead.offers(case, "IOM"))
    done(lead.does("cancel", offered, {}))
    colleague = world.someone("KZ_LEAD")
    allowed = done(lead.does("close", case, closing()))["id"]
    done(supervisor.post(f"/approvals/{allowed}/approve"))
    pending = done(colleague.does("close", case, closing()))["id"]

    hand_over(lead, iom, case)
    world.passes(minutes=1)

    assert done(lead.get("/worklist"))["items"] == []
    late = supervisor.post(f"/approvals/{pending}/approve")
    assert problem(late) == (409, "approval-decided")
    seen = iom.tag(case)
    theirs = iom.post(
        get_case_path(case, "close"), closing(), if_match=seen, approval=allowed
    )
    assert problem(theirs) == (409, "approval-unusable")
    mine = lead.post(
        get_case_path(case, "close"), closing(), if_match=seen, approval=allowed
    )
    assert problem(mine) == HIDDEN
    done(iom.creates(get_case_path(case, "consents"), for_handover("KZ_LEAD")))
    hand_over(iom, lead, case)
    for one, approval in ((lead, allowed), (colleague, pending)):
        back = one.does("close", case, closing(), approval=approval)
        assert problem(back) == (409, "approval-unusable")
    anew = done(lead.does("close", case, closing()))
    assert anew["id"] not in {allowed, pending}


def test_a_helper_that_is_asked_to_lead_is_both(
    lead: Someone, officer: Someone, world: World
) -> None:
    given = [consent(), for_services(), for_handover("SANA_SEZIM")]
    case = lead.leads(officer.submits(consents=given))
    sana = world.someone("SANA_SEZIM")
    referral = done(lead.refers(case, "SANA_SEZIM", service="LEGAL_AID"))

    done(lead.offers(case, "SANA_SEZIM"))

    assert sana.sees(case)["you_are"] == ["handover_candidate", "recipient"]
    [handover] = done(sana.get("/handovers"))["items"]
    done(sana.does("accept", handover, taking()))
    assert sana.sees(case)["you_are"] == ["lead"]
    assert sana.sees(referral)["you_are"] == ["recipient", "sender"]
    done(sana.does("accept", referral, promise()))


def test_what_is_written_to_a_handover_is_sealed(
    world: World, lead: Someone, case: Json, iom: Someone
) -> None:
    gone = done(lead.offers(case, "IOM", note="Zqxvkjwbhf 1"))
    why = {"reason": "LANGUAGE", "note": "Zqxvkjwbhf 2"}
    assert iom.does("decline", gone, why).status_code == 204
    back = done(lead.offers(case, "IOM"))
    done(lead.does("cancel", back, {"note": "Zqxvkjwbhf 3"}))
    taken = done(lead.offers(case, "IOM"))
    named = taking(contacts=contacts("Zqxvkjwbhf 4", "Zqxvkjwbhf 5"))
    done(iom.does("accept", taken, named))

    with world.database.reading(SERVICE) as session:
        tables = Base.metadata.sorted_tables
        rows = [str(session.execute(select(table)).all()) for table in tables]

    assert len(rows) > 20
    assert not any("Zqxvkjwbhf" in row for row in rows)
    assert sorted(list_notes(iom, get_case_path(case))) == [
        f"Zqxvkjwbhf {n}" for n in (1, 2, 3)
    ]
