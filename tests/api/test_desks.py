"""Tests of the ways in which a case moves to another office, such as a desk's decision."""

import pytest
from httpx2 import Response

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

SHELTER_ONLY = [make_consent(focal_point="KZ_SHELTER_KOGERSHIN")]
STATE_OF_UZ = make_consent(recipient_class={"kind": "state", "country": "UZ"})
CHOICE: Json = {"focal_point": "KZ_LEAD", "reason": "LOCAL_KNOWLEDGE", "note": "They know"}
MOVE: Json = {
    "focal_point": "SANA_SEZIM",
    "reason": "LEAD_SILENT",
    "person_informed": True,
    "note": "Three times",
}
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
BOTH = [make_consent(), NGOS, make_service_consent()]


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


@pytest.fixture
def second(world: World) -> Someone:
    """Return a supervisor of the desk, who approves as the second person."""
    return world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.add_person("SANA_SEZIM")


@pytest.fixture
def desk_case(officer: Someone) -> Json:
    """Return a case at a desk; the person then consented to State offices in Kazakhstan."""
    case = officer.submit(consents=SHELTER_ONLY)
    unwrap(officer.create(f"{get_path(case)}/consents", make_consent()))
    return case


def test_a_desk_gives_a_case_to_whom_it_chose_and_lets_go(
    officer: Someone, lead: Someone, desk: Someone, desk_case: Json
) -> None:
    draft = unwrap(desk.refer(desk_case, "KZ_SHELTER_TANSHOLPAN", send=False))
    desk.poll(), officer.poll()

    given = desk.does("assign", desk_case, CHOICE)

    assert (given.status_code, given.content) == (204, b"")
    assert get_problem(desk.get(get_path(desk_case))) == (404, "not-found")
    assert desk.get_worklist() == []
    assert lead.read(desk_case)["you_are"] == ["candidate"]
    assert {subject for subject, *_ in lead.get_worklist()} == {
        f"cases/{desk_case['code']}",
        f"referrals/{draft['id']}",
    }
    for one in (officer, desk, lead):
        event = one.poll()[-1]
        assert (event["type"], event["by"]) == ("case.assigned", "DESK_CENTRAL_ASIA")
        assert event["facts"] == {"state": "submitted", "reason": "LOCAL_KNOWLEDGE"}
    unwrap(lead.does("acknowledge", desk_case))
    assert ("assign", "They know") in lead.list_notes(desk_case)


def test_who_was_chosen_and_declined_is_not_asked_again(
    lead: Someone, desk: Someone, desk_case: Json
) -> None:
    desk.does("assign", desk_case, CHOICE)

    lead.does("decline-lead", desk_case, {"reason": "NO_CAPACITY"})

    assert desk.read(desk_case)["you_are"] == ["desk"]
    assert get_problem(lead.get(get_path(desk_case))) == (404, "not-found")
    again = desk.does("assign", desk_case, CHOICE)
    assert again.status_code == 204
    assert lead.does("acknowledge", desk_case).is_success


def test_a_choice_is_repeated_as_it_was(desk: Someone, desk_case: Json) -> None:
    headers = {"if_match": desk.get_tag(desk_case), "idempotency_key": "once"}
    path = f"{get_path(desk_case)}/assign"

    first = desk.send(path, CHOICE, **headers)
    again = desk.send(path, CHOICE, **headers)

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert get_problem(desk.send(path, CHOICE)) == (404, "not-found")


@pytest.mark.parametrize(
    "code",
    [
        "SANA_SEZIM",
        "KZ_SHELTER_KOGERSHIN",
        "DESK_CARIBBEAN",
        "OVERSIGHT_DEMO",
        "UZ_LEAD",
        "DESK_CENTRAL_ASIA",
    ],
    ids=["no consent", "no lead", "another desk", "oversight", "not there", "itself"],
)
def test_not_everybody_can_be_chosen_and_the_desk_is_not_told_why(
    desk: Someone, desk_case: Json, code: str
) -> None:
    refused = desk.does("assign", desk_case, CHOICE | {"focal_point": code})

    assert get_unmet(refused) == [("focal_point_chosen", "desk")]


def test_who_is_feared_is_refused_in_the_very_same_words(
    officer: Someone, desk: Someone, desk_case: Json
) -> None:
    [named] = unwrap(officer.create(f"{get_path(desk_case)}/consents", NGOS))["items"]
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM"]}
    match = {"If-Match": officer.get_tag(desk_case)}
    unwrap(officer.ask("PUT", f"{get_path(desk_case)}/safeguards", guards, headers=match))

    feared = desk.does("assign", desk_case, CHOICE | {"focal_point": "SANA_SEZIM"})
    unwrap(officer.send(f"{get_path(desk_case)}/consents/{named['id']}/withdraw"))
    unasked = desk.does("assign", desk_case, CHOICE | {"focal_point": "SANA_SEZIM"})

    assert get_unmet(feared) == [("focal_point_chosen", "desk")]
    assert feared.json()["unmet"] == unasked.json()["unmet"]


def test_even_in_an_emergency_a_lead_is_where_the_person_is(
    officer: Someone, desk: Someone
) -> None:
    case = officer.submit(consents=SHELTER_ONLY)
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    unwrap(desk.create(f"{get_path(case)}/vital-interests", vital))

    refused = desk.does("assign", case, CHOICE | {"focal_point": "UZ_LEAD"})

    assert get_unmet(refused) == [("focal_point_chosen", "desk")]
    assert desk.does("assign", case, CHOICE).status_code == 204


def test_only_the_desk_that_holds_a_case_chooses(
    world: World, officer: Someone, lead: Someone, desk: Someone, desk_case: Json
) -> None:
    worker = world.add_person("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    unknown = desk.does("assign", desk_case, CHOICE | {"focal_point": "NOBODY_AT_ALL"})

    assert get_problem(unknown) == (422, "focal-point-unknown")
    of_officer = officer.does("assign", desk_case, CHOICE)
    assert get_problem(of_officer) == (403, "action-not-yours")
    assert get_problem(worker.does("assign", desk_case, CHOICE)) == (403, "role-missing")
    assert get_problem(lead.does("assign", desk_case, CHOICE)) == (404, "not-found")


def test_a_candidate_loses_a_case_that_crossed_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "TM"}
    case = officer.submit(consents=[make_consent(), STATE_OF_UZ], safeguards=guards)
    lead.poll()
    there = world.add_person("UZ_LEAD")

    gone = lead.does("relocate", case, {"country": "UZ", "note": "Termez"})

    assert gone.status_code == 204
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert there.read(case)["summary"]["country"] == "UZ"
    assert there.read(case)["due_at"] == "2026-06-01T15:00:00Z"
    events = lead.poll()
    assert list_types(events) == ["case.relocated", "case.rerouted"]
    assert [event["facts"] for event in events] == [{}, {"state": "submitted"}]
    unwrap(there.does("acknowledge", case))
    assert ("relocate", "Termez") in there.list_notes(case)


def test_overseers_hear_who_sent_a_case_across_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case, watcher = officer.submit(), world.add_person("OVERSIGHT_DEMO")
    watcher.poll(), officer.poll()

    gone = lead.does("relocate", case, {"country": "UZ"})

    assert gone.status_code == 204
    events = [(one["type"], one["by"]) for one in watcher.poll()]
    assert events == [("case.relocated", "KZ_LEAD"), ("case.rerouted", None)]
    assert list_types(officer.poll()) == ["case.rerouted"]


def test_a_lead_keeps_a_case_that_crossed_a_border(officer: Someone, lead: Someone) -> None:
    case = lead.take_lead(officer.submit())
    lead.poll(), officer.poll()

    moved = unwrap(lead.does("relocate", case, {"country": "UZ"}))

    assert (moved["state"], moved["lead"]) == ("referring", "KZ_LEAD")
    assert moved["summary"]["country"] == "UZ"
    assert list_types(lead.poll()) == ["case.relocated"]
    assert officer.poll() == []
    same = lead.does("relocate", case, {"country": "UZ"})
    assert get_problem(same) == (409, "country-unchanged")


def test_a_submitter_does_not_learn_where_a_person_was_taken(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    before = officer.read(case)

    unwrap(lead.does("relocate", case, {"country": "TT"}))

    assert officer.read(case) == before
    assert get_problem(officer.get(f"{get_path(case)}/routing")) == (404, "not-found")
    pages = {c: unwrap(officer.get("/cases", country=c)) for c in ("TT", "KZ", "UZ")}
    listed = {c: [one["code"] for one in page["items"]] for c, page in pages.items()}
    assert listed == {"TT": [], "KZ": [case["code"]], "UZ": []}
    for one, country in ((lead, "TT"), (shelter, "KZ"), (watcher, "TT")):
        assert one.read(case)["summary"]["country"] == country
        found = unwrap(one.get("/cases", country=country))["items"]
        assert [c["code"] for c in found] == [case["code"]]


def test_a_submitter_does_not_hear_who_has_a_person_across_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "TM"}
    case = officer.submit(consents=[make_consent(), STATE_OF_UZ], safeguards=guards)
    there, watcher = world.add_person("UZ_LEAD"), world.add_person("OVERSIGHT_DEMO")
    unwrap(lead.does("acknowledge", case))
    world.advance(hours=1)

    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    there.take_lead(case)

    path = get_path(case)
    for one, told in ((officer, None), (watcher, "UZ_LEAD"), (there, "UZ_LEAD")):
        for events in (one.poll(), unwrap(one.get(f"{path}/history"))["items"]):
            by = {event["type"]: event["by"] for event in events}
            assert by["case.lead_accepted"] == told
            assert one is there or by["case.submitted"] == "UZ_CONSULATE_ALMATY"
    assert [
        one["recipient"] for one in unwrap(officer.get(f"{path}/evidence"))["items"]
    ] == ["KZ_LEAD"]
    whole = unwrap(there.get(f"{path}/evidence"))["items"]
    assert [one["recipient"] for one in whole] == ["KZ_LEAD", "UZ_LEAD"]
    assert "UZ_LEAD" not in officer.get("/events").text


@pytest.fixture
def failing_case(world: World, officer: Someone, lead: Someone) -> Json:
    """Return a case that was escalated to the desk 21 days after it got a lead."""
    case = lead.take_lead(officer.submit(consents=BOTH))
    world.advance(days=21)
    escalate_case(lead, case)
    return case


def escalate_case(someone: Someone, case: Json) -> None:
    """Make the desk a party of the case, as the worker does after missed deadlines."""
    with someone.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))


def test_a_desk_that_was_brought_in_sees_the_notice_and_nothing_else(
    officer: Someone, lead: Someone, desk: Someone, failing_case: Json
) -> None:
    escalate_case(lead, failing_case)
    path = get_path(failing_case)

    seen = desk.read(failing_case)

    assert (seen["you_are"], seen["sections"]) == (["escalation_desk"], [])
    assert (seen["version"], seen["risk"], seen["next_lead"]) == (None, None, None)
    assert list(get_actions(seen)) == ["record_lead_consent", "take_over", "stop"]
    assert list_types(desk.poll()) == ["case.escalated"]
    assert list_types(officer.poll())[-1] == "case.escalated"
    for list_ in ("consents", "facts", "questions"):
        assert unwrap(desk.get(f"{path}/{list_}"))["items"] == []
    assert desk.list_notes(failing_case) == []
    for sealed in ("safeguards", "contacts", "safety-alert", "sections/needs"):
        assert get_problem(desk.open(f"{path}/{sealed}")) == (404, "not-found")
    assert get_problem(desk.get(f"{path}/access-log")) == (403, "action-not-yours")
    assert get_problem(desk.does("close", failing_case, {}))[0] == 422
    stopped = desk.does("stop", failing_case, {"reason": "SURVIVOR_REQUEST"})
    assert stopped.status_code == 202


def test_two_people_of_the_desk_move_the_lead(  # noqa: PLR0913, PLR0917
    officer: Someone,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    failing_case: Json,
) -> None:
    draft = unwrap(
        lead.refer(failing_case, "KZ_LEGAL_AID", service="LEGAL_AID", send=False)
    )
    unwrap(lead.create(f"{get_path(failing_case)}/risk-assessments", {"level": "low"}))
    sent = unwrap(lead.refer(failing_case, "KZ_SHELTER_KOGERSHIN"))
    for one in (officer, lead, desk):
        one.poll()

    moved = desk.does_with(second, "take-over", failing_case, MOVE)

    assert (moved.status_code, moved.content) == (204, b"")
    assert get_problem(desk.get(get_path(failing_case))) == (404, "not-found")
    led = ngo.read(failing_case)
    assert (led["you_are"], led["lead"]) == (["lead"], "SANA_SEZIM")
    assert lead.get_worklist() == []
    assert {subject for subject, *_ in ngo.get_worklist()} == {
        f"cases/{failing_case['code']}",
        f"referrals/{draft['id']}",
    }
    assert ngo.read(sent)["you_are"] == ["sender"]
    assert get_problem(lead.get(get_path(sent))) == (404, "not-found")
    assert ("take_over", "Three times") in ngo.list_notes(failing_case)
    why = ("DESK_CENTRAL_ASIA", {"reason": "LEAD_SILENT"})
    for one, shown in ((officer, (None, {})), (ngo, why)):
        event = one.poll()[-1]
        assert (event["type"], event["by"], event["facts"]) == ("case.taken_over", *shown)


def test_whom_to_reach_at_the_old_lead_is_forgotten_and_said_anew(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    shelter: Someone,
    failing_case: Json,
) -> None:
    unwrap(lead.create(f"{get_path(failing_case)}/risk-assessments", {"level": "low"}))
    sent = unwrap(lead.refer(failing_case, "KZ_SHELTER_KOGERSHIN"))
    at = (world.now.replace(microsecond=0)).isoformat().replace("T12", "T13")
    unwrap(shelter.does("accept", sent, make_acceptance(at=at)))
    path = f"{get_path(failing_case)}/contacts"
    before = shelter.open(path).status_code

    desk.does_with(second, "take-over", failing_case, MOVE)

    forgotten = [one.open(path).status_code for one in (shelter, ngo, lead)]
    alone = put_contacts(ngo, failing_case, make_contacts("Асель", "Асель"))
    stored = unwrap(put_contacts(ngo, failing_case, make_contacts("Асель", "Марат")))
    assert (before, forgotten) == (200, [404, 404, 404])
    assert get_unmet(alone) == [("two_contacts", "lead")]
    assert stored["lead"] == "SANA_SEZIM"
    [first, _] = unwrap(shelter.open(path))["contacts"]
    assert first["name"] == "Асель"
    refused = put_contacts(shelter, failing_case, make_contacts())
    assert get_problem(refused) == (403, "action-not-yours")


def put_contacts(who: Someone, case: Json, people: list[Json]) -> Response:
    """Set the holder's contacts for a case."""
    path, match = f"{get_path(case)}/contacts", {"If-Match": who.get_tag(case)}
    return who.ask("PUT", path, {"contacts": people}, headers=match)


def test_a_review_that_was_set_stays_when_the_lead_moves(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
) -> None:
    case = lead.take_lead(officer.submit(consents=BOTH))
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    world.close_office("KZ_LEAD")
    escalate_case(lead, case)

    why = MOVE | {"reason": "LEAD_INACTIVE"}
    desk.does_with(second, "take-over", case, why)

    assert ngo.read(case)["due_at"] == "2026-06-05T12:00:00Z"


def test_what_the_old_lead_had_put_on_offer_is_taken_back(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    failing_case: Json,
) -> None:
    there = world.add_person("UZ_LEAD")
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    tag = {"If_Match": lead.get_tag(failing_case)}
    unwrap(lead.ask("PUT", f"{get_path(failing_case)}/safeguards", guards, headers=tag))
    unwrap(lead.create(f"{get_path(failing_case)}/consents", make_handover_consent()))
    offered = unwrap(lead.offer(failing_case, "UZ_LEAD"))

    desk.does_with(second, "take-over", failing_case, MOVE)

    assert list_types(there.poll())[-1] == "handover.cancelled"
    assert get_problem(there.get(get_path(offered))) == (404, "not-found")
    assert ngo.read(offered)["state"] == "cancelled"


def test_a_lead_that_answers_keeps_its_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=BOTH))
    escalate_case(lead, case)
    world.advance(days=20, hours=23)

    silent = desk.does("take-over", case, MOVE)
    inactive = desk.does("take-over", case, MOVE | {"reason": "LEAD_INACTIVE"})
    world.advance(hours=1, seconds=1)

    assert get_problem(silent) == get_problem(inactive) == (409, "lead-not-failing")
    assert desk.does("take-over", case, MOVE).status_code == 202


def test_the_person_knows_and_the_new_lead_may_be_told(
    desk: Someone, failing_case: Json
) -> None:
    bad = MOVE | {"person_informed": False, "focal_point": "UZ_LEAD"}

    refused = desk.does("take-over", failing_case, bad)

    assert get_unmet(refused) == [
        ("person_informed", "desk"),
        ("focal_point_chosen", "desk"),
    ]


def test_only_the_desk_that_was_brought_in_moves_a_lead(
    world: World, officer: Someone, lead: Someone, stranger: Someone, failing_case: Json
) -> None:
    worker = world.add_person("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    elsewhere = world.add_person("DESK_CARIBBEAN")

    for one in (officer, lead):
        refused = one.does("take-over", failing_case, MOVE)
        assert get_problem(refused) == (403, "action-not-yours")
    refused = worker.does("take-over", failing_case, MOVE)
    assert get_problem(refused) == (403, "role-missing")
    for one in (stranger, elsewhere):
        assert get_problem(one.does("take-over", failing_case, MOVE)) == (404, "not-found")


def test_a_lead_comes_and_goes_as_often_as_it_must(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    failing_case: Json,
) -> None:
    """The same office can become the lead, and lose the lead, more than once."""
    desk.does_with(second, "take-over", failing_case, MOVE)
    for leaves, comes in ((ngo, "KZ_LEAD"), (lead, "SANA_SEZIM")):
        escalate_case(leaves, failing_case)
        world.close_office(leaves.code)
        why = MOVE | {"reason": "LEAD_INACTIVE", "focal_point": comes}
        assert desk.does_with(second, "take-over", failing_case, why).status_code == 204
        world.close_office(leaves.code, active=True)

    assert ngo.read(failing_case)["lead"] == "SANA_SEZIM"


def test_taking_over_is_repeated_as_it_was(
    desk: Someone, second: Someone, failing_case: Json
) -> None:
    path = f"{get_path(failing_case)}/take-over"
    response = desk.send(path, MOVE, idempotency_key="a")
    replayed = desk.send(path, MOVE, idempotency_key="a")
    unwrap(second.send(f"/approvals/{response.json()['id']}/approve"))
    headers = {"approval": response.json()["id"], "idempotency_key": "b"}

    answers = [desk.send(path, MOVE, **headers) for _ in range(2)]

    assert (response.status_code, replayed.status_code) == (202, 202)
    assert replayed.json()["id"] == response.json()["id"]
    assert [answer.status_code for answer in answers] == [204, 204]
