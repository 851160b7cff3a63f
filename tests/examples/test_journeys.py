"""Two complete cases through the HTTP API, and the facts that other offices do not learn.

Each office polls its feed of events. `/evidence` shows how far a case or a referral has
progressed at an office: submitted, available, retrieved, acknowledged, decided.
"""

from tests.support.world import (
    Json,
    Someone,
    World,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

STEPS = ["submitted", "available", "retrieved", "acknowledged", "decided"]


def list_steps(evidence: Json) -> list[str]:
    """Return the names of the steps of delivery that the evidence proves."""
    return [rung["name"] for rung in evidence["statuses"]]


def take_lead(lead: Someone, case: Json) -> None:
    """Poll the feed, acknowledge the case, read the needs, and accept the lead.

    The second poll sends the cursor of the first page, which proves that this page arrived.
    """
    lead.poll()
    lead.get("/events", after=lead.cursor)
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.open(f"/cases/{case['code']}/sections/needs", "assessment"))
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


def run_referral(recipient: Someone, referral: Json) -> None:
    """Poll the feed, acknowledge and accept a referral, start it, and complete it."""
    recipient.poll()
    recipient.get("/events", after=recipient.cursor)
    unwrap(recipient.does("acknowledge", referral))
    unwrap(recipient.does("accept", referral, make_acceptance()))
    unwrap(recipient.does("start", referral, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She sleeps well."}
    unwrap(recipient.does("complete", referral, report))


def close_case(lead: Someone, second: Someone, case: Json) -> Json:
    """Close a case after a second person of the same office has approved the closure."""
    approval = unwrap(lead.does("close", case, make_closure()))
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    return unwrap(lead.does("close", case, make_closure(), Approval=approval["id"]))


def test_an_uzbek_worker_met_in_almaty_is_sheltered_and_advised(
    world: World,
    officer: Someone,
    lead: Someone,
    supervisor: Someone,
    lawyer: Someone,
) -> None:
    full, free = (world.add_person(f"KZ_SHELTER_{n}") for n in ("KOGERSHIN", "TANSHOLPAN"))

    case = officer.submit()
    take_lead(lead, case)
    no = unwrap(lead.refer(case, full.code))
    advice = unwrap(lead.refer(case, lawyer.code, service="LEGAL_AID"))
    unwrap(full.does("decline", no, {"reason": "NO_CAPACITY", "note": "Full until Friday"}))
    bed = unwrap(lead.refer(case, free.code, sections=["needs", "contact"]))
    run_referral(free, bed)
    run_referral(lawyer, advice)
    closed = close_case(lead, supervisor, case)

    assert closed["state"] == "closed"
    assert closed["stage"] == "closure"
    states = [lead.read(referral)["state"] for referral in (no, bed, advice)]
    assert states == ["declined", "completed", "completed"]
    assert list_types(officer.poll()) == [
        "case.drafted",
        "case.submitted",
        "case.acknowledged",
        "case.lead_accepted",
        "case.assistance_begun",
        "case.closed",
    ]
    helped = ["acknowledged", "accepted", "started", "completed"]
    assert list_types(list_events(free)) == [f"referral.{x}" for x in ("sent", *helped)]
    assert list_types(list_events(lawyer)) == [f"referral.{x}" for x in ("sent", *helped)]
    assert list_types(list_events(full)) == ["referral.sent", "referral.declined"]
    assert list_types(list_events(lead)) == [
        "case.submitted",
        "case.acknowledged",
        "case.lead_accepted",
        *("referral.created", "referral.sent") * 2,
        "referral.declined",
        "referral.created",
        "referral.sent",
        "referral.acknowledged",
        "referral.accepted",
        "case.assistance_begun",
        "referral.started",
        "referral.completed",
        *(f"referral.{x}" for x in helped),
        "approval.requested",
        "approval.decided",
        "case.closed",
    ]
    [evidence] = unwrap(officer.get(f"/cases/{case['code']}/evidence"))["items"]
    assert (list_steps(evidence), evidence["recipient"]) == (STEPS, "KZ_LEAD")
    assert evidence["statuses"][-1]["event"] == "case.lead_accepted"
    [proof] = unwrap(lead.get(f"/referrals/{bed['id']}/evidence"))["items"]
    assert (list_steps(proof), proof["rank"]) == (STEPS, len(STEPS))


FIRST_REASONS = ["body_of_the_country", "speaks_the_language"]
NEXT_REASONS = ["works_in_the_country", "speaks_the_language"]


def list_events(someone: Someone) -> list[Json]:
    """Return all events in the feed of a person's office."""
    return list(unwrap(someone.get("/events", limit=200))["items"])


def test_nobody_else_learns_who_shelters_her(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, lawyer: Someone
) -> None:
    shelter = world.add_person("KZ_SHELTER_TANSHOLPAN")
    case = officer.submit()
    take_lead(lead, case)
    bed = unwrap(lead.refer(case, shelter.code))
    advice = unwrap(lead.refer(case, lawyer.code, service="LEGAL_AID"))
    run_referral(shelter, bed)
    run_referral(lawyer, advice)
    close_case(lead, supervisor, case)

    for other in (officer, lawyer):
        texts = [other.get(path).text for path in list_paths(case)]
        texts += [other.get(f"/referrals/{bed['id']}{x}").text for x in ("", "/evidence")]
        assert not any(shelter.code in text for text in texts)
        assert not any(bed["id"] in text for text in texts)
    assert [e["subject"] for e in list_events(lawyer)] == [f"referrals/{advice['id']}"] * 5


def list_paths(case: Json) -> list[str]:
    """Return the paths of lists and views that could mention the case.

    `/routing` is not among them, because the submitter may read it, and it names all
    offices that could have led the case.
    """
    own = ("", "/history", "/evidence", "/consents", "/access-log")
    lists = ("/events?limit=200", "/worklist", "/cases", "/referrals", "/approvals")
    return [f"/cases/{case['code']}{path}" for path in own] + list(lists)


def test_a_jamaican_man_in_trinidad_is_led_by_the_second_office_that_was_asked(
    world: World,
) -> None:
    officer = world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
    unit, harbour = world.add_person("TT_LEAD"), world.add_person("TT_SAFE_HARBOUR")
    shelter, colleague = world.add_person("TT_SHELTER"), world.add_person("TT_SAFE_HARBOUR")
    classes = [{"kind": kind, "country": "TT"} for kind in ("state", "non_state")]

    case = officer.submit(
        summary={"country": "TT", "language": "en", "services": ["SHELTER"]},
        safeguards={"country_of_origin": "JM"},
        consents=[
            *(make_consent(recipient_class=c, language="en") for c in classes),
            make_service_consent(country="TT", language="en"),
        ],
    )
    unwrap(unit.does("acknowledge", case))
    why = {"reason": "NO_CAPACITY", "note": "Nobody on duty this week"}
    declined = unit.does("decline-lead", case, why)
    routing = unwrap(harbour.get(f"/cases/{case['code']}/routing"))
    take_lead(harbour, case)
    bed = unwrap(harbour.refer(case, shelter.code))
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
    assert list_types(list_events(officer)) == [
        "case.drafted",
        "case.submitted",
        "case.acknowledged",
        "case.lead_declined",
        "case.acknowledged",
        "case.lead_accepted",
        "case.assistance_begun",
        "case.closed",
    ]
    assert list_types(list_events(unit)) == [
        "case.submitted",
        "case.acknowledged",
        "case.lead_declined",
    ]
    assert list_types(list_events(harbour))[0] == "case.lead_declined"
    proofs = unwrap(officer.get(f"/cases/{case['code']}/evidence"))["items"]
    assert [(one["recipient"], one["statuses"][-1]["event"]) for one in proofs] == [
        ("TT_LEAD", "case.lead_declined"),
        (harbour.code, "case.lead_accepted"),
    ]
