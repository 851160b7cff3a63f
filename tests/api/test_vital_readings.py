"""Tests of emergency access: two organisations, four hours and full notification."""

from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.kernel.actors import AccountKind, Role
from app.notices.models import Telling
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    path_of,
    problem,
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HIDDEN = (404, "not-found")
READING: Json = {
    "reason": "RISK_TO_LIFE",
    "note": "She does not answer since noon",
    "sections": ["contact"],
    "purpose": "protection",
}


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """A case in which a shelter helps that may read only the section `needs`."""
    given = [consent(), for_services(sections=["needs"])]
    case = lead.leads(officer.submits(consents=given))
    done(shelter.does("accept", done(lead.refers(case, SHELTER)), promise()))
    return case


def path(case: Json, one: Json | None = None, act: str = "") -> str:
    tail = f"/{one['id']}/{act}" if one else ""
    return f"{path_of(case)}/vital-readings{tail}"


def asks(who: Someone, case: Json, **changes: Any) -> Json:
    return done(who.creates(path(case), READING | changes))


def granted(who: Someone, by: Someone, case: Json, **changes: Any) -> Json:
    asked = asks(who, case, **changes)
    return done(by.post(path(case, asked, "permit")))


def opens(who: Someone, case: Json, section: str = "contact") -> Response:
    return who.opens(f"{path_of(case)}/sections/{section}", "protection")


def listed(who: Someone, case: Json) -> list[Json]:
    return list(done(who.get(path(case)))["items"])


def test_nothing_opens_until_another_organisation_permits_it(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    before = opens(shelter, case)
    asked = asks(shelter, case)
    meanwhile = opens(shelter, case)

    permitted = done(watcher.post(path(case, asked, "permit")))

    assert problem(before) == problem(meanwhile) == HIDDEN
    assert (asked["state"], permitted["state"]) == ("asked", "granted")
    assert permitted["holds_until"] == "2026-06-01T16:00:00Z"
    assert done(opens(shelter, case))["content"]["alias"] == "Oygul"


@pytest.mark.parametrize(("minutes", "status"), [(239, 200), (240, 404)])
def test_it_holds_for_four_hours_and_not_a_moment_longer(  # noqa: PLR0913, PLR0917
    world: World,
    shelter: Someone,
    watcher: Someone,
    case: Json,
    minutes: int,
    status: int,
) -> None:
    granted(shelter, watcher, case)

    world.passes(minutes=minutes)

    assert opens(shelter, case).status_code == status


def test_it_opens_what_was_named_for_the_purpose_to_the_one_who_asked(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    colleague = world.someone(SHELTER)
    contact = f"{path_of(case)}/sections/contact"

    assert opens(shelter, case).is_success
    assert problem(shelter.opens(contact, "assessment")) == HIDDEN
    for other in set(ALL_SECTIONS) - {"contact", "needs"}:
        assert problem(opens(shelter, case, other)) == HIDDEN
    assert problem(opens(colleague, case)) == HIDDEN
    assert problem(shelter.opens(f"{path_of(case)}/safeguards", "protection")) == HIDDEN


@pytest.mark.parametrize("name", READING)
def test_no_field_alone_is_enough_and_none_is_guessed(
    shelter: Someone, case: Json, name: str
) -> None:
    less = {key: value for key, value in READING.items() if key != name}

    assert shelter.creates(path(case), less).status_code == 422
    assert shelter.creates(path(case), {name: READING[name]}).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"granted": True},
        {"approval": "00000000-0000-4000-8000-000000000000"},
        {"override": True},
        {"reason": "SERIOUS_HARM"},
        {"reason": "CHILD_UNPROTECTED"},
        {"sections": []},
        {"sections": ["safeguards"]},
        {"sections": ["arrangement"]},
    ],
)
def test_a_client_cannot_grant_it_to_itself(
    shelter: Someone, case: Json, changes: Json
) -> None:
    refused = shelter.creates(path(case), READING | changes)

    assert refused.status_code == 422
    assert problem(opens(shelter, case)) == HIDDEN


def test_nobody_of_the_organisation_that_asks_permits_it(
    world: World, lead: Someone, supervisor: Someone, watcher: Someone, case: Json
) -> None:
    asked = asks(lead, case, sections=["health"])
    permit = path(case, asked, "permit")
    machine = world.someone(
        "OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}, kind=AccountKind.INTEGRATION
    )

    answers = {problem(one.post(permit)) for one in (lead, supervisor, machine)}

    assert answers == {(409, "not-a-second-person")}
    assert problem(opens(lead, case, "health")) == HIDDEN
    done(watcher.post(permit))
    assert opens(lead, case, "health").is_success


@pytest.mark.parametrize(
    ("office", "role", "answer"),
    [
        ("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER, None),
        ("OVERSIGHT_DEMO", Role.SUPERVISOR, None),
        ("OVERSIGHT_DEMO", Role.ANALYST, (403, "forbidden")),
        ("OVERSIGHT_DEMO", Role.ADMINISTRATOR, (403, "forbidden")),
        ("KZ_LEAD", Role.COORDINATOR, None),
        ("KZ_LEAD", Role.SUPERVISOR, None),
        ("KZ_LEAD", Role.CASEWORKER, (403, "role-missing")),
        ("UZ_CONSULATE_ALMATY", Role.COORDINATOR, HIDDEN),
        ("KZ_LEGAL_AID", Role.COORDINATOR, HIDDEN),
        ("IOM", Role.COORDINATOR, HIDDEN),
    ],
)
def test_oversight_and_the_lead_permit_and_nobody_else(  # noqa: PLR0913, PLR0917
    world: World,
    lead: Someone,
    shelter: Someone,
    case: Json,
    office: str,
    role: Role,
    answer: tuple[int, str] | None,
) -> None:
    done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    asked = asks(shelter, case)

    said = world.someone(office, {role}).post(path(case, asked, "permit"))

    if answer:
        assert problem(said) == answer
    else:
        assert done(said)["decided_by"] == office
    assert opens(shelter, case).is_success == said.is_success


def test_who_can_ask(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    stranger: Someone,
    watcher: Someone,
    supervisor: Someone,
    case: Json,
) -> None:
    overseer = world.someone("OVERSIGHT_DEMO", {Role.CASEWORKER})
    machine = world.someone(SHELTER, kind=AccountKind.INTEGRATION)

    answers = [
        problem(one.creates(path(case), READING))
        for one in (stranger, officer, overseer, watcher, machine, supervisor)
    ]

    not_theirs = (403, "action-not-yours")
    assert answers == [HIDDEN, *([not_theirs] * 4), (403, "role-missing")]
    assert listed(watcher, case) == []


def test_lead_and_oversight_are_alerted_in_the_transaction_of_each_step(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    for one in (lead, shelter, watcher):
        one.hears()

    reading = granted(shelter, watcher, case)
    at_first = [kinds(one.hears()) for one in (lead, watcher, shelter)]
    world.waits_for(hours=4)
    at_the_end = [kinds(one.hears()) for one in (lead, watcher, shelter)]

    both = ["case.vital_reading_asked", "case.vital_reading_granted"]
    assert at_first == [both] * 3
    assert at_the_end == [["case.vital_reading_ended"]] * 3
    assert list_notified_offices(world, reading) == {
        ("case.vital_reading_asked", "KZ_LEAD"),
        ("case.vital_reading_asked", "OVERSIGHT_DEMO"),
        ("case.vital_reading_granted", "KZ_LEAD"),
        ("case.vital_reading_ended", "KZ_LEAD"),
        ("case.vital_reading_ended", "OVERSIGHT_DEMO"),
    }


def list_notified_offices(world: World, reading: Json) -> set[tuple[str, str]]:
    """Return the reasons and the offices of the notifications about an emergency access."""
    codes = {world.someone(code).id: code for code in ("KZ_LEAD", "OVERSIGHT_DEMO")}
    with world.database.reading() as session:
        rows = session.scalars(select(Telling)).all()
        return {
            (one.why, codes[one.focal_point_id])
            for one in rows
            if str(one.record_id) == reading["id"]
        }


def test_others_are_told_nothing_and_no_word_of_it_is_in_a_feed(
    officer: Someone, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    lawyer = lead.world.someone("KZ_LEGAL_AID")
    done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    officer.hears(), lawyer.hears()
    done(shelter.post(path(case, granted(shelter, watcher, case), "stop")))

    assert officer.hears() == lawyer.hears() == []
    assert listed(lawyer, case) == listed(officer, case) == []
    for one in (lead, watcher, shelter):
        assert "since noon" not in one.get("/events", limit=200).text
    assert any("since noon" in text for _, text in lead.notes(case))
    assert watcher.notes(case) == []


def test_each_opening_says_in_the_access_log_that_it_rested_on_an_emergency(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)

    opens(shelter, case)
    opens(shelter, case, "needs")
    opens(shelter, case, "health")

    log = done(lead.get(f"{path_of(case)}/access-log"))["items"]
    said = [
        (one["subject"], one["allowed"], one["in_emergency"])
        for one in log
        if one["focal_point"] == SHELTER
    ]
    assert said == [
        ("contact", True, True),
        ("needs", True, False),
        ("health", False, False),
    ]


def test_a_reading_is_ended_before_its_time_by_who_reads_or_watches(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    for who in (shelter, lead, watcher):
        reading = granted(shelter, watcher, case)
        assert opens(shelter, case).is_success

        ended = [done(who.post(path(case, reading, "stop"))) for _ in range(2)]

        assert ended[0] == ended[1]
        assert ended[0]["state"] == "ended"
        assert problem(opens(shelter, case)) == HIDDEN


def test_the_person_is_told_afterwards_and_until_then_that_is_due(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    world.waits_for(hours=4)
    [due] = listed(lead, case)
    waits = [(kind, at) for _, kind, at in lead.waits() if kind == "tell_person"]
    foreign = problem(shelter.post(path(case, reading, "inform"), {}))

    told = done(lead.post(path(case, reading, "inform"), {"note": "By telephone"}))

    assert due["tell_person_by"] == "2026-06-02T16:00:00Z"
    assert waits == [("tell_person", "2026-06-02T16:00:00Z")]
    assert foreign == (403, "action-not-yours")
    assert (told["tell_person_by"], told["person_told_at"]) == (
        *(None, "2026-06-01T16:00:00Z"),
    )
    assert "tell_person" not in [kind for _, kind, _ in lead.waits()]
    assert kinds(watcher.hears())[-1] == "case.person_told"


def test_that_the_person_was_not_told_is_evidence(
    world: World, officer: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    world.waits_for(hours=4)
    for one in (officer, shelter, watcher):
        one.hears()

    world.waits_for(hours=24)

    late = [e for e in watcher.hears() if e["facts"].get("clock") == "tell_person"]
    assert [(one["type"], one["facts"]["silence"]) for one in late] == [("case.overdue", 1)]
    assert officer.hears() == shelter.hears() == []


def test_the_duty_to_tell_goes_with_the_lead(
    world: World, officer: Someone, lead: Someone, shelter: Someone, watcher: Someone
) -> None:
    given = [consent(), for_services(), consent(focal_point="IOM", purposes=["HANDOVER"])]
    case = lead.leads(officer.submits(consents=given))
    done(lead.refers(case, SHELTER))
    granted(shelter, watcher, case, sections=["health"])
    world.waits_for(hours=4)
    iom = world.someone("IOM")
    taking = {"contacts": promise()["contacts"], "capacity_confirmed": True}

    done(iom.does("accept", done(lead.offers(case, "IOM")), taking))

    assert "tell_person" in [kind for _, kind, _ in iom.waits()]
    assert "tell_person" not in [kind for _, kind, _ in lead.waits()]


def test_a_question_that_nobody_answers_lapses(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    asked = asks(shelter, case)
    assert [kind for _, kind, _ in watcher.waits()] == ["decide_reading"]

    world.waits_for(hours=4)

    assert problem(watcher.post(path(case, asked, "permit"))) == (409, "reading-decided")
    assert [one["state"] for one in listed(shelter, case)] == ["lapsed"]
    assert kinds(shelter.hears())[-1] == "case.vital_reading_lapsed"
    assert watcher.waits() == []


def test_what_was_refused_opens_nothing_and_is_asked_for_anew(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    asked = asks(shelter, case)
    refused = [done(watcher.post(path(case, asked, "refuse"))) for _ in range(2)]

    late = watcher.post(path(case, asked, "permit"))

    assert refused[0] == refused[1]
    assert problem(late) == (409, "reading-decided")
    assert problem(opens(shelter, case)) == HIDDEN
    granted(shelter, watcher, case)
    assert opens(shelter, case).is_success


def test_once_its_part_has_ended_nobody_reads_in_any_emergency(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    [given] = [
        one
        for one in done(lead.get(f"{path_of(case)}/consents"))["items"]
        if "SHELTER" in one["purposes"]
    ]

    done(lead.post(f"{path_of(case)}/consents/{given['id']}/withdraw"))

    assert problem(opens(shelter, case)) == HIDDEN
    shelter.hears()
    world.waits_for(hours=4)
    assert shelter.hears() == []
    assert kinds(watcher.hears())[-1] == "case.vital_reading_ended"


def test_once_the_case_has_ended_nobody_reads_or_asks(
    lead: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(lead, watcher, case, sections=["health"])

    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    assert problem(opens(lead, case, "health")) == HIDDEN
    assert problem(lead.creates(path(case), READING)) == (409, "action-illegal")
    assert done(lead.post(path(case, reading, "stop")))["state"] == "ended"
    done(lead.post(path(case, reading, "inform"), {}))


def test_whom_the_person_fears_reads_nothing_whoever_permits_it(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    lawyer = lead.world.someone("KZ_LEGAL_AID")
    done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    granted(lawyer, watcher, case)
    feared = {"country_of_origin": "UZ", "unsafe_focal_points": ["KZ_LEGAL_AID"]}
    match = {"If_Match": lead.tag(case)}
    assert opens(lawyer, case).is_success

    done(lead.ask("PUT", f"{path_of(case)}/safeguards", feared, headers=match))

    assert opens(shelter, case).is_success
    assert problem(opens(lawyer, case)) == HIDDEN


def test_what_was_read_is_reviewed_by_another_overseer_than_who_permitted_it(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    review, found = path(case, reading, "review"), {"justified": True}
    other = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    early = other.post(review, found)
    world.passes(hours=4)

    answers = [problem(one.post(review, found)) for one in (watcher, lead, shelter)]
    reviewed = done(other.post(review, found))

    assert answers == [
        (409, "not-a-second-person"),
        *([(403, "action-not-yours")] * 2),
    ]
    assert problem(early) == (409, "reading-decided")
    assert reviewed["justified"]
    assert problem(other.post(review, found)) == (409, "reading-decided")
    assert kinds(lead.hears())[-1] == "case.vital_reading_reviewed"


def test_who_read_and_was_not_reviewed_in_72_hours_asks_for_no_more(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    world.passes(hours=71, minutes=59)
    in_time = asks(shelter, case)
    world.passes(minutes=1)

    late = shelter.creates(path(case), READING)

    assert in_time["state"] == "asked"
    assert problem(late) == (409, "reading-unreviewed")
    assert asks(world.someone(SHELTER), case)["state"] == "asked"
    other = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    done(other.post(path(case, reading, "review"), {"justified": False}))
    done(other.post(path(case, in_time, "refuse")))
    assert asks(shelter, case)["state"] == "asked"


def test_it_is_asked_and_permitted_once_however_often_it_is_sent(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    both = [done(shelter.creates(path(case), READING, "once")) for _ in range(2)]
    permitted = [done(watcher.post(path(case, both[0], "permit"))) for _ in range(2)]

    assert both[0] == both[1]
    assert permitted[0] == permitted[1]
    assert kinds(watcher.hears()).count("case.vital_reading_granted") == 1
    assert len(listed(watcher, case)) == 1
