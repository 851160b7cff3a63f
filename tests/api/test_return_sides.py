"""Tests of the access to a return, and of data hidden from the State of origin."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.cases import queries as case_queries
from app.casework.carrying import escalate_to_desk
from app.directory.models import FocalPoint
from app.kernel.actors import Role
from app.returns.lifecycle import TABLE
from tests.support.directory_changes import update_directory
from tests.support.returns import (
    AT_HOME,
    CONSULATE,
    EARLY,
    HOME,
    MET,
    NO_GO,
    SAFE,
    WAY,
    Homecoming,
    begin_return,
    create_return,
    make_return_consent,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_travel_plan,
    unwrap,
)

BODIES: dict[str, Json | None] = {action: body for _, action, body in WAY} | {
    "no-go": NO_GO,
    "call-off": {},
    "report": EARLY,
    "locate": MET,
    "determine-interests": {"interests": "in_favour"},
    "receive-child": {"carer_receives": True, "guardian_at_arrival": True},
}
PAPERS: Json = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
TASK = {"id", "nationality", "due_at", "version", "available_actions"}


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin the return of an adult from Kazakhstan to Uzbekistan."""
    papers = make_consent(focal_point=CONSULATE, **PAPERS)
    return begin_return(world, officer, lead, consents=[papers])


@pytest.fixture
def asked(home: Homecoming) -> Json:
    """Return a referral for consular documents, which the consulate has accepted."""
    return home.refer_to_consulate()


def plan_of(who: Someone, home: Homecoming) -> tuple[int, str]:
    response = who.open(f"/returns/{home.record['id']}/travel-plan")
    return response.status_code, response.text


def test_the_bodies_here_are_of_every_action_there_is() -> None:
    taken = {row.action.replace("_", "-") for row in TABLE.steps if row.roles}

    assert set(BODIES) == taken


@pytest.mark.parametrize("action", BODIES)
def test_a_stranger_hears_what_a_return_that_is_not_there_would_say(
    home: Homecoming, stranger: Someone, action: str
) -> None:
    hidden = stranger.does(action, home.record, BODIES[action])
    missing = stranger.does(action, home.record | {"id": str(uuid4())}, BODIES[action])

    assert get_problem(hidden) == (404, "not-found")
    ours, theirs = hidden.json(), missing.json()
    assert ours.pop("instance") != theirs.pop("instance")
    assert ours == theirs


def test_a_stranger_and_the_submitter_read_nothing(
    home: Homecoming, stranger: Someone
) -> None:
    home.advance("accept-plan")

    for one in (stranger, home.officer):
        paths = (
            f"/returns/{home.record['id']}",
            f"/referrals/{home.referral['id']}/return",
        )
        assert [one.get(path).status_code for path in paths] == [404, 404]
        assert plan_of(one, home)[0] == 404


@pytest.mark.parametrize("action", [a for a in BODIES if a != "call-off"])
def test_a_version_must_be_given_and_be_the_latest(home: Homecoming, action: str) -> None:
    old, path = home.lead.get_tag(home.record), f"/returns/{home.record['id']}/{action}"
    home.advance("inform")

    unsaid = home.lead.send(path, BODIES[action])
    stale = home.lead.send(path, BODIES[action], If_Match=old)

    assert get_problem(unsaid) == (428, "version-not-given")
    assert get_problem(stale) == (412, "version-stale")


@pytest.mark.parametrize(
    ("action", "role"),
    [
        ("inform", Role.OFFICER),
        ("inform", Role.SUPERVISOR),
        ("go", Role.CASEWORKER),
        ("no-go", Role.CASEWORKER),
        ("call-off", Role.SUPERVISOR),
    ],
)
def test_what_needs_a_role_is_refused_without_it(
    home: Homecoming, action: str, role: Role
) -> None:
    if action == "go":
        home.advance("assess-origin")
    colleague = home.world.add_person("KZ_LEAD", {role})

    refused = colleague.does(action, home.record, BODIES[action])

    assert get_problem(refused) == (403, "role-missing")


@pytest.mark.parametrize(("who", "action", "body"), WAY)
def test_no_step_is_the_other_sides_to_take(
    home: Homecoming, who: str, action: str, body: Json | None
) -> None:
    taken = [step[1] for step in WAY]
    if earlier := taken[: taken.index(action)]:
        home.advance(earlier[-1])
    other = "home" if who == "lead" else "lead"

    refused = home.does(other, action, body)

    assert get_problem(refused) == (403, "action-not-yours")


def test_the_same_request_again_is_carried_out_once(home: Homecoming) -> None:
    tag, path = home.lead.get_tag(home.record), f"/returns/{home.record['id']}/inform"
    key = {"If_Match": tag, "Idempotency_Key": "the-same"}

    first, again = (home.lead.send(path, BODIES["inform"], **key) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(home.read()["steps"]) == 1


@pytest.mark.usefixtures("asked")
def test_the_consulate_does_the_papers_where_it_was_asked(
    home: Homecoming,
) -> None:
    officer = home.officer
    officer.poll()
    home.advance("permit-contact")
    [event] = officer.poll()
    not_home = home.home.does(
        "verify-nationality", home.record, BODIES["verify-nationality"]
    )
    no = unwrap(
        officer.does("verify-nationality", home.record, {"nationality": "not_confirmed"})
    )
    unwrap(home.does("lead", "assess-destination", SAFE))
    unwrap(home.does("home", "assess-origin", AT_HOME))
    unconfirmed = home.lead.does("go", home.record, {})
    unwrap(officer.does("verify-nationality", home.record, {"nationality": "confirmed"}))
    unwrap(home.does("lead", "go", {}))
    marked = officer.does("issue-document", home.record, {"without_marker": False})

    issued = officer.does("issue-document", home.record, {"without_marker": True})

    assert (event["type"], event["facts"], event["by"]) == (
        "return.document_requested",
        {},
        None,
    )
    assert event["subject"] == f"returns/{home.record['id']}"
    assert get_problem(not_home) == (403, "action-not-yours")
    assert (set(no), no["nationality"]) == (TASK, "not_confirmed")
    assert get_unmet(unconfirmed) == [("nationality_confirmed", "consulate")]
    assert get_unmet(marked) == [("no_marker", "consulate")]
    assert (issued.status_code, issued.content) == (204, b"")
    assert list_types(officer.poll()) == ["return.document_requested"]
    assert home.read()["steps"][-1]["by"] == CONSULATE
    assert home.advance("accept-plan")["state"] == "planned"


def test_a_consulate_that_is_asked_later_takes_over_the_papers(home: Homecoming) -> None:
    home.advance("permit-contact")
    body = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    referral = unwrap(home.lead.refer(home.case, CONSULATE, **body))
    home.officer.poll()
    early = home.officer.get(f"/returns/{home.record['id']}")
    unwrap(home.officer.does("accept", referral, make_acceptance()))
    events = [e for e in home.officer.poll() if e["type"].startswith("return.")]
    too_soon = home.officer.does("issue-document", home.record, {"without_marker": True})

    assert get_problem(early) == (404, "not-found")
    assert list_types(events) == ["return.document_requested"]
    subjects = [w["subject"] for w in unwrap(home.officer.get("/worklist"))["items"]]
    assert f"returns/{home.record['id']}" in subjects
    assert get_problem(too_soon) == (409, "action-illegal")
    assert {too_soon.json()[name] for name in ("state", "legal_actions")} == {None}


@pytest.mark.usefixtures("asked")
def test_what_the_consulate_reads_says_nothing_of_why(
    home: Homecoming,
) -> None:
    home.advance("permit-contact")
    path = f"/returns/{home.record['id']}"
    verified = home.officer.does(
        "verify-nationality", home.record, BODIES["verify-nationality"]
    )
    home.advance("go")
    unwrap(home.does("lead", "assess-destination", SAFE | {"threats": ["RETRIBUTION"]}))

    task = home.officer.get(path)
    refused = home.officer.does("issue-document", home.record, {"without_marker": True})

    assert set(unwrap(task)) == TASK
    assert get_unmet(refused) == [("still_cleared", "lead")]
    text = (task.text + verified.text + refused.text).lower()
    for word in (
        "victim",
        "traffick",
        "threat",
        "risk",
        "state",
        home.case["code"].lower(),
    ):
        assert word not in text, word
    assert plan_of(home.officer, home)[0] == 404


def test_another_states_consulate_has_no_part_in_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    other = "JM_CONSULATE_PORT_OF_SPAIN"
    home = begin_return(
        world, officer, lead, consents=[make_consent(focal_point=other, **PAPERS)]
    )
    body = {"service": "CONSULAR_DOCUMENT", "sections": []}
    jamaica = world.add_person(other)
    referral = unwrap(lead.refer(home.case, other, **body))
    unwrap(jamaica.does("accept", referral, make_acceptance()))
    home.advance("permit-contact")

    refused = jamaica.does("verify-nationality", home.record, BODIES["verify-nationality"])

    assert get_problem(jamaica.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    assert get_problem(refused) == (404, "not-found")
    assert home.advance("verify-nationality")["state"] == "assessing"


@pytest.mark.usefixtures("asked")
def test_papers_need_the_persons_consent_to_say_who_they_are(
    home: Homecoming,
) -> None:
    home.advance("permit-contact")
    home.withdraw_consents("CONSULAR_DOCUMENT")

    shut = home.officer.get(f"/returns/{home.record['id']}")

    assert get_problem(shut) == (404, "not-found")
    unwrap(home.home.does("verify-nationality", home.record, {"nationality": "confirmed"}))
    [tx] = [
        w for w in unwrap(home.lead.get("/worklist"))["items"] if "returns/" in w["subject"]
    ]
    assert tx["kind"] == "review"


def test_without_consent_to_identity_nobody_verifies_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    at_home = world.add_person(HOME)
    given = [make_consent(), make_return_consent(sections=["needs"])]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(officer.submit(consents=given, safeguards=guards))
    sent = unwrap(lead.refer(case, HOME, service="RETURN", sections=["needs"]))
    unwrap(at_home.does("accept", sent, make_acceptance()))
    record = unwrap(create_return(at_home, sent))
    unwrap(lead.does("inform", record, BODIES["inform"]))
    unwrap(lead.does("permit-contact", record))

    refused = at_home.does("verify-nationality", record, {"nationality": "confirmed"})

    assert get_unmet(refused) == [("identity_consent", "lead")]


def test_the_plan_is_sealed_and_read_by_the_two_sides_while_the_person_goes(
    home: Homecoming,
) -> None:
    home.advance("issue-document")
    before = plan_of(home.home, home)[0]
    home.advance("accept-plan")
    unwrap(home.does("lead", "plan", make_travel_plan(met_by="Another")))

    read = [plan_of(one, home) for one in (home.lead, home.home)]
    log = unwrap(home.lead.open(f"/cases/{home.case['code']}/access-log"))["items"]

    assert before == 404
    assert [status for status, _ in read] == [200, 200]
    assert [json.loads(text)["content"]["met_by"] for _, text in read] == ["Another"] * 2
    assert home.state == "planning"
    opened = [e["focal_point"] for e in log if e["subject"] == "travel_plan"]
    assert opened == [HOME, "KZ_LEAD", HOME]
    unwrap(home.does("lead", "call-off", {}))
    assert [plan_of(one, home)[0] for one in (home.lead, home.home)] == [404, 404]


@pytest.mark.parametrize(
    ("changes", "need"),
    [
        ({"person_agrees": False}, "person_agrees"),
        ({"plan": make_travel_plan("2026-06-01T12:00:00Z")["plan"]}, "arrival"),
        ({"plan": make_travel_plan("2027-06-03T18:00:00+05:00")["plan"]}, "arrival"),
        (
            {
                "plan": make_travel_plan(
                    contacts=make_travel_plan()["plan"]["contacts"][:1] * 2
                )["plan"]
            },
            "two_contacts",
        ),
    ],
)
def test_a_plan_is_made_with_the_person_and_two_who_can_be_reached(
    home: Homecoming, changes: Json, need: str
) -> None:
    home.advance("issue-document")

    refused = home.lead.does("plan", home.record, make_travel_plan() | changes)

    assert get_unmet(refused) == [(need, "lead")]


def test_nobody_departs_to_an_arrival_that_has_passed(home: Homecoming) -> None:
    home.advance("accept-plan")
    home.world.advance(days=3)

    refused = home.lead.does("depart", home.record, BODIES["depart"])

    assert get_unmet(refused) == [("arrival_ahead", "lead")]
    assert get_actions(home.read())["plan"]["open"]


def test_the_arrival_is_due_on_the_day_it_is_planned_for_where_the_person_arrives(
    home: Homecoming,
) -> None:
    assert home.advance("depart")["due_at"] == "2026-06-03T18:59:59Z"
    assert home.advance("monitor")["due_at"] == "2026-06-10T09:00:00Z"
    assert unwrap(home.does("home", "report", EARLY))["due_at"] == "2026-07-01T09:00:00Z"


def test_visits_are_after_7_days_and_1_3_6_12_months_unless_somebody_plans(
    home: Homecoming,
) -> None:
    home.advance("arrive")
    unwrap(home.does("home", "monitor", {}))

    for _ in range(4):
        assert unwrap(home.does("home", "report", EARLY))["state"] == "monitoring"
    assert unwrap(home.does("home", "report", EARLY))["state"] == "completed"


def test_no_visit_is_planned_in_a_year_that_was_mistyped(home: Homecoming) -> None:
    home.advance("arrive")
    plans = (["2027-06-10T09:00:00Z"], ["2026-06-10T09:00:00Z", "2062-07-01T09:00:00Z"])

    refused = [home.home.does("monitor", home.record, {"visits": plan}) for plan in plans]

    assert [get_unmet(one) for one in refused] == [[("schedule", "recipient")]] * 2
    assert home.state == "arrived"


def test_what_the_host_side_found_is_not_told_at_the_origin(home: Homecoming) -> None:
    found = {"level": "medium", "threats": ["LIFE"], "note": "Знает адрес"}
    home.advance("verify-nationality")
    unwrap(home.does("lead", "assess-destination", found))
    unwrap(home.does("home", "assess-origin", AT_HOME))

    steps = {step["action"]: step for step in home.home.read(home.record)["steps"]}
    notes = home.home.open(f"/referrals/{home.referral['id']}/notes").text

    assert steps["assess_destination"]["by"] == "KZ_LEAD"
    assert (
        steps["assess_destination"]["level"],
        steps["assess_destination"]["threats"],
    ) == (None, [])
    assert (steps["assess_origin"]["level"], steps["assess_origin"]["services"]) == (
        "low",
        ["SHELTER"],
    )
    assert "Знает" not in notes
    lead = {step["action"]: step for step in home.read()["steps"]}
    assert lead["assess_destination"]["threats"] == ["LIFE"]


def test_a_family_is_asked_with_consent_alone(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("assess-destination")
    family = AT_HOME | {"family": "CAN_RECEIVE"}
    refused = home.home.does("assess-origin", home.record, family)
    tracing = make_consent(focal_point=HOME, purposes=["FAMILY_TRACING"], sections=[])
    unwrap(lead.create(f"/cases/{home.case['code']}/consents", tracing))

    assert get_unmet(refused) == [("family_consent", "recipient")]
    assert unwrap(home.does("home", "assess-origin", family))["state"] == "assessing"


def test_a_reflection_period_is_waited_for_unless_the_person_asked_to_leave(
    home: Homecoming,
) -> None:
    runs = {"value": "running", "country": "KZ", "ends_on": "2026-07-01"}
    fact = {"name": "reflection_period"} | runs
    unwrap(home.lead.create(f"/cases/{home.case['code']}/facts", fact))
    home.advance("assess-origin")

    refused = home.lead.does("go", home.record, {})

    assert get_unmet(refused) == [("reflection_over", "lead")]
    left = unwrap(home.does("lead", "go", {"person_asked_to_leave": True}))
    assert (left["state"], left["steps"][-1]["result"]) == ("cleared", "asked_to_leave")


def test_while_the_case_rests_nothing_goes_on_but_a_no(home: Homecoming) -> None:
    home.advance("assess-origin")
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T09:00:00Z"}
    unwrap(home.lead.does("suspend", home.case, rest))

    refused = home.lead.does("go", home.record, {})

    assert get_unmet(refused) == [("under_way", "lead")]
    assert unwrap(home.does("lead", "call-off", {}))["state"] == "called_off"


def test_one_person_has_one_return_at_a_time(
    world: World, officer: Someone, lead: Someone
) -> None:
    iom = make_return_consent(focal_point="IOM")
    home = begin_return(world, officer, lead, consents=[iom])
    other, at_iom = {"service": "RETURN", "sections": []}, world.add_person("IOM")
    second = unwrap(lead.refer(home.case, "IOM", **other))
    unwrap(at_iom.does("accept", second, make_acceptance()))

    assert get_problem(create_return(at_iom, second)) == (409, "return-exists")
    unwrap(home.does("lead", "call-off", {}))
    assert unwrap(create_return(at_iom, second))["state"] == "opened"


def test_the_sides_are_those_of_the_case_as_it_is_now(home: Homecoming) -> None:
    home.advance("assess-origin")
    iom = make_consent(focal_point="IOM")
    unwrap(home.lead.create(f"/cases/{home.case['code']}/consents", iom))
    transfer_lead(home)
    new, old = home.world.add_person("IOM"), home.lead

    seen = new.read(home.record)

    assert seen["you_are"] == ["holder", "lead"]
    assert get_problem(old.get(f"/returns/{home.record['id']}")) == (404, "not-found")
    waits = [w["subject"] for w in unwrap(new.get("/worklist"))["items"]]
    assert f"returns/{home.record['id']}" in waits
    assert new.does("go", home.record, {}).status_code == 202


def transfer_lead(home: Homecoming) -> None:
    """Deactivate the office that leads, and make IOM the lead as two people of the desk."""
    lost = update(FocalPoint).where(FocalPoint.code == "KZ_LEAD").values(active=False)
    with home.lead.begin_write() as tx:
        escalate_to_desk(tx, case_queries.lock(tx, home.case["code"]))
        update_directory(tx.session, lost)
    desk = home.world.add_person("DESK_CENTRAL_ASIA")
    second = home.world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    path = f"/cases/{home.case['code']}/take-over"
    body = {"focal_point": "IOM", "reason": "LEAD_INACTIVE", "person_informed": True}
    approval_id = unwrap(desk.send(path, body))["id"]
    unwrap(second.send(f"/approvals/{approval_id}/approve"))
    assert desk.send(path, body, Approval=approval_id).status_code in {200, 204}
