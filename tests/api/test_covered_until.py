"""The date until which consents cover a referral, as sender and recipient see it."""

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
    consent,
    done,
    for_handover,
    for_services,
    taking,
)


def test_a_referral_shows_until_when_a_consent_covers_it(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    longer = for_services(sections=["needs"])
    case = lead_case(officer, lead, SHORT, longer)
    sent = start_shelter(lead, shelter, case)
    less = done(lead.refers(case, SHELTER, sections=["needs"], send=False))
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="MEDICAL", send=False))

    shown = [who.sees(sent)["covered_until"] for who in (lead, shelter)]
    others = [lead.sees(one)["covered_until"] for one in (less, advice)]
    run_worker_at(world, END)
    past = shelter.sees(sent)["covered_until"]
    done(shelter.does("complete", sent, {"outcome": "delivered", "feedback": "Well"}))

    assert shown == [END, END]
    assert others == ["2027-06-01T00:00:00Z", None]
    assert (past, shelter.sees(sent)["covered_until"]) == (END, None)


def test_a_sender_that_may_not_list_consents_is_shown_no_date(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=[consent(), SHORT])
    draft = done(lead.refers(case, SHELTER, send=False))
    before = lead.sees(draft)["covered_until"]

    done(lead.does("acknowledge", case))

    assert (before, lead.sees(draft)["covered_until"]) == (None, END)


def test_a_lead_that_may_not_know_who_helps_is_shown_no_date(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    home = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead_case(officer, lead, SHORT, for_handover(), safeguards=home)
    sent = start_shelter(lead, shelter, case)
    successor = world.someone("UZ_LEAD")
    done(successor.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))

    seen = successor.sees(sent)

    assert (seen["recipient"], seen["covered_until"]) == (None, None)
    assert shelter.sees(sent)["covered_until"] == END
