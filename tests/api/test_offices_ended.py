"""Tests of an office that closes, loses its last account or is full (ADR 50)."""

import pytest
from sqlalchemy import update

from app.directory.kinds import is_at_home
from app.directory.models import FocalPoint
from app.directory.queries import list_offices
from app.kernel.actors import AccountKind, Role
from app.metrics.gauges import WATCHES
from app.metrics.server import build_registry
from tests.support.directory_changes import update_directory
from tests.support.endings import disable, run_endings_job
from tests.support.metrics_scrape import PREFIX
from tests.support.returns import CONSULATE, HOME, MET, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
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
BEFORE_DEPARTURE = [
    "",
    "inform",
    "permit-contact",
    "assess-origin",
    "go",
    "issue-document",
    "plan",
    "accept-plan",
]


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that KZ_LEAD leads. The consents also allow SANA_SEZIM to lead."""
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    given = [
        make_consent(),
        ngos,
        make_service_consent(),
        make_handover_consent("SANA_SEZIM"),
    ]
    return lead.take_lead(officer.submit(consents=given))


def list_event_types(who: Someone, about: Json | None = None) -> list[str]:
    """Return the types of the events that an office receives, for one record or for all."""
    return list_types(e for e in who.poll() if about is None or about["id"] in e["subject"])


def count_unattended(world: World) -> float | None:
    """Return the number of unattended offices that the metric for the alarm shows."""
    return measured(world, "offices_unattended")


def measured(world: World, name: str) -> float | None:
    return build_registry(world.runtime, WATCHES).get_sample_value(f"{PREFIX}{name}")


def leads_in(world: World, country: str) -> list[str]:
    """Return the codes of the offices that can lead a case in a country."""
    with world.database.begin_read() as session:
        offices = list_offices(session)
        return [one.code for one in offices if one.can_lead and is_at_home(one, country)]


# The office of a draft


def test_draft_of_a_closed_office_waits_there_and_its_people_hand_it_on(
    world: World, officer: Someone
) -> None:
    draft = unwrap(officer.create_case())
    before = measured(world, "closed_office_drafts")

    world.close_office(officer.code)
    world.run_worker()

    during = measured(world, "closed_office_drafts")
    assert [kind for _, kind, _ in officer.get_worklist()] == ["finish_draft"]
    assert unwrap(officer.does("submit", draft))["state"] == "submitted"
    assert (before, during, measured(world, "closed_office_drafts")) == (0, 1, 0)


def test_draft_of_an_ended_account_is_discarded_by_a_colleague(
    world: World, officer: Someone
) -> None:
    draft = unwrap(officer.create_case())
    colleague = world.add_person(officer.code, {Role.OFFICER})
    disable(officer, world.add_person(officer.code, {Role.SUPERVISOR}))

    assert unwrap(colleague.does("discard", draft))["state"] == "void"


def test_case_of_a_closed_submitter_goes_on_and_its_lead_hears_that_nobody_answers(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    question_body = {"topics": ["contact"], "question": "Which number?"}
    unwrap(lead.create(f"/cases/{case['code']}/questions", question_body))
    lead.poll()

    world.close_office(officer.code)
    world.run_worker()

    assert list_types(lead.poll()) == ["case.not_answered"]
    assert lead.read(case)["state"] == "referring"


# No account can sign in


def test_desk_at_which_nobody_can_sign_in_is_an_alarm_without_a_deadline(
    world: World, desk: Someone
) -> None:
    """A desk without cases counts too, because it may have to move a case at any time."""
    before = count_unattended(world)

    disable(desk, world.add_person(desk.code, {Role.SUPERVISOR}))

    assert (before, count_unattended(world)) == (0, 1)


def test_desk_is_brought_in_where_nobody_can_sign_in_at_the_lead(
    world: World, lead: Someone, desk: Someone, supervisor: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    watcher.poll()
    disable(lead, supervisor)
    [ended] = [e["facts"] for e in watcher.poll() if e["type"] == "account.disabled"]
    assert (ended, run_endings_job(world)) == ({"accounts_left": 0}, 0)

    world.advance(days=1)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)
    assert list_types(watcher.poll()) == list_types(desk.poll()) == ["case.escalated"]
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_INACTIVE", "person_informed": True}
    boss = world.add_person(desk.code, {Role.SUPERVISOR})
    assert desk.does_with(boss, "take-over", case, move).status_code == 204
    assert world.add_person("SANA_SEZIM").read(case)["you_are"] == ["lead"]


@pytest.mark.parametrize("kind", [AccountKind.PERSON, AccountKind.INTEGRATION])
def test_lead_with_another_account_keeps_its_case(
    world: World, lead: Someone, desk: Someone, supervisor: Someone, kind: AccountKind
) -> None:
    disable(lead, supervisor)
    world.add_person("KZ_LEAD", {Role.CASEWORKER}, kind=kind)
    world.advance(days=2)

    assert run_endings_job(world) == 0
    assert desk.poll() == []


def test_desk_may_not_take_a_case_from_a_lead_that_can_sign_in(
    world: World, lead: Someone, desk: Someone, supervisor: Someone, case: Json
) -> None:
    disable(lead, supervisor)
    world.advance(days=1)
    run_endings_job(world)
    world.add_person("KZ_LEAD")
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_INACTIVE", "person_informed": True}

    refused = desk.does("take-over", case, move)

    assert get_problem(refused) == (409, "lead-not-failing")


@pytest.mark.parametrize("waiting", ["draft", "case"])
def test_alarm_is_raised_at_once_for_an_office_where_nobody_can_sign_in(
    world: World, officer: Someone, lead: Someone, waiting: str
) -> None:
    one = officer if waiting == "draft" else lead
    unwrap(officer.create_case(submit=waiting == "case"))
    boss = world.add_person(one.code, {Role.SUPERVISOR})
    before = count_unattended(world)
    disable(one, boss)
    during = count_unattended(world)
    world.add_person(one.code, {Role.CASEWORKER})

    assert (before, during, count_unattended(world)) == (0, 1, 0)


def test_no_alarm_is_raised_for_an_office_that_nothing_waits_for(
    world: World, lead: Someone, supervisor: Someone
) -> None:
    disable(lead, supervisor)

    assert count_unattended(world) == 0


# An administrator is needed: one person works alone, or no office can lead


@pytest.mark.parametrize(
    ("kind", "roles", "expected"),
    [
        pytest.param(AccountKind.PERSON, {Role.SUPERVISOR}, 0, id="supervisor"),
        pytest.param(AccountKind.PERSON, {Role.COORDINATOR}, 0, id="coordinator"),
        pytest.param(AccountKind.PERSON, {Role.CASEWORKER}, 0, id="caseworker"),
        pytest.param(AccountKind.INTEGRATION, {Role.COORDINATOR}, 0, id="machine asks"),
        pytest.param(AccountKind.PERSON, {Role.ADMINISTRATOR}, 1, id="administrator"),
    ],
)
@pytest.mark.usefixtures("case")
def test_alarm_is_raised_for_a_lead_without_a_second_person(
    world: World, kind: AccountKind, roles: set[Role], expected: int
) -> None:
    before = measured(world, "offices_without_second_person")

    world.add_person("KZ_LEAD", roles, kind=kind)

    during = measured(world, "offices_without_second_person")
    assert (before, during) == (1, expected)


def test_alarm_ends_when_the_case_of_a_lone_lead_is_over(
    world: World, lead: Someone, case: Json
) -> None:
    boss = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    unwrap(lead.does_with(boss, "close", case, make_closure()))
    disable(boss, world.add_person("KZ_LEAD", {Role.ADMINISTRATOR}))

    assert measured(world, "offices_without_second_person") == 0


def test_alarm_is_raised_for_a_desk_with_one_person_and_without_a_case(
    world: World, desk: Someone
) -> None:
    before = measured(world, "offices_without_second_person")

    world.add_person(desk.code, {Role.SUPERVISOR})

    assert (before, measured(world, "offices_without_second_person")) == (1, 0)


@pytest.mark.parametrize("ends", ["closed", "empty"])
def test_alarm_is_raised_for_a_country_in_which_no_office_can_lead(
    world: World, lead: Someone, supervisor: Someone, ends: str
) -> None:
    others = [one for one in leads_in(world, "KZ") if one != "KZ_LEAD"]
    for office in others:
        world.close_office(office)
    before = measured(world, "countries_without_lead")
    if ends == "closed":
        world.close_office("KZ_LEAD")
    else:
        disable(lead, supervisor)
    during = measured(world, "countries_without_lead")
    for office in others:  # some of them also lead in another country
        world.close_office(office, active=True)

    assert before is not None
    assert (during, measured(world, "countries_without_lead")) == (before + 1, 0)


# No capacity is left


def test_what_waits_for_an_office_without_a_place_waits_and_what_it_took_on_goes_on(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    waiting, taken = (
        unwrap(lead.refer(case, SHELTER, service=service, sections=["needs"]))
        for service in ("SHELTER", "LEGAL_AID")
    )
    unwrap(shelter.does("accept", taken, make_acceptance()))
    before, free = shelter.get_worklist(), {"free": 0}
    lead.poll()
    path, key = f"/focal-points/{SHELTER}/capacity", {"Idempotency_Key": "full"}
    unwrap(shelter.ask("PUT", path, free, headers=key))
    world.run_worker()

    assert (run_endings_job(world), shelter.get_worklist(), lead.poll()) == (0, before, [])
    assert unwrap(shelter.does("start", taken, MET))["state"] == "in_progress"
    refused = unwrap(shelter.does("decline", waiting, {"reason": "NO_CAPACITY"}))
    assert refused["state"] == "declined"
    assert "referral.declined" in list_event_types(lead, waiting)


def test_office_without_a_place_is_proposed_for_nothing_new_and_can_be_asked(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    key = {"Idempotency_Key": "full"}
    unwrap(
        shelter.ask("PUT", f"/focal-points/{SHELTER}/capacity", {"free": 0}, headers=key)
    )

    path = f"/cases/{case['code']}/recipients"
    [found] = unwrap(lead.get(path, service="SHELTER"))["services"]

    out = {one["focal_point"]: one["reasons"] for one in found["excluded"]}
    assert out[SHELTER] == ["full"]
    assert unwrap(lead.refer(case, SHELTER))["state"] == "sent"


def test_office_without_a_place_is_still_asked_to_lead(
    world: World, officer: Someone
) -> None:
    with world.database.begin_write() as session:
        of_lead = update(FocalPoint).where(FocalPoint.code == "KZ_LEAD")
        update_directory(session, of_lead.values(capacity=0, capacity_as_of=world.now))

    assert officer.submit()["holder"] == "KZ_LEAD"


# A helping office closes


@pytest.mark.parametrize("upto", ["accept", "start", "hold"])
def test_help_of_a_closed_office_is_not_ended_and_its_sender_is_told(
    world: World, lead: Someone, shelter: Someone, case: Json, upto: str
) -> None:
    rest = {"reason": "CONTACT_LOST", "review_at": "2026-06-10T09:00:00Z"}
    sent = unwrap(lead.refer(case, SHELTER))
    steps: list[tuple[str, Json]] = [
        ("accept", make_acceptance()),
        ("start", MET),
        ("hold", rest),
    ]
    for action, body in steps:
        unwrap(shelter.does(action, sent, body))
        if action == upto:
            break
    state = lead.read(sent)["state"]
    lead.poll()

    world.close_office(SHELTER)
    world.run_worker()

    event = "referral.review_due" if upto == "hold" else "referral.overdue"
    [facts] = [e["facts"] for e in lead.poll() if e["type"] == event]
    assert facts["active"] is False
    assert lead.read(sent)["state"] == state
    assert "withdraw" in get_actions(lead.read(sent))


def test_referral_that_a_closed_office_asked_back_ends_and_its_sender_is_told(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("ask", sent, {"topics": ["contact"], "question": "Which number?"}))
    lead.poll()

    world.close_office(SHELTER)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)
    assert lead.read(sent)["state"] == "expired"
    assert list_event_types(lead, sent) == ["referral.expired"]
    assert sent["id"] not in str(lead.get_worklist())


def test_offer_of_a_closed_lead_can_still_be_accepted(
    world: World, lead: Someone, case: Json
) -> None:
    ngo = world.add_person("SANA_SEZIM")
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))

    world.close_office("KZ_LEAD")
    world.run_worker()

    unwrap(ngo.does("accept", offered, make_takeover()))
    assert ngo.read(case)["you_are"] == ["lead"]


# An office of a return closes


@pytest.mark.parametrize("upto", BEFORE_DEPARTURE)
def test_lead_of_a_return_is_told_once_that_nobody_awaits_the_person(
    world: World, officer: Someone, lead: Someone, upto: str
) -> None:
    home = begin_return(world, officer, lead)
    if upto:
        home.advance(upto)
    state = home.state
    lead.poll()

    world.close_office(HOME)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)
    [event] = [e for e in lead.poll() if e["type"] == "return.recipient_closed"]
    assert (event["facts"], event["by"]) == ({"state": state}, None)
    assert home.state == state


def test_nobody_departs_to_an_office_that_is_closed(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("accept-plan")

    world.close_office(HOME)

    refused = lead.does("depart", home.record, {"reconfirmed_today": True})
    assert get_unmet(refused) == [("under_way", "lead")]
    unwrap(lead.does("withdraw", home.referral, {"reason": "NO_LONGER_NEEDED"}))
    assert home.state == "ended"


def test_who_travels_to_an_office_that_is_closed_is_not_lost_from_sight(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("depart")
    lead.poll()

    world.close_office(HOME)
    world.run_worker()

    assert run_endings_job(world) == 0
    [facts] = [e["facts"] for e in lead.poll() if e["type"] == "return.overdue"]
    assert (facts["deadline"], facts["active"]) == ("confirm_arrival", False)
    assert home.state == "in_transit"
    unwrap(lead.does("withdraw", home.referral, {"reason": "NO_LONGER_NEEDED"}))
    assert home.state == "halted"
    assert list(get_actions(home.read())) == ["locate"]


def test_lead_of_a_return_is_told_that_the_consulate_is_closed(
    world: World, officer: Someone, lead: Someone
) -> None:
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [make_consent(focal_point=CONSULATE, **papers)]
    home = begin_return(world, officer, lead, consents=given)
    home.refer_to_consulate()
    home.advance("permit-contact")
    lead.poll()

    world.close_office(CONSULATE)
    world.run_worker()

    active_accounts = {e["type"]: e["facts"]["active"] for e in lead.poll()}
    assert active_accounts == {"referral.overdue": False, "return.overdue": False}
    assert home.state == "permitted"
