"""Tests of the date until which consents cover a referral, as both offices see it."""

from tests.api.test_consent_expiry import (
    END,
    SHELTER,
    SHORT,
    lead_case,
    run_worker_at,
    start_shelter,
)
from tests.support.world import (
    Someone,
    World,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)


def test_a_referral_shows_until_when_a_consent_covers_it(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    longer = make_service_consent(sections=["needs"])
    case = lead_case(officer, lead, SHORT, longer)
    sent = start_shelter(lead, shelter, case)
    less = unwrap(lead.refer(case, SHELTER, sections=["needs"], send=False))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="MEDICAL", send=False))

    shown = [who.read(sent)["covered_until"] for who in (lead, shelter)]
    others = [lead.read(one)["covered_until"] for one in (less, advice)]
    run_worker_at(world, END)
    past = shelter.read(sent)["covered_until"]
    unwrap(shelter.does("complete", sent, {"outcome": "delivered", "feedback": "Well"}))

    assert shown == [END, END]
    assert others == ["2027-06-01T00:00:00Z", None]
    assert (past, shelter.read(sent)["covered_until"]) == (END, None)


def test_a_sender_that_may_not_list_consents_is_shown_no_date(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), SHORT])
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    before = lead.read(draft)["covered_until"]

    unwrap(lead.does("acknowledge", case))

    assert (before, lead.read(draft)["covered_until"]) == (None, END)


def test_a_lead_that_may_not_know_who_helps_is_shown_no_date(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    home = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead_case(officer, lead, SHORT, make_handover_consent(), safeguards=home)
    sent = start_shelter(lead, shelter, case)
    successor = world.add_person("UZ_LEAD")
    unwrap(successor.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    seen = successor.read(sent)

    assert (seen["recipient"], seen["covered_until"]) == (None, None)
    assert shelter.read(sent)["covered_until"] == END
