"""Tests of rows of "What ends with what" (docs/mechanism.md) that no other test covers."""

from app.kernel.actors import Role
from tests.support.endings import can_open, disable, run_endings_job
from tests.support.returns import TOLD, begin_return, make_return_consent
from tests.support.world import (
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
SOON = "2026-06-03T12:00:00Z"
BED = {"purposes": ["SHELTER"], "sections": ["needs", "contact"], "expires_at": SOON}


def test_consent_that_runs_out_shuts_its_sections_and_ends_no_help(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    short = [
        make_consent(focal_point=SHELTER, **BED),
        make_handover_consent("SANA_SEZIM", expires_at=SOON),
    ]
    case = lead.take_lead(officer.submit(consents=[make_consent(), *short]))
    sent = unwrap(lead.refer(case, SHELTER, sections=["needs", "contact"]))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    before = can_open(shelter, case, "contact")

    world.advance(days=2)
    run_endings_job(world)

    assert (before, can_open(shelter, case, "contact")) == (True, False)
    assert shelter.open(f"{get_path(case)}/safety-alert").is_success
    assert lead.read(sent)["state"] == "accepted"
    assert (
        unwrap(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"
    )
    assert ("consent", "sender") in get_unmet(lead.does("send", draft))
    assert lead.read(offered)["state"] == "offered"
    refused = world.add_person("SANA_SEZIM").does("accept", offered, make_takeover())
    assert ("consent", "lead") in get_unmet(refused)


def test_return_whose_consent_runs_out_waits_and_is_not_ended(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(
        world, officer, lead, consents=[make_return_consent(expires_at=SOON)]
    )
    [longer] = [c for c in home.list_consents("RETURN") if c["expires_at"] != SOON]
    unwrap(lead.send(f"{get_path(home.case)}/consents/{longer['id']}/withdraw"))
    before = home.state

    world.advance(days=2)
    run_endings_job(world)

    assert (before, home.state) == ("opened", "opened")
    refused = lead.does("inform", home.record, TOLD)
    assert get_unmet(refused) == [("return_consent", "lead")]
    assert lead.read(home.referral)["state"] == "accepted"


def test_handover_that_is_accepted_ends_what_the_old_lead_asked_and_may_do(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent("SANA_SEZIM")]
    case, ngo = (
        lead.take_lead(officer.submit(consents=given)),
        world.add_person("SANA_SEZIM"),
    )
    approval_id = lead.does("close", case, make_closure()).json()["id"]
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))

    unwrap(ngo.does("accept", offered, make_takeover()))

    assert get_problem(supervisor.send(f"/approvals/{approval_id}/approve"))[0] in {
        404,
        409,
    }
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert lead.get_worklist() == []
    assert ngo.read(case)["lead"] == "SANA_SEZIM"


def test_desk_that_moved_a_lead_and_the_old_lead_have_no_part_any_more(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = lead.take_lead(
        officer.submit(consents=[make_consent(), ngos, make_service_consent()])
    )
    sent = unwrap(lead.refer(case, SHELTER))
    disable(lead, supervisor)
    world.advance(days=1)
    run_endings_job(world)
    desk = world.add_person("DESK_CENTRAL_ASIA")
    boss = world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_INACTIVE", "person_informed": True}

    assert desk.does_with(boss, "take-over", case, move).status_code == 204

    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    ngo = world.add_person("SANA_SEZIM")
    assert ngo.read(sent)["you_are"] == ["sender"]


def test_office_that_was_asked_and_where_nobody_can_sign_in_loses_it_by_its_deadline(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submit(consents=[make_consent(), ngos])
    disable(lead, supervisor)
    assert (run_endings_job(world), officer.read(case)["holder"]) == (0, "KZ_LEAD")
    officer.poll()

    world.wait(hours=3)

    assert officer.read(case)["holder"] == "SANA_SEZIM"
    assert list_types(officer.poll()) == ["case.not_acknowledged", "case.rerouted"]


def test_case_that_is_closed_shuts_every_section_and_tells_its_parties(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    question = {"topics": ["needs"], "question": "Which papers are there?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question))
    lead.poll()
    officer.poll()

    unwrap(lead.does_with(supervisor, "close", case, make_closure()))

    assert not can_open(lead, case, "needs")
    assert not can_open(officer, case, "needs")
    assert lead.read(draft)["state"] == "revoked"
    assert lead.get_worklist() == officer.get_worklist() == []
    assert "case.closed" in list_types(lead.poll())
    assert list_types(officer.poll()) == ["case.closed"]
    assert officer.read(case)["state"] == "closed"
