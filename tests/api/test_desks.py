"""How a case moves to another focal point: a desk's choice, a border or a failing lead."""

import pytest
from httpx2 import Response

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    contacts,
    done,
    for_handover,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
)

SHELTER_ONLY = [consent(focal_point="KZ_SHELTER_KOGERSHIN")]
STATE_OF_UZ = consent(recipient_class={"kind": "state", "country": "UZ"})
CHOICE: Json = {"focal_point": "KZ_LEAD", "reason": "LOCAL_KNOWLEDGE", "note": "They know"}
MOVE: Json = {
    "focal_point": "SANA_SEZIM",
    "reason": "LEAD_SILENT",
    "person_informed": True,
    "note": "Three times",
}
NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})
BOTH = [consent(), NGOS, for_services()]


@pytest.fixture
def desk(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA")


@pytest.fixture
def second(world: World) -> Someone:
    """A supervisor of the desk, its second person."""
    return world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.someone("SANA_SEZIM")


@pytest.fixture
def desk_case(officer: Someone) -> Json:
    """A case with a desk, after the person consented to the State of Kazakhstan."""
    case = officer.submits(consents=SHELTER_ONLY)
    done(officer.creates(f"{path_of(case)}/consents", consent()))
    return case


def test_a_desk_gives_a_case_to_whom_it_chose_and_lets_go(
    officer: Someone, lead: Someone, desk: Someone, desk_case: Json
) -> None:
    draft = done(desk.refers(desk_case, "KZ_SHELTER_TANSHOLPAN", send=False))
    desk.hears(), officer.hears()

    given = desk.does("assign", desk_case, CHOICE)

    assert (given.status_code, given.content) == (204, b"")
    assert problem(desk.get(path_of(desk_case))) == (404, "not-found")
    assert desk.waits() == []
    assert lead.sees(desk_case)["you_are"] == ["candidate"]
    assert {subject for subject, *_ in lead.waits()} == {
        f"cases/{desk_case['code']}",
        f"referrals/{draft['id']}",
    }
    for one in (officer, desk, lead):
        told = one.hears()[-1]
        assert (told["type"], told["by"]) == ("case.assigned", "DESK_CENTRAL_ASIA")
        assert told["facts"] == {"state": "submitted", "reason": "LOCAL_KNOWLEDGE"}
    done(lead.does("acknowledge", desk_case))
    assert ("assign", "They know") in lead.notes(desk_case)


def test_who_was_chosen_and_declined_is_not_asked_again(
    lead: Someone, desk: Someone, desk_case: Json
) -> None:
    desk.does("assign", desk_case, CHOICE)

    lead.does("decline-lead", desk_case, {"reason": "NO_CAPACITY"})

    assert desk.sees(desk_case)["you_are"] == ["desk"]
    assert problem(lead.get(path_of(desk_case))) == (404, "not-found")
    again = desk.does("assign", desk_case, CHOICE)
    assert again.status_code == 204
    assert lead.does("acknowledge", desk_case).is_success


def test_a_choice_is_repeated_as_it_was(desk: Someone, desk_case: Json) -> None:
    headers = {"if_match": desk.tag(desk_case), "idempotency_key": "once"}
    path = f"{path_of(desk_case)}/assign"

    first = desk.post(path, CHOICE, **headers)
    again = desk.post(path, CHOICE, **headers)

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(desk.post(path, CHOICE)) == (404, "not-found")


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

    assert lacks(refused) == [("focal_point_chosen", "desk")]


def test_who_is_feared_is_refused_in_the_very_same_words(
    officer: Someone, desk: Someone, desk_case: Json
) -> None:
    named = done(officer.creates(f"{path_of(desk_case)}/consents", NGOS))
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM"]}
    match = {"If-Match": officer.tag(desk_case)}
    done(officer.ask("PUT", f"{path_of(desk_case)}/safeguards", guards, headers=match))

    feared = desk.does("assign", desk_case, CHOICE | {"focal_point": "SANA_SEZIM"})
    done(officer.post(f"{path_of(desk_case)}/consents/{named['id']}/withdraw"))
    unasked = desk.does("assign", desk_case, CHOICE | {"focal_point": "SANA_SEZIM"})

    assert lacks(feared) == [("focal_point_chosen", "desk")]
    assert feared.json()["unmet"] == unasked.json()["unmet"]


def test_even_in_an_emergency_a_lead_is_where_the_person_is(
    officer: Someone, desk: Someone
) -> None:
    case = officer.submits(consents=SHELTER_ONLY)
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    done(desk.creates(f"{path_of(case)}/vital-interests", vital))

    refused = desk.does("assign", case, CHOICE | {"focal_point": "UZ_LEAD"})

    assert lacks(refused) == [("focal_point_chosen", "desk")]
    assert desk.does("assign", case, CHOICE).status_code == 204


def test_only_the_desk_that_holds_a_case_chooses(
    world: World, officer: Someone, lead: Someone, desk: Someone, desk_case: Json
) -> None:
    worker = world.someone("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    unknown = desk.does("assign", desk_case, CHOICE | {"focal_point": "NOBODY_AT_ALL"})

    assert problem(unknown) == (422, "focal-point-unknown")
    assert problem(officer.does("assign", desk_case, CHOICE)) == (403, "action-not-yours")
    assert problem(worker.does("assign", desk_case, CHOICE)) == (403, "role-missing")
    assert problem(lead.does("assign", desk_case, CHOICE)) == (404, "not-found")


def test_a_candidate_loses_a_case_that_crossed_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "TM"}
    case = officer.submits(consents=[consent(), STATE_OF_UZ], safeguards=guards)
    lead.hears()
    there = world.someone("UZ_LEAD")

    gone = lead.does("relocate", case, {"country": "UZ", "note": "Termez"})

    assert gone.status_code == 204
    assert problem(lead.get(path_of(case))) == (404, "not-found")
    assert there.sees(case)["notice"]["country"] == "UZ"
    assert there.sees(case)["due_at"] == "2026-06-01T15:00:00Z"
    told = lead.hears()
    assert kinds(told) == ["case.relocated", "case.rerouted"]
    assert [event["facts"] for event in told] == [{}, {"state": "submitted"}]
    done(there.does("acknowledge", case))
    assert ("relocate", "Termez") in there.notes(case)


def test_overseers_hear_who_sent_a_case_across_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case, watcher = officer.submits(), world.someone("OVERSIGHT_DEMO")
    watcher.hears(), officer.hears()

    gone = lead.does("relocate", case, {"country": "UZ"})

    assert gone.status_code == 204
    told = [(one["type"], one["by"]) for one in watcher.hears()]
    assert told == [("case.relocated", "KZ_LEAD"), ("case.rerouted", None)]
    assert kinds(officer.hears()) == ["case.rerouted"]


def test_a_lead_keeps_a_case_that_crossed_a_border(officer: Someone, lead: Someone) -> None:
    case = lead.leads(officer.submits())
    lead.hears(), officer.hears()

    moved = done(lead.does("relocate", case, {"country": "UZ"}))

    assert (moved["state"], moved["lead"]) == ("referring", "KZ_LEAD")
    assert moved["notice"]["country"] == "UZ"
    assert kinds(lead.hears()) == ["case.relocated"]
    assert officer.hears() == []
    same = lead.does("relocate", case, {"country": "UZ"})
    assert problem(same) == (409, "country-same")


def test_a_submitter_does_not_learn_where_a_person_was_taken(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    before = officer.sees(case)

    done(lead.does("relocate", case, {"country": "TT"}))

    assert officer.sees(case) == before
    assert problem(officer.get(f"{path_of(case)}/routing")) == (404, "not-found")
    listed = {
        country: [c["code"] for c in done(officer.get("/cases", country=country))["items"]]
        for country in ("TT", "KZ", "UZ")
    }
    assert listed == {"TT": [], "KZ": [case["code"]], "UZ": []}
    for one in (lead, shelter, watcher):
        assert one.sees(case)["notice"]["country"] == "TT"
        found = done(one.get("/cases", country="TT"))["items"]
        assert [c["code"] for c in found] == [case["code"]]


def test_a_submitter_does_not_hear_who_has_a_person_across_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "TM"}
    case = officer.submits(consents=[consent(), STATE_OF_UZ], safeguards=guards)
    there, watcher = world.someone("UZ_LEAD"), world.someone("OVERSIGHT_DEMO")
    done(lead.does("acknowledge", case))
    world.passes(hours=1)

    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    there.leads(case)

    path = path_of(case)
    for one, told in ((officer, None), (watcher, "UZ_LEAD"), (there, "UZ_LEAD")):
        for events in (one.hears(), done(one.get(f"{path}/history"))["items"]):
            by = {event["type"]: event["by"] for event in events}
            assert by["case.lead_accepted"] == told
            assert one is there or by["case.submitted"] == "UZ_CONSULATE_ALMATY"
    assert [one["recipient"] for one in done(officer.get(f"{path}/evidence"))["items"]] == [
        "KZ_LEAD"
    ]
    whole = done(there.get(f"{path}/evidence"))["items"]
    assert [one["recipient"] for one in whole] == ["KZ_LEAD", "UZ_LEAD"]
    assert "UZ_LEAD" not in officer.get("/events").text


@pytest.fixture
def failing_case(world: World, officer: Someone, lead: Someone) -> Json:
    """A case whose lead missed its deadline three times; the desk was brought in."""
    case = lead.leads(officer.submits(consents=BOTH))
    world.passes(days=21)
    escalate_case(lead, case)
    return case


def escalate_case(someone: Someone, case: Json) -> None:
    """Bring in the desk, as the worker does."""
    with someone.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))


def test_a_desk_that_was_brought_in_sees_the_notice_and_nothing_else(
    officer: Someone, lead: Someone, desk: Someone, failing_case: Json
) -> None:
    escalate_case(lead, failing_case)
    path = path_of(failing_case)

    seen = desk.sees(failing_case)

    assert (seen["you_are"], seen["version"], seen["risk"]) == (
        ["escalation_desk"],
        None,
        None,
    )
    assert (seen["sections"], seen["next_lead"]) == ([], None)
    assert list(actions(seen)) == ["record_lead_consent", "take_over", "stop"]
    assert kinds(desk.hears()) == ["case.escalated"]
    assert kinds(officer.hears())[-1] == "case.escalated"
    for list_ in ("consents", "facts", "questions"):
        assert done(desk.get(f"{path}/{list_}"))["items"] == []
    assert desk.notes(failing_case) == []
    for sealed in ("safeguards", "contacts", "safety-notice", "sections/needs"):
        assert problem(desk.opens(f"{path}/{sealed}")) == (404, "not-found")
    assert problem(desk.get(f"{path}/access-log")) == (403, "action-not-yours")
    assert problem(desk.does("close", failing_case, {}))[0] == 422
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
    draft = done(lead.refers(failing_case, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    done(lead.creates(f"{path_of(failing_case)}/risk-assessments", {"level": "low"}))
    sent = done(lead.refers(failing_case, "KZ_SHELTER_KOGERSHIN"))
    for one in (officer, lead, desk):
        one.hears()

    moved = desk.does_with(second, "take-over", failing_case, MOVE)

    assert (moved.status_code, moved.content) == (204, b"")
    assert problem(desk.get(path_of(failing_case))) == (404, "not-found")
    led = ngo.sees(failing_case)
    assert (led["you_are"], led["lead"]) == (["lead"], "SANA_SEZIM")
    assert lead.waits() == []
    assert {subject for subject, *_ in ngo.waits()} == {
        f"cases/{failing_case['code']}",
        f"referrals/{draft['id']}",
    }
    assert ngo.sees(sent)["you_are"] == ["sender"]
    assert problem(lead.get(path_of(sent))) == (404, "not-found")
    assert ("take_over", "Three times") in ngo.notes(failing_case)
    why = ("DESK_CENTRAL_ASIA", {"reason": "LEAD_SILENT"})
    for one, shown in ((officer, (None, {})), (ngo, why)):
        told = one.hears()[-1]
        assert (told["type"], told["by"], told["facts"]) == ("case.taken_over", *shown)


def test_whom_to_reach_at_the_old_lead_is_forgotten_and_said_anew(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    shelter: Someone,
    failing_case: Json,
) -> None:
    done(lead.creates(f"{path_of(failing_case)}/risk-assessments", {"level": "low"}))
    sent = done(lead.refers(failing_case, "KZ_SHELTER_KOGERSHIN"))
    at = (world.now.replace(microsecond=0)).isoformat().replace("T12", "T13")
    done(shelter.does("accept", sent, promise(at=at)))
    path = f"{path_of(failing_case)}/contacts"
    before = shelter.opens(path).status_code

    desk.does_with(second, "take-over", failing_case, MOVE)

    forgotten = [one.opens(path).status_code for one in (shelter, ngo, lead)]
    alone = put_contacts(ngo, failing_case, contacts("Асель"))
    said = done(put_contacts(ngo, failing_case, contacts("Асель", "Марат")))
    assert (before, forgotten) == (200, [404, 404, 404])
    assert lacks(alone) == [("two_contacts", "lead")]
    assert said["lead"] == "SANA_SEZIM"
    [first, _] = done(shelter.opens(path))["contacts"]
    assert first["name"] == "Асель"
    refused = put_contacts(shelter, failing_case, contacts())
    assert problem(refused) == (403, "action-not-yours")


def put_contacts(who: Someone, case: Json, people: list[Json]) -> Response:
    """Set the contacts of the holder for a case."""
    path, match = f"{path_of(case)}/contacts", {"If-Match": who.tag(case)}
    return who.ask("PUT", path, {"contacts": people}, headers=match)


def test_a_review_that_was_set_stays_when_the_lead_moves(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    done(lead.does("suspend", case, rest))
    world.shuts("KZ_LEAD")
    escalate_case(lead, case)

    why = MOVE | {"reason": "LEAD_INACTIVE"}
    desk.does_with(second, "take-over", case, why)

    assert ngo.sees(case)["due_at"] == "2026-06-05T12:00:00Z"


def test_what_the_old_lead_had_put_on_offer_is_taken_back(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    failing_case: Json,
) -> None:
    there = world.someone("UZ_LEAD")
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    tag = {"If_Match": lead.tag(failing_case)}
    done(lead.ask("PUT", f"{path_of(failing_case)}/safeguards", guards, headers=tag))
    done(lead.creates(f"{path_of(failing_case)}/consents", for_handover()))
    offered = done(lead.offers(failing_case, "UZ_LEAD"))

    desk.does_with(second, "take-over", failing_case, MOVE)

    assert kinds(there.hears())[-1] == "handover.cancelled"
    assert problem(there.get(path_of(offered))) == (404, "not-found")
    assert ngo.sees(offered)["state"] == "cancelled"


def test_a_lead_that_answers_keeps_its_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    escalate_case(lead, case)
    world.passes(days=20, hours=23)

    silent = desk.does("take-over", case, MOVE)
    inactive = desk.does("take-over", case, MOVE | {"reason": "LEAD_INACTIVE"})
    world.passes(hours=1, seconds=1)

    assert problem(silent) == problem(inactive) == (409, "lead-not-failing")
    assert desk.does("take-over", case, MOVE).status_code == 202


def test_the_person_knows_and_the_new_lead_may_be_told(
    desk: Someone, failing_case: Json
) -> None:
    bad = MOVE | {"person_informed": False, "focal_point": "UZ_LEAD"}

    refused = desk.does("take-over", failing_case, bad)

    assert lacks(refused) == [("person_informed", "desk"), ("focal_point_chosen", "desk")]


def test_only_the_desk_that_was_brought_in_moves_a_lead(
    world: World, officer: Someone, lead: Someone, stranger: Someone, failing_case: Json
) -> None:
    worker = world.someone("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    elsewhere = world.someone("DESK_CARIBBEAN")

    for one in (officer, lead):
        refused = one.does("take-over", failing_case, MOVE)
        assert problem(refused) == (403, "action-not-yours")
    assert problem(worker.does("take-over", failing_case, MOVE)) == (403, "role-missing")
    for one in (stranger, elsewhere):
        assert problem(one.does("take-over", failing_case, MOVE)) == (404, "not-found")


def test_a_lead_comes_and_goes_as_often_as_it_must(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    second: Someone,
    failing_case: Json,
) -> None:
    """An office that is a former lead already can become a former lead again."""
    desk.does_with(second, "take-over", failing_case, MOVE)
    for leaves, comes in ((ngo, "KZ_LEAD"), (lead, "SANA_SEZIM")):
        escalate_case(leaves, failing_case)
        world.shuts(leaves.code)
        why = MOVE | {"reason": "LEAD_INACTIVE", "focal_point": comes}
        assert desk.does_with(second, "take-over", failing_case, why).status_code == 204
        world.shuts(leaves.code, active=True)

    assert ngo.sees(failing_case)["lead"] == "SANA_SEZIM"


def test_taking_over_is_repeated_as_it_was(
    desk: Someone, second: Someone, failing_case: Json
) -> None:
    path = f"{path_of(failing_case)}/take-over"
    asked = desk.post(path, MOVE, idempotency_key="a")
    replayed = desk.post(path, MOVE, idempotency_key="a")
    done(second.post(f"/approvals/{asked.json()['id']}/approve"))
    headers = {"approval": asked.json()["id"], "idempotency_key": "b"}

    answers = [desk.post(path, MOVE, **headers) for _ in range(2)]

    assert (asked.status_code, replayed.status_code) == (202, 202)
    assert replayed.json()["id"] == asked.json()["id"]
    assert [answer.status_code for answer in answers] == [204, 204]
