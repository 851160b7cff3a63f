"""A withdrawal ends help whose consent had expired; a fear of the office ends a return."""

from tests.support.returns import HOME, Homecoming, begin
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    done,
    for_handover,
    for_services,
    path_of,
    problem,
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
SOON = "2026-06-05T00:00:00Z"
GUARDS = {"country_of_origin": "UZ", "origin_contact": "permitted"}


def withdraw_purpose(to: Someone, case: Json, purpose: str) -> None:
    """Withdraw all consents for one purpose."""
    path = f"{path_of(case)}/consents/withdraw"
    assert to.post(path, {"purposes": [purpose]}).status_code == 204


def begin_monitoring(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Return a monitored return whose referral is completed."""
    home = begin(world, officer, lead)
    home.goes("monitor")
    done(home.home.does("start", home.referral, {"person_met": True}))
    told = {"outcome": "delivered", "feedback": "At home"}
    done(home.home.does("complete", home.referral, told))
    return home


def test_a_no_ends_help_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits(consents=[consent(), for_services(expires_at=SOON)]))
    housed = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", housed, promise()))
    done(shelter.does("start", housed, {"person_met": True}))
    world.passes(days=5)
    assert shelter.sees(housed)["state"] == "in_progress"

    withdraw_purpose(shelter, case, "SHELTER")

    assert lead.sees(housed)["state"] == "withdrawn"


def test_a_no_to_one_consent_ends_nothing_that_another_which_ran_out_had_covered(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    other = for_services(focal_point="KZ_LEGAL_AID", purposes=["LEGAL_AID"])
    given = [consent(), for_services(expires_at=SOON, purposes=["SHELTER"]), other]
    case = lead.leads(officer.submits(consents=given))
    housed = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", housed, promise()))
    world.passes(days=5)

    withdraw_purpose(lead, case, "LEGAL_AID")

    assert lead.sees(housed)["state"] == "accepted"


def test_a_no_takes_back_an_offer_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(), for_handover("SANA_SEZIM", expires_at=SOON)]
    case = lead.leads(officer.submits(consents=given, safeguards=GUARDS))
    offered = done(lead.offers(case, "SANA_SEZIM"))
    world.passes(days=5)

    withdraw_purpose(lead, case, "HANDOVER")

    assert lead.sees(offered)["state"] == "cancelled"


def test_a_return_ends_once_who_visits_the_person_is_feared(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_monitoring(world, officer, lead)

    home.guards(origin_contact="permitted", unsafe_focal_points=[HOME])

    assert home.state == "ended"
    assert home.home.waits() == []
    refused = home.home.does("report", home.record, {"person_met": True})
    assert not refused.is_success
    assert list(actions(home.now())) == []


def test_an_offer_to_an_office_that_is_shut_ends_at_once(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(), for_handover("SANA_SEZIM"), for_handover("IOM")]
    case = lead.leads(officer.submits(consents=given, safeguards=GUARDS))
    offered = done(lead.offers(case, "SANA_SEZIM"))

    world.shuts("SANA_SEZIM")
    world.works()

    assert lead.sees(offered)["state"] == "expired"
    assert problem(lead.offers(case, "SANA_SEZIM"))[0] == 422
    done(lead.offers(case, "IOM"))


def test_a_no_to_what_nobody_agreed_to_is_heard_too(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())

    withdraw_purpose(lead, case, "HANDOVER")
