"""What moves a case to another focal point: a desk's choice, a border, a failing lead."""

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

NOBODY = [consent(focal_point="KZ_SHELTER_KOGERSHIN")]
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
def boss(world: World) -> Someone:
    """The second person of the desk."""
    return world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.someone("SANA_SEZIM")


@pytest.fixture
def left(officer: Someone) -> Json:
    """A case that nobody may lead, until the person agrees to the State of KZ."""
    case = officer.submits(consents=NOBODY)
    done(officer.creates(f"{path_of(case)}/consents", consent()))
    return case


def test_a_desk_gives_a_case_to_whom_it_chose_and_lets_go(
    officer: Someone, lead: Someone, desk: Someone, left: Json
) -> None:
    draft = done(desk.refers(left, "KZ_SHELTER_TANSHOLPAN", send=False))
    desk.hears(), officer.hears()

    given = desk.does("assign", left, CHOICE)

    assert (given.status_code, given.content) == (204, b"")
    assert problem(desk.get(path_of(left))) == (404, "not-found")
    assert desk.waits() == []
    assert lead.sees(left)["you_are"] == ["candidate"]
    assert {subject for subject, *_ in lead.waits()} == {
        *(f"cases/{left['code']}", f"referrals/{draft['id']}"),
    }
    for one in (officer, desk, lead):
        told = one.hears()[-1]
        assert (told["type"], told["by"]) == ("case.assigned", "DESK_CENTRAL_ASIA")
        assert told["facts"] == {"state": "submitted", "reason": "LOCAL_KNOWLEDGE"}
    done(lead.does("acknowledge", left))
    assert ("assign", "They know") in lead.notes(left)


def test_who_was_chosen_and_declined_is_not_asked_again(
    lead: Someone, desk: Someone, left: Json
) -> None:
    desk.does("assign", left, CHOICE)

    lead.does("decline-lead", left, {"reason": "NO_CAPACITY"})

    assert desk.sees(left)["you_are"] == ["desk"]
    assert problem(lead.get(path_of(left))) == (404, "not-found")
    again = desk.does("assign", left, CHOICE)
    assert again.status_code == 204
    assert lead.does("acknowledge", left).is_success


def test_a_choice_is_repeated_as_it_was(desk: Someone, left: Json) -> None:
    headers = {"if_match": desk.tag(left), "idempotency_key": "once"}
    path = f"{path_of(left)}/assign"

    first = desk.post(path, CHOICE, **headers)
    again = desk.post(path, CHOICE, **headers)

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(desk.post(path, CHOICE)) == (404, "not-found")


@pytest.mark.parametrize(
    "code",
    [
        *("SANA_SEZIM", "KZ_SHELTER_KOGERSHIN", "DESK_CARIBBEAN", "OVERSIGHT_DEMO"),
        *("UZ_LEAD", "DESK_CENTRAL_ASIA"),
    ],
    ids=["no consent", "no lead", "another desk", "oversight", "not there", "itself"],
)
def test_not_everybody_can_be_chosen_and_the_desk_is_not_told_why(
    desk: Someone, left: Json, code: str
) -> None:
    refused = desk.does("assign", left, CHOICE | {"focal_point": code})

    assert lacks(refused) == [("focal_point_chosen", "desk")]


def test_who_is_feared_is_refused_in_the_very_same_words(
    officer: Someone, desk: Someone, left: Json
) -> None:
    named = done(officer.creates(f"{path_of(left)}/consents", NGOS))
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM"]}
    match = {"If-Match": officer.tag(left)}
    done(officer.ask("PUT", f"{path_of(left)}/safeguards", guards, headers=match))

    feared = desk.does("assign", left, CHOICE | {"focal_point": "SANA_SEZIM"})
    done(officer.post(f"{path_of(left)}/consents/{named['id']}/withdraw"))
    unasked = desk.does("assign", left, CHOICE | {"focal_point": "SANA_SEZIM"})

    assert lacks(feared) == [("focal_point_chosen", "desk")]
    assert feared.json()["unmet"] == unasked.json()["unmet"]


def test_even_in_an_emergency_a_lead_is_where_the_person_is(
    officer: Someone, desk: Someone
) -> None:
    case = officer.submits(consents=NOBODY)
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    done(desk.creates(f"{path_of(case)}/vital-interests", vital))

    refused = desk.does("assign", case, CHOICE | {"focal_point": "UZ_LEAD"})

    assert lacks(refused) == [("focal_point_chosen", "desk")]
    assert desk.does("assign", case, CHOICE).status_code == 204


def test_only_the_desk_that_holds_a_case_chooses(
    world: World, officer: Someone, lead: Someone, desk: Someone, left: Json
) -> None:
    worker = world.someone("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    unknown = desk.does("assign", left, CHOICE | {"focal_point": "NOBODY_AT_ALL"})

    assert problem(unknown) == (422, "focal-point-unknown")
    assert problem(officer.does("assign", left, CHOICE)) == (403, "action-not-yours")
    assert problem(worker.does("assign", left, CHOICE)) == (403, "role-missing")
    assert problem(lead.does("assign", left, CHOICE)) == (404, "not-found")


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
def failing(world: World, officer: Someone, lead: Someone) -> Json:
    """A case whose lead let its clock pass three times; the desk was brought in."""
    case = lead.leads(officer.submits(consents=BOTH))
    world.passes(days=21)
    escalates(lead, case)
    return case


def escalates(someone: Someone, case: Json) -> None:
    """Bring in the desk, as the worker does."""
    with someone.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))


def test_a_desk_that_was_brought_in_sees_the_notice_and_nothing_else(
    officer: Someone, lead: Someone, desk: Someone, failing: Json
) -> None:
    escalates(lead, failing)
    path = path_of(failing)

    seen = desk.sees(failing)

    assert (seen["you_are"], seen["version"], seen["risk"]) == (
        *(["escalation_desk"], None, None),
    )
    assert (seen["sections"], seen["next_lead"]) == ([], None)
    assert list(actions(seen)) == ["record_lead_consent", "take_over", "stop"]
    assert kinds(desk.hears()) == ["case.escalated"]
    assert kinds(officer.hears())[-1] == "case.escalated"
    for list_ in ("consents", "facts", "questions"):
        assert done(desk.get(f"{path}/{list_}"))["items"] == []
    assert desk.notes(failing) == []
    for sealed in ("safeguards", "contacts", "safety-notice", "sections/needs"):
        assert problem(desk.opens(f"{path}/{sealed}")) == (404, "not-found")
    assert problem(desk.get(f"{path}/access-log")) == (403, "action-not-yours")
    assert problem(desk.does("close", failing, {}))[0] == 422
    assert desk.does("stop", failing, {"reason": "SURVIVOR_REQUEST"}).status_code == 202


def test_two_people_of_the_desk_move_the_lead(  # noqa: PLR0913, PLR0917
    officer: Someone,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    boss: Someone,
    failing: Json,
) -> None:
    draft = done(lead.refers(failing, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    done(lead.creates(f"{path_of(failing)}/risk-assessments", {"level": "low"}))
    sent = done(lead.refers(failing, "KZ_SHELTER_KOGERSHIN"))
    for one in (officer, lead, desk):
        one.hears()

    moved = desk.does_with(boss, "take-over", failing, MOVE)

    assert (moved.status_code, moved.content) == (204, b"")
    assert problem(desk.get(path_of(failing))) == (404, "not-found")
    led = ngo.sees(failing)
    assert (led["you_are"], led["lead"]) == (["lead"], "SANA_SEZIM")
    assert lead.waits() == []
    assert {subject for subject, *_ in ngo.waits()} == {
        *(f"cases/{failing['code']}", f"referrals/{draft['id']}"),
    }
    assert ngo.sees(sent)["you_are"] == ["sender"]
    assert problem(lead.get(path_of(sent))) == (404, "not-found")
    assert ("take_over", "Three times") in ngo.notes(failing)
    why = ("DESK_CENTRAL_ASIA", {"reason": "LEAD_SILENT"})
    for one, shown in ((officer, (None, {})), (ngo, why)):
        told = one.hears()[-1]
        assert (told["type"], told["by"], told["facts"]) == ("case.taken_over", *shown)


def test_whom_to_reach_at_the_old_lead_is_forgotten_and_said_anew(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    boss: Someone,
    shelter: Someone,
    failing: Json,
) -> None:
    done(lead.creates(f"{path_of(failing)}/risk-assessments", {"level": "low"}))
    sent = done(lead.refers(failing, "KZ_SHELTER_KOGERSHIN"))
    at = (world.now.replace(microsecond=0)).isoformat().replace("T12", "T13")
    done(shelter.does("accept", sent, promise(at=at)))
    path = f"{path_of(failing)}/contacts"
    before = shelter.opens(path).status_code

    desk.does_with(boss, "take-over", failing, MOVE)

    forgotten = [one.opens(path).status_code for one in (shelter, ngo, lead)]
    alone = says(ngo, failing, contacts("Асель"))
    said = done(says(ngo, failing, contacts("Асель", "Марат")))
    assert (before, forgotten) == (200, [404, 404, 404])
    assert lacks(alone) == [("two_contacts", "lead")]
    assert said["lead"] == "SANA_SEZIM"
    [first, _] = done(shelter.opens(path))["contacts"]
    assert first["name"] == "Асель"
    assert problem(says(shelter, failing, contacts())) == (403, "action-not-yours")


def says(who: Someone, case: Json, people: list[Json]) -> Response:
    """Say whom to reach."""
    path, match = f"{path_of(case)}/contacts", {"If-Match": who.tag(case)}
    return who.ask("PUT", path, {"contacts": people}, headers=match)


def test_a_review_that_was_set_stays_when_the_lead_moves(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    boss: Someone,
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    done(lead.does("suspend", case, rest))
    world.shuts("KZ_LEAD")
    escalates(lead, case)

    why = MOVE | {"reason": "LEAD_INACTIVE"}
    desk.does_with(boss, "take-over", case, why)

    assert ngo.sees(case)["due_at"] == "2026-06-05T12:00:00Z"


def test_what_the_old_lead_had_put_on_offer_is_taken_back(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    ngo: Someone,
    desk: Someone,
    boss: Someone,
    failing: Json,
) -> None:
    there = world.someone("UZ_LEAD")
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    tag = {"If_Match": lead.tag(failing)}
    done(lead.ask("PUT", f"{path_of(failing)}/safeguards", guards, headers=tag))
    done(lead.creates(f"{path_of(failing)}/consents", for_handover()))
    offered = done(lead.offers(failing, "UZ_LEAD"))

    desk.does_with(boss, "take-over", failing, MOVE)

    assert kinds(there.hears())[-1] == "handover.cancelled"
    assert problem(there.get(path_of(offered))) == (404, "not-found")
    assert ngo.sees(offered)["state"] == "cancelled"


def test_a_lead_that_answers_keeps_its_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    escalates(lead, case)
    world.passes(days=20, hours=23)

    silent = desk.does("take-over", case, MOVE)
    inactive = desk.does("take-over", case, MOVE | {"reason": "LEAD_INACTIVE"})
    world.passes(hours=1, seconds=1)

    assert problem(silent) == problem(inactive) == (409, "lead-not-failing")
    assert desk.does("take-over", case, MOVE).status_code == 202


def test_the_person_knows_and_the_new_lead_may_be_told(
    desk: Someone, failing: Json
) -> None:
    bad = MOVE | {"person_informed": False, "focal_point": "UZ_LEAD"}

    refused = desk.does("take-over", failing, bad)

    assert lacks(refused) == [("person_informed", "desk"), ("focal_point_chosen", "desk")]


def test_only_the_desk_that_was_brought_in_moves_a_lead(
    world: World, officer: Someone, lead: Someone, stranger: Someone, failing: Json
) -> None:
    worker = world.someone("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    elsewhere = world.someone("DESK_CARIBBEAN")

    for one in (officer, lead):
        assert problem(one.does("take-over", failing, MOVE)) == (403, "action-not-yours")
    assert problem(worker.does("take-over", failing, MOVE)) == (403, "role-missing")
    for one in (stranger, elsewhere):
        assert problem(one.does("take-over", failing, MOVE)) == (404, "not-found")


def test_a_lead_comes_and_goes_as_often_as_it_must(  # noqa: PLR0913, PLR0917
    world: World, lead: Someone, ngo: Someone, desk: Someone, boss: Someone, failing: Json
) -> None:
    """The second time a focal point is a former lead, it is one already."""
    desk.does_with(boss, "take-over", failing, MOVE)
    for leaves, comes in ((ngo, "KZ_LEAD"), (lead, "SANA_SEZIM")):
        escalates(leaves, failing)
        world.shuts(leaves.code)
        why = MOVE | {"reason": "LEAD_INACTIVE", "focal_point": comes}
        assert desk.does_with(boss, "take-over", failing, why).status_code == 204
        world.shuts(leaves.code, active=True)

    assert ngo.sees(failing)["lead"] == "SANA_SEZIM"


def test_taking_over_is_repeated_as_it_was(
    desk: Someone, boss: Someone, failing: Json
) -> None:
    path = f"{path_of(failing)}/take-over"
    asked = desk.post(path, MOVE, idempotency_key="a")
    replayed = desk.post(path, MOVE, idempotency_key="a")
    done(boss.post(f"/approvals/{asked.json()['id']}/approve"))
    headers = {"approval": asked.json()["id"], "idempotency_key": "b"}

    answers = [desk.post(path, MOVE, **headers) for _ in range(2)]

    assert (asked.status_code, replayed.status_code) == (202, 202)
    assert replayed.json()["id"] == asked.json()["id"]
    assert [answer.status_code for answer in answers] == [204, 204]
