"""Tests of rows of "What ends with what" in docs/mechanism.md that no other test covers."""

from app.kernel.actors import Role
from tests.support.endings import can_open, disable, look
from tests.support.returns import TOLD, begin, to_return
from tests.support.world import (
    Someone,
    World,
    closing,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
    taking,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
SOON = "2026-06-03T12:00:00Z"
BED = {"purposes": ["SHELTER"], "sections": ["needs", "contact"], "expires_at": SOON}


def test_consent_that_runs_out_shuts_its_sections_and_ends_no_help(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    short = [
        consent(focal_point=SHELTER, **BED),
        for_handover("SANA_SEZIM", expires_at=SOON),
    ]
    case = lead.leads(officer.submits(consents=[consent(), *short]))
    sent = done(lead.refers(case, SHELTER, sections=["needs", "contact"]))
    done(shelter.does("accept", sent, promise()))
    draft = done(lead.refers(case, SHELTER, send=False))
    offered = done(lead.offers(case, "SANA_SEZIM"))
    before = can_open(shelter, case, "contact")

    world.passes(days=2)
    look(world)

    assert (before, can_open(shelter, case, "contact")) == (True, False)
    assert shelter.opens(f"{path_of(case)}/safety-notice").is_success
    assert lead.sees(sent)["state"] == "accepted"
    assert done(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"
    assert ("consent", "sender") in lacks(lead.does("send", draft))
    assert lead.sees(offered)["state"] == "offered"
    refused = world.someone("SANA_SEZIM").does("accept", offered, taking())
    assert ("consent", "lead") in lacks(refused)


def test_return_whose_consent_runs_out_waits_and_is_not_ended(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin(world, officer, lead, consents=[to_return(expires_at=SOON)])
    [longer] = [c for c in home.consents("RETURN") if c["expires_at"] != SOON]
    done(lead.post(f"{path_of(home.case)}/consents/{longer['id']}/withdraw"))
    before = home.state

    world.passes(days=2)
    look(world)

    assert (before, home.state) == ("opened", "opened")
    refused = lead.does("inform", home.record, TOLD)
    assert lacks(refused) == [("return_consent", "lead")]
    assert lead.sees(home.referral)["state"] == "accepted"


def test_handover_that_is_accepted_ends_what_the_old_lead_asked_and_may_do(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    given = [consent(), for_services(), for_handover("SANA_SEZIM")]
    case, ngo = lead.leads(officer.submits(consents=given)), world.someone("SANA_SEZIM")
    asked = lead.does("close", case, closing()).json()["id"]
    offered = done(lead.offers(case, "SANA_SEZIM"))

    done(ngo.does("accept", offered, taking()))

    assert problem(supervisor.post(f"/approvals/{asked}/approve"))[0] in {404, 409}
    assert problem(lead.get(path_of(case))) == (404, "not-found")
    assert lead.waits() == []
    assert ngo.sees(case)["lead"] == "SANA_SEZIM"


def test_desk_that_moved_a_lead_and_the_old_lead_have_no_part_any_more(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    ngos = consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = lead.leads(officer.submits(consents=[consent(), ngos, for_services()]))
    sent = done(lead.refers(case, SHELTER))
    disable(lead, supervisor)
    world.passes(days=1)
    look(world)
    desk = world.someone("DESK_CENTRAL_ASIA")
    boss = world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_INACTIVE", "person_informed": True}

    assert desk.does_with(boss, "take-over", case, move).status_code == 204

    assert problem(desk.get(path_of(case))) == (404, "not-found")
    ngo = world.someone("SANA_SEZIM")
    assert ngo.sees(sent)["you_are"] == ["sender"]


def test_office_that_was_asked_and_where_nobody_can_sign_in_loses_it_by_its_deadline(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    ngos = consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submits(consents=[consent(), ngos])
    disable(lead, supervisor)
    assert (look(world), officer.sees(case)["holder"]) == (0, "KZ_LEAD")
    officer.hears()

    world.waits_for(hours=3)

    assert officer.sees(case)["holder"] == "SANA_SEZIM"
    assert kinds(officer.hears()) == ["case.not_acknowledged", "case.rerouted"]


def test_case_that_is_closed_shuts_every_section_and_tells_its_parties(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.leads(officer.submits())
    draft = done(lead.refers(case, SHELTER, send=False))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    done(lead.creates(f"{path_of(case)}/questions", question))
    lead.hears()
    officer.hears()

    done(lead.does_with(supervisor, "close", case, closing()))

    assert not can_open(lead, case, "needs")
    assert not can_open(officer, case, "needs")
    assert lead.sees(draft)["state"] == "revoked"
    assert lead.waits() == officer.waits() == []
    assert "case.closed" in kinds(lead.hears())
    assert kinds(officer.hears()) == ["case.closed"]
    assert officer.sees(case)["state"] == "closed"
