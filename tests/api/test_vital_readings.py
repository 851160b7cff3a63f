"""Tests of emergency access: who permits it, how long it lasts, and who is notified."""

from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.kernel.actors import AccountKind, Role
from app.notifications.models import Notification
from tests.support.helped_cases import SHELTER, add_case
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

HIDDEN = (404, "not-found")
READING: Json = {
    "reason": "RISK_TO_LIFE",
    "note": "She does not answer since noon",
    "sections": ["contact"],
    "purpose": "protection",
}


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    return add_case(officer, lead, shelter)


def path(case: Json, one: Json | None = None, act: str = "") -> str:
    tail = f"/{one['id']}/{act}" if one else ""
    return f"{get_path(case)}/emergency-access{tail}"


def asks(who: Someone, case: Json, **changes: Any) -> Json:
    return unwrap(who.create(path(case), READING | changes))


def granted(who: Someone, by: Someone, case: Json, **changes: Any) -> Json:
    access = asks(who, case, **changes)
    return unwrap(by.send(path(case, access, "grant")))


def opens(who: Someone, case: Json, section: str = "contact") -> Response:
    return who.open(f"{get_path(case)}/sections/{section}", "protection")


def listed(who: Someone, case: Json) -> list[Json]:
    return list(unwrap(who.get(path(case)))["items"])


def test_nothing_opens_until_another_organisation_permits_it(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    before = opens(shelter, case)
    access = asks(shelter, case)
    meanwhile = opens(shelter, case)

    permitted = unwrap(watcher.send(path(case, access, "grant")))

    assert get_problem(before) == get_problem(meanwhile) == HIDDEN
    assert (access["state"], permitted["state"]) == ("requested", "granted")
    assert permitted["holds_until"] == "2026-06-01T16:00:00Z"
    assert unwrap(opens(shelter, case))["content"]["alias"] == "Oygul"


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

    world.advance(minutes=minutes)

    assert opens(shelter, case).status_code == status


def test_it_opens_what_was_named_for_the_purpose_to_the_one_who_asked(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    colleague = world.add_person(SHELTER)
    contact = f"{get_path(case)}/sections/contact"

    assert opens(shelter, case).is_success
    assert get_problem(shelter.open(contact, "assessment")) == HIDDEN
    for other in set(ALL_SECTIONS) - {"contact", "needs"}:
        assert get_problem(opens(shelter, case, other)) == HIDDEN
    assert get_problem(opens(colleague, case)) == HIDDEN
    assert get_problem(shelter.open(f"{get_path(case)}/safeguards", "protection")) == HIDDEN


@pytest.mark.parametrize("name", READING)
def test_no_field_alone_is_enough_and_none_is_guessed(
    shelter: Someone, case: Json, name: str
) -> None:
    less = {key: value for key, value in READING.items() if key != name}

    assert shelter.create(path(case), less).status_code == 422
    assert shelter.create(path(case), {name: READING[name]}).status_code == 422


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
    refused = shelter.create(path(case), READING | changes)

    assert refused.status_code == 422
    assert get_problem(opens(shelter, case)) == HIDDEN


def test_nobody_of_the_organisation_that_asks_permits_it(
    world: World, lead: Someone, supervisor: Someone, watcher: Someone, case: Json
) -> None:
    access = asks(lead, case, sections=["health"])
    permit = path(case, access, "grant")
    machine = world.add_person(
        "OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}, kind=AccountKind.INTEGRATION
    )

    answers = {get_problem(one.send(permit)) for one in (lead, supervisor, machine)}

    assert answers == {(409, "not-a-second-person")}
    assert get_problem(opens(lead, case, "health")) == HIDDEN
    unwrap(watcher.send(permit))
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
    unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    access = asks(shelter, case)

    response = world.add_person(office, {role}).send(path(case, access, "grant"))

    if answer:
        assert get_problem(response) == answer
    else:
        assert unwrap(response)["decided_by"] == office
    assert opens(shelter, case).is_success == response.is_success


def test_who_can_ask(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    stranger: Someone,
    watcher: Someone,
    supervisor: Someone,
    case: Json,
) -> None:
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.CASEWORKER})
    machine = world.add_person(SHELTER, kind=AccountKind.INTEGRATION)

    answers = [
        get_problem(one.create(path(case), READING))
        for one in (stranger, officer, overseer, watcher, machine, supervisor)
    ]

    not_theirs = (403, "action-not-yours")
    assert answers == [HIDDEN, *([not_theirs] * 4), (403, "role-missing")]
    assert listed(watcher, case) == []


def test_lead_and_oversight_are_alerted_in_the_transaction_of_each_step(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    for one in (lead, shelter, watcher):
        one.poll()

    reading = granted(shelter, watcher, case)
    at_first = [list_types(one.poll()) for one in (lead, watcher, shelter)]
    world.wait(hours=4)
    at_the_end = [list_types(one.poll()) for one in (lead, watcher, shelter)]

    both = ["case.emergency_access_requested", "case.emergency_access_granted"]
    assert at_first == [both] * 3
    assert at_the_end == [["case.emergency_access_ended"]] * 3
    assert list_notified_offices(world, reading) == {
        ("case.emergency_access_requested", "KZ_LEAD"),
        ("case.emergency_access_requested", "OVERSIGHT_DEMO"),
        ("case.emergency_access_granted", "KZ_LEAD"),
        ("case.emergency_access_ended", "KZ_LEAD"),
        ("case.emergency_access_ended", "OVERSIGHT_DEMO"),
    }


def list_notified_offices(world: World, reading: Json) -> set[tuple[str, str]]:
    """Return the event and the office of each notification about an emergency access."""
    codes = {world.add_person(code).id: code for code in ("KZ_LEAD", "OVERSIGHT_DEMO")}
    with world.database.begin_read() as session:
        rows = session.scalars(select(Notification)).all()
        return {
            (one.why, codes[one.focal_point_id])
            for one in rows
            if str(one.record_id) == reading["id"]
        }


def test_others_are_told_nothing_and_no_word_of_it_is_in_a_feed(
    officer: Someone, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    lawyer = lead.world.add_person("KZ_LEGAL_AID")
    unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    officer.poll(), lawyer.poll()
    unwrap(shelter.send(path(case, granted(shelter, watcher, case), "stop")))

    assert officer.poll() == lawyer.poll() == []
    assert listed(lawyer, case) == listed(officer, case) == []
    for one in (lead, watcher, shelter):
        assert "since noon" not in one.get("/events", limit=200).text
    assert any("since noon" in text for _, text in lead.list_notes(case))
    assert watcher.list_notes(case) == []


def test_each_opening_says_in_the_access_log_that_it_rested_on_an_emergency(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)

    opens(shelter, case)
    opens(shelter, case, "needs")
    opens(shelter, case, "health")

    log = unwrap(lead.get(f"{get_path(case)}/access-log"))["items"]
    entries = [
        (one["subject"], one["allowed"], one["in_emergency"])
        for one in log
        if one["focal_point"] == SHELTER
    ]
    assert entries == [
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

        ended = [unwrap(who.send(path(case, reading, "stop"))) for _ in range(2)]

        assert ended[0] == ended[1]
        assert ended[0]["state"] == "ended"
        assert get_problem(opens(shelter, case)) == HIDDEN


def test_the_person_is_told_afterwards_and_until_then_that_is_due(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    world.wait(hours=4)
    [due] = listed(lead, case)
    waits = [(kind, at) for _, kind, at in lead.get_worklist() if kind == "inform_person"]
    foreign = get_problem(shelter.send(path(case, reading, "inform"), {}))

    answered = unwrap(lead.send(path(case, reading, "inform"), {"note": "By telephone"}))

    assert due["inform_person_by"] == "2026-06-02T16:00:00Z"
    assert waits == [("inform_person", "2026-06-02T16:00:00Z")]
    assert foreign == (403, "action-not-yours")
    assert (answered["inform_person_by"], answered["person_informed_at"]) == (
        None,
        "2026-06-01T16:00:00Z",
    )
    assert "inform_person" not in [kind for _, kind, _ in lead.get_worklist()]
    assert list_types(watcher.poll())[-1] == "case.person_informed"


def test_that_the_person_was_not_told_is_evidence(
    world: World, officer: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    world.wait(hours=4)
    for one in (officer, shelter, watcher):
        one.poll()

    world.wait(hours=24)

    late = [e for e in watcher.poll() if e["facts"].get("deadline") == "inform_person"]
    assert [(one["type"], one["facts"]["missed"]) for one in late] == [("case.overdue", 1)]
    assert officer.poll() == shelter.poll() == []


def test_the_duty_to_tell_goes_with_the_lead(
    world: World, officer: Someone, lead: Someone, shelter: Someone, watcher: Someone
) -> None:
    given = [
        make_consent(),
        make_service_consent(),
        make_consent(focal_point="IOM", purposes=["HANDOVER"]),
    ]
    case = lead.take_lead(officer.submit(consents=given))
    unwrap(lead.refer(case, SHELTER))
    granted(shelter, watcher, case, sections=["health"])
    world.wait(hours=4)
    iom = world.add_person("IOM")
    taking = {"contacts": make_acceptance()["contacts"], "capacity_confirmed": True}

    unwrap(iom.does("accept", unwrap(lead.offer(case, "IOM")), taking))

    assert "inform_person" in [kind for _, kind, _ in iom.get_worklist()]
    assert "inform_person" not in [kind for _, kind, _ in lead.get_worklist()]


def test_a_question_that_nobody_answers_lapses(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    access = asks(shelter, case)
    assert [kind for _, kind, _ in watcher.get_worklist()] == ["decide_emergency_access"]

    world.wait(hours=4)

    assert get_problem(watcher.send(path(case, access, "grant"))) == (
        409,
        "emergency-access-decided",
    )
    assert [one["state"] for one in listed(shelter, case)] == ["expired"]
    assert list_types(shelter.poll())[-1] == "case.emergency_access_expired"
    assert watcher.get_worklist() == []


def test_what_was_refused_opens_nothing_and_is_asked_for_anew(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    access = asks(shelter, case)
    refused = [unwrap(watcher.send(path(case, access, "refuse"))) for _ in range(2)]

    late = watcher.send(path(case, access, "grant"))

    assert refused[0] == refused[1]
    assert get_problem(late) == (409, "emergency-access-decided")
    assert get_problem(opens(shelter, case)) == HIDDEN
    granted(shelter, watcher, case)
    assert opens(shelter, case).is_success


def test_once_its_part_has_ended_nobody_reads_in_any_emergency(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    [given] = [
        one
        for one in unwrap(lead.get(f"{get_path(case)}/consents"))["items"]
        if "SHELTER" in one["purposes"]
    ]

    unwrap(lead.send(f"{get_path(case)}/consents/{given['id']}/withdraw"))

    assert get_problem(opens(shelter, case)) == HIDDEN
    shelter.poll()
    world.wait(hours=4)
    assert shelter.poll() == []
    assert list_types(watcher.poll())[-1] == "case.emergency_access_ended"


def test_once_the_case_has_ended_nobody_reads_or_asks(
    lead: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(lead, watcher, case, sections=["health"])

    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    assert get_problem(opens(lead, case, "health")) == HIDDEN
    assert get_problem(lead.create(path(case), READING)) == (409, "action-illegal")
    assert unwrap(lead.send(path(case, reading, "stop")))["state"] == "ended"
    unwrap(lead.send(path(case, reading, "inform"), {}))


def test_whom_the_person_fears_reads_nothing_whoever_permits_it(
    lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    granted(shelter, watcher, case)
    lawyer = lead.world.add_person("KZ_LEGAL_AID")
    unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    granted(lawyer, watcher, case)
    feared = {"country_of_origin": "UZ", "unsafe_focal_points": ["KZ_LEGAL_AID"]}
    match = {"If_Match": lead.get_tag(case)}
    assert opens(lawyer, case).is_success

    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", feared, headers=match))

    assert opens(shelter, case).is_success
    assert get_problem(opens(lawyer, case)) == HIDDEN


def test_what_was_read_is_reviewed_by_another_overseer_than_who_permitted_it(
    world: World, lead: Someone, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    review, found = path(case, reading, "review"), {"justified": True}
    other = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    early = other.send(review, found)
    world.advance(hours=4)

    answers = [get_problem(one.send(review, found)) for one in (watcher, lead, shelter)]
    reviewed = unwrap(other.send(review, found))

    assert answers == [
        (409, "not-a-second-person"),
        *([(403, "action-not-yours")] * 2),
    ]
    assert get_problem(early) == (409, "emergency-access-decided")
    assert reviewed["justified"]
    assert get_problem(other.send(review, found)) == (409, "emergency-access-decided")
    assert list_types(lead.poll())[-1] == "case.emergency_access_reviewed"


def test_who_read_and_was_not_reviewed_in_72_hours_asks_for_no_more(
    world: World, shelter: Someone, watcher: Someone, case: Json
) -> None:
    reading = granted(shelter, watcher, case)
    world.advance(hours=71, minutes=59)
    in_time = asks(shelter, case)
    world.advance(minutes=1)

    late = shelter.create(path(case), READING)

    assert in_time["state"] == "requested"
    assert get_problem(late) == (409, "emergency-access-unreviewed")
    assert asks(world.add_person(SHELTER), case)["state"] == "requested"
    other = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    unwrap(other.send(path(case, reading, "review"), {"justified": False}))
    unwrap(other.send(path(case, in_time, "refuse")))
    assert asks(shelter, case)["state"] == "requested"


def test_it_is_asked_and_permitted_once_however_often_it_is_sent(
    shelter: Someone, watcher: Someone, case: Json
) -> None:
    both = [unwrap(shelter.create(path(case), READING, "once")) for _ in range(2)]
    permitted = [unwrap(watcher.send(path(case, both[0], "grant"))) for _ in range(2)]

    assert both[0] == both[1]
    assert permitted[0] == permitted[1]
    assert list_types(watcher.poll()).count("case.emergency_access_granted") == 1
    assert len(listed(watcher, case)) == 1
