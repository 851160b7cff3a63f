"""Tests of withdrawals after a consent has expired, and of fears that end a return."""

from tests.support.returns import HOME, Homecoming, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
SOON = "2026-06-05T00:00:00Z"
GUARDS = {"country_of_origin": "UZ", "origin_contact": "permitted"}


def withdraw_purpose(to: Someone, case: Json, purpose: str) -> None:
    """Withdraw all consents for one purpose."""
    path = f"{get_path(case)}/consents/withdraw"
    assert to.send(path, {"purposes": [purpose]}).status_code == 204


def begin_monitoring(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin a return, move it to monitoring, and complete its referral."""
    home = begin_return(world, officer, lead)
    home.advance("monitor")
    unwrap(home.home.does("start", home.referral, {"person_met": True}))
    report_body = {"outcome": "delivered", "feedback": "At home"}
    unwrap(home.home.does("complete", home.referral, report_body))
    return home


def test_a_no_ends_help_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(
        officer.submit(consents=[make_consent(), make_service_consent(expires_at=SOON)])
    )
    housed = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    unwrap(shelter.does("start", housed, {"person_met": True}))
    world.advance(days=5)
    assert shelter.read(housed)["state"] == "in_progress"

    withdraw_purpose(shelter, case, "SHELTER")

    assert lead.read(housed)["state"] == "withdrawn"


def test_a_no_to_one_consent_ends_nothing_that_another_which_ran_out_had_covered(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    other = make_service_consent(focal_point="KZ_LEGAL_AID", purposes=["LEGAL_AID"])
    given = [
        make_consent(),
        make_service_consent(expires_at=SOON, purposes=["SHELTER"]),
        other,
    ]
    case = lead.take_lead(officer.submit(consents=given))
    housed = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    world.advance(days=5)

    withdraw_purpose(lead, case, "LEGAL_AID")

    assert lead.read(housed)["state"] == "accepted"


def test_a_no_takes_back_an_offer_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [make_consent(), make_handover_consent("SANA_SEZIM", expires_at=SOON)]
    case = lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    world.advance(days=5)

    withdraw_purpose(lead, case, "HANDOVER")

    assert lead.read(offered)["state"] == "cancelled"


def test_a_return_ends_once_who_visits_the_person_is_feared(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_monitoring(world, officer, lead)

    home.write_safeguards(origin_contact="permitted", unsafe_focal_points=[HOME])

    assert home.state == "ended"
    assert home.home.get_worklist() == []
    refused = home.home.does("report", home.record, {"person_met": True})
    assert not refused.is_success
    assert list(get_actions(home.read())) == []


def test_an_offer_to_an_office_that_is_shut_ends_at_once(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [
        make_consent(),
        make_handover_consent("SANA_SEZIM"),
        make_handover_consent("IOM"),
    ]
    case = lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))

    world.close_office("SANA_SEZIM")
    world.run_worker()

    assert lead.read(offered)["state"] == "expired"
    assert get_problem(lead.offer(case, "SANA_SEZIM"))[0] == 422
    unwrap(lead.offer(case, "IOM"))


def test_a_no_to_what_nobody_agreed_to_is_heard_too(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    withdraw_purpose(lead, case, "HANDOVER")
