"""Two complete cases through the HTTP API, and what other offices do not learn of them.

Each office polls the feed of its events. `/evidence` shows how far a case or a referral
came at an office: submitted, available, retrieved, acknowledged, decided.
"""

from tests.support.world import (
    Json,
    Someone,
    World,
    closing,
    consent,
    contacts,
    done,
    for_services,
    kinds,
    promise,
)

STEPS = ["submitted", "available", "retrieved", "acknowledged", "decided"]


def list_steps(evidence: Json) -> list[str]:
    """Return the names of the steps that are proved; `rank` is their number."""
    return [rung["name"] for rung in evidence["rungs"]]


def take_lead(lead: Someone, case: Json) -> None:
    """Poll, acknowledge, read the needs, and accept.

    The second poll sends the cursor of the first, which proves that the page arrived.
    """
    lead.hears()
    lead.get("/events", after=lead.cursor)
    done(lead.does("acknowledge", case))
    done(lead.opens(f"/cases/{case['code']}/sections/needs", "assessment"))
    done(lead.does("accept-lead", case, {"contacts": contacts()}))


def run_referral(recipient: Someone, referral: Json) -> None:
    """Poll, acknowledge, accept, meet and complete."""
    recipient.hears()
    recipient.get("/events", after=recipient.cursor)
    done(recipient.does("acknowledge", referral))
    done(recipient.does("accept", referral, promise()))
    done(recipient.does("start", referral, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She sleeps well."}
    done(recipient.does("complete", referral, report))


def close_case(lead: Someone, second: Someone, case: Json) -> Json:
    """Let a second person of the same office approve the closure, and close."""
    asked = done(lead.does("close", case, closing()))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    return done(lead.does("close", case, closing(), Approval=asked["id"]))


def test_an_uzbek_worker_met_in_almaty_is_sheltered_and_advised(
    world: World,
    officer: Someone,
    lead: Someone,
    supervisor: Someone,
    lawyer: Someone,
) -> None:
    full, free = (world.someone(f"KZ_SHELTER_{n}") for n in ("KOGERSHIN", "TANSHOLPAN"))

    case = officer.submits()
    take_lead(lead, case)
    no = done(lead.refers(case, full.code))
    advice = done(lead.refers(case, lawyer.code, service="LEGAL_AID"))
    done(full.does("decline", no, {"reason": "NO_CAPACITY", "note": "Full until Friday"}))
    bed = done(lead.refers(case, free.code, sections=["needs", "contact"]))
    run_referral(free, bed)
    run_referral(lawyer, advice)
    closed = close_case(lead, supervisor, case)

    assert closed["state"] == "closed"
    assert closed["stage"] == "closure"
    states = [lead.sees(referral)["state"] for referral in (no, bed, advice)]
    assert states == ["declined", "completed", "completed"]
    assert kinds(officer.hears()) == [
        "case.drafted",
        "case.submitted",
        "case.acknowledged",
        "case.lead_accepted",
        "case.assistance_begun",
        "case.closed",
    ]
    helped = ["acknowledged", "accepted", "started", "completed"]
    assert kinds(list_events(free)) == [f"referral.{x}" for x in ("sent", *helped)]
    assert kinds(list_events(lawyer)) == [f"referral.{x}" for x in ("sent", *helped)]
    assert kinds(list_events(full)) == ["referral.sent", "referral.declined"]
    assert kinds(list_events(lead)) == [
        "case.submitted",
        "case.acknowledged",
        "case.lead_accepted",
        *("referral.opened", "referral.sent") * 2,
        "referral.declined",
        "referral.opened",
        "referral.sent",
        "referral.acknowledged",
        "referral.accepted",
        "case.assistance_begun",
        "referral.started",
        "referral.completed",
        *(f"referral.{x}" for x in helped),
        "approval.asked",
        "approval.decided",
        "case.closed",
    ]
    [evidence] = done(officer.get(f"/cases/{case['code']}/evidence"))["items"]
    assert (list_steps(evidence), evidence["recipient"]) == (STEPS, "KZ_LEAD")
    assert evidence["rungs"][-1]["event"] == "case.lead_accepted"
    [proof] = done(lead.get(f"/referrals/{bed['id']}/evidence"))["items"]
    assert (list_steps(proof), proof["rank"]) == (STEPS, len(STEPS))


FIRST_REASONS = ["body_of_the_country", "speaks_the_language"]
NEXT_REASONS = ["works_in_the_country", "speaks_the_language"]


def list_events(someone: Someone) -> list[Json]:
    """Return all events of an office."""
    return list(done(someone.get("/events", limit=200))["items"])


def test_nobody_else_learns_who_shelters_her(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, lawyer: Someone
) -> None:
    shelter = world.someone("KZ_SHELTER_TANSHOLPAN")
    case = officer.submits()
    take_lead(lead, case)
    bed = done(lead.refers(case, shelter.code))
    advice = done(lead.refers(case, lawyer.code, service="LEGAL_AID"))
    run_referral(shelter, bed)
    run_referral(lawyer, advice)
    close_case(lead, supervisor, case)

    for other in (officer, lawyer):
        told = [other.get(path).text for path in list_paths(case)]
        told += [other.get(f"/referrals/{bed['id']}{x}").text for x in ("", "/evidence")]
        assert not any(shelter.code in text for text in told)
        assert not any(bed["id"] in text for text in told)
    assert [e["subject"] for e in list_events(lawyer)] == [f"referrals/{advice['id']}"] * 5


def list_paths(case: Json) -> list[str]:
    """Return the paths of lists and views that could mention the case.

    `/routing` is not among them: the submitter reads it, and it names all offices that
    might have led.
    """
    own = ("", "/history", "/evidence", "/consents", "/access-log")
    lists = ("/events?limit=200", "/worklist", "/cases", "/referrals", "/approvals")
    return [f"/cases/{case['code']}{path}" for path in own] + list(lists)


def test_a_jamaican_man_in_trinidad_is_led_by_the_second_office_that_was_asked(
    world: World,
) -> None:
    officer = world.someone("JM_CONSULATE_PORT_OF_SPAIN")
    unit, harbour = world.someone("TT_LEAD"), world.someone("TT_SAFE_HARBOUR")
    shelter, colleague = world.someone("TT_SHELTER"), world.someone("TT_SAFE_HARBOUR")
    classes = [{"kind": kind, "country": "TT"} for kind in ("state", "non_state")]

    case = officer.submits(
        notice={"country": "TT", "language": "en", "services": ["SHELTER"]},
        safeguards={"country_of_origin": "JM"},
        consents=[
            *(consent(recipient_class=c, language="en") for c in classes),
            for_services(country="TT", language="en"),
        ],
    )
    done(unit.does("acknowledge", case))
    why = {"reason": "NO_CAPACITY", "note": "Nobody on duty this week"}
    declined = unit.does("decline-lead", case, why)
    routing = done(harbour.get(f"/cases/{case['code']}/routing"))
    take_lead(harbour, case)
    bed = done(harbour.refers(case, shelter.code))
    run_referral(shelter, bed)
    closed = close_case(harbour, colleague, case)

    assert declined.status_code == 204
    assert unit.get(f"/cases/{case['code']}").status_code == 404
    first, next_one = routing["candidates"][:2]
    assert (first["focal_point"], first["reasons"]) == ("TT_LEAD", FIRST_REASONS)
    assert first["declined_at"]
    assert (next_one["focal_point"], next_one["reasons"]) == (harbour.code, NEXT_REASONS)
    assert routing["holder"] == harbour.code
    assert (closed["state"], closed["lead"]) == ("closed", harbour.code)
    assert kinds(list_events(officer)) == [
        "case.drafted",
        "case.submitted",
        "case.acknowledged",
        "case.lead_declined",
        "case.acknowledged",
        "case.lead_accepted",
        "case.assistance_begun",
        "case.closed",
    ]
    assert kinds(list_events(unit)) == [
        "case.submitted",
        "case.acknowledged",
        "case.lead_declined",
    ]
    assert kinds(list_events(harbour))[0] == "case.lead_declined"
    proofs = done(officer.get(f"/cases/{case['code']}/evidence"))["items"]
    assert [(one["recipient"], one["rungs"][-1]["event"]) for one in proofs] == [
        ("TT_LEAD", "case.lead_declined"),
        (harbour.code, "case.lead_accepted"),
    ]
