"""A case is erased again if a backup older than its erasure is restored (R34)."""

from uuid import uuid4

import pytest

from app.casework import erasing
from app.deadlines.models import Clock
from app.kernel.actors import Role
from app.kernel.erasures import Erasure, get_erasures
from tests.support.erased_cases import PERSONAL_TABLES, count_rows, erase_again
from tests.support.world import (
    NOON,
    SIGNS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_contacts,
    unwrap,
)

STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-10T12:00:00Z", "note": "Shh"}
WITHDRAW: Json = {"reason": "SENT_IN_ERROR", "note": "Not this one"}
STATES = (
    "draft",
    "submitted",
    "under_review",
    "referring",
    "assisting",
    "suspended",
    "monitoring",
    "closed",
    "void",
)


@pytest.fixture
def overseer(world: World) -> Someone:
    """Return a protection officer of oversight."""
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """Return a second person of oversight."""
    return world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR})


def create_case_in(state: str, officer: Someone, lead: Someone, shelter: Someone) -> Json:
    """Create a case in the given state for the backup, and return the case."""
    if state == "draft":
        return unwrap(officer.create_case(screening=SIGNS))
    case = officer.submit(screening=SIGNS)
    if state == "submitted":
        return case
    if state == "void":
        return unwrap(officer.does("withdraw", case, WITHDRAW))
    unwrap(lead.does("acknowledge", case))
    if state != "under_review":
        unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
        move_led_case(state, case, lead, shelter)
    return lead.read(case)


def move_led_case(state: str, case: Json, lead: Someone, shelter: Someone) -> None:
    """Move a case with a lead to the given state."""
    if state == "assisting":
        sent = unwrap(lead.refer(case, shelter.code))
        unwrap(shelter.does("accept", sent, make_acceptance()))
    steps: dict[str, tuple[str, Json]] = {
        "suspended": ("suspend", REST),
        "monitoring": ("monitor", {}),
        "closed": ("stop", STOP),
    }
    if state in steps:
        action, body = steps[state]
        unwrap(lead.does(action, case, body))


@pytest.mark.parametrize("state", STATES)
def test_wherever_the_backup_has_a_case_nothing_of_it_opens(  # noqa: PLR0913, PLR0917
    state: str,
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    overseer: Someone,
) -> None:
    case = create_case_in(state, officer, lead, shelter)
    assert case["state"] == state

    first, again = erase_again(world, case), erase_again(world, case)

    assert (first, again) == (True, False)
    assert count_rows(world, *PERSONAL_TABLES) == {}
    assert count_rows(world, Erasure) == {"erasure": 1}
    for one in (lead, shelter):
        assert get_problem(one.get(get_path(case))) == (404, "not-found")
        assert one.get_worklist() == []
    shell = officer if state == "draft" else overseer
    assert shell.read(case)["state"] == ("void" if state == "draft" else "erased")
    assert get_problem(shell.open(f"{get_path(case)}/sections/needs"))[0] == 404
    event = shell.poll()[-1]
    assert (event["type"], event["by"]) == (
        "case.discarded" if state == "draft" else "case.erased_again",
        None,
    )


def test_what_happened_before_the_backup_still_reads(
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    overseer: Someone,
) -> None:
    case = create_case_in("assisting", officer, lead, shelter)

    erase_again(world, case)

    history = unwrap(overseer.get(f"{get_path(case)}/history"))["items"]
    assert list_types(history)[:4] == [
        "case.submitted",
        "case.acknowledged",
        "case.lead_accepted",
        "case.assistance_begun",
    ]
    assert overseer.read(case)["summary"]["country"] == "KZ"
    assert unwrap(overseer.get(f"{get_path(case)}/evidence"))["items"]


def test_no_clock_of_it_runs_on(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = create_case_in("assisting", officer, lead, shelter)

    erase_again(world, case)

    with world.database.begin_read() as session:
        clocks = session.query(Clock).where(Clock.stopped_at.is_(None)).all()
    assert clocks == []


def test_a_hold_that_the_backup_still_has_is_no_longer_one(
    world: World,
    officer: Someone,
    lead: Someone,
    overseer: Someone,
    second: Someone,
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(overseer.does_with(second, "legal-hold", case, {"value": "in_force"}))

    erase_again(world, case)

    assert overseer.read(case)["state"] == "erased"


def test_a_case_that_the_backup_does_not_know_is_recorded_as_erased(world: World) -> None:
    unknown = uuid4()

    with world.write_as_service() as tx:
        there = erasing.erase_again(tx, unknown, NOON)

    with world.database.begin_read() as session:
        assert get_erasures(session) == {unknown: NOON}
    assert not there
