"""A new oversight office also oversees the existing cases."""

import pytest
from sqlalchemy import select, update

from app.cases.models import Case
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.directory.models import FocalPoint
from app.kernel.actors import SERVICE, Role
from app.worker.jobs import DEADLINE_JOB, run_once
from app.worker.oversight_job import (
    SEARCH_INTERVAL,
    CaseWatch,
    add_oversight,
    replace_oversight,
)
from tests.support.directory_changes import update_directory
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    unwrap,
)

OLD, NEW = "OVERSIGHT_DEMO", "KZ_SHELTER_KOGERSHIN"
ASKING: Json = {
    "reason": "RISK_TO_LIFE",
    "note": "She does not answer since noon",
    "sections": ["contact"],
    "purpose": "protection",
}
HELD: Json = {"value": "in_force"}


@pytest.fixture
def guard(world: World) -> Someone:
    return world.add_person(OLD, {Role.PROTECTION_OFFICER})


def create_oversight(world: World, code: str = NEW) -> None:
    """Turn an office without cases into a second oversight office."""
    update_office(world, code, kind="oversight", function="coordination", services=[])


def update_office(world: World, code: str, **to: object) -> None:
    with world.database.begin_write() as session:
        named = FocalPoint.code == code
        update_directory(session, update(FocalPoint).where(named).values(**to))


def list_answering_offices(world: World) -> list[str]:
    """Return the offices that have to answer the requests for emergency access."""
    waits = select(FocalPoint.code).join(Clock, Clock.waits_on == FocalPoint.id)
    with world.database.begin_read(SERVICE) as session:
        is_access_deadline = Clock.kind == DeadlineKind.DECIDE_EMERGENCY_ACCESS
        return list(session.scalars(waits.where(is_access_deadline)))


def list_events(who: Someone) -> list[tuple[str, str, str | None]]:
    events = [e for e in who.poll() if e["type"] == "case.oversight_replaced"]
    return [(event["type"], event["subject"], event["by"]) for event in events]


def test_who_watches_now_is_given_the_cases_that_nobody_watches(
    world: World, officer: Someone, lead: Someone, guard: Someone
) -> None:
    case, draft = lead.take_lead(officer.submit()), unwrap(officer.create_case())
    new = world.add_person(NEW, {Role.PROTECTION_OFFICER})
    create_oversight(world)
    replace_oversight(world.runtime)
    while_the_old_one_watches = new.get(get_path(case)).status_code
    update_office(world, OLD, active=False)

    replace_oversight(world.runtime)
    again = replace_oversight(world.runtime)

    assert (while_the_old_one_watches, again) == (404, 0)
    assert new.get(get_path(case)).is_success
    assert new.get(get_path(draft)).status_code == 404
    expected = [("case.oversight_replaced", get_path(case)[1:], None)]
    assert list_events(new) == list_events(guard) == expected
    assert "case.oversight_replaced" not in list_types(lead.poll()) + list_types(
        officer.poll()
    )
    assert guard.get(get_path(case)).is_success
    unwrap(
        new.does_with(world.add_person(NEW, {Role.SUPERVISOR}), "legal-hold", case, HELD)
    )


def test_a_case_that_was_erased_is_given_to_nobody(world: World, officer: Someone) -> None:
    cases = [officer.submit() for _ in range(3)]
    with world.database.begin_write(SERVICE) as session:
        named = Case.code == cases[0]["code"]
        session.execute(update(Case).where(named).values(state="erased"))
    create_oversight(world)
    update_office(world, OLD, active=False)

    given = [replace_oversight(world.runtime, limit=1) for _ in range(3)]

    assert given == [1, 1, 0]


def test_while_no_other_is_active_nobody_is_given_anything(
    world: World, officer: Someone, guard: Someone
) -> None:
    officer.submit()
    update_office(world, OLD, active=False)

    assert replace_oversight(world.runtime) == 0
    assert list_events(guard) == []


def test_whoever_watches_now_is_waited_for_in_an_emergency(
    world: World, officer: Someone, lead: Someone
) -> None:
    """Only the active oversight office has to answer a request for emergency access.

    The test makes first one and then the other of two offices inactive. The result
    therefore does not depend on the order of the ids.
    """
    case = lead.take_lead(officer.submit())
    create_oversight(world)
    update_office(world, OLD, active=False)
    replace_oversight(world.runtime)

    unwrap(lead.create(f"{get_path(case)}/emergency-access", ASKING))
    first = list_answering_offices(world)
    update_office(world, OLD, active=True)
    update_office(world, NEW, active=False)
    unwrap(world.add_person("KZ_LEAD").create(f"{get_path(case)}/emergency-access", ASKING))

    assert first == [NEW]
    assert sorted(list_answering_offices(world)) == sorted([NEW, OLD])


def test_the_worker_looks_again_at_once_while_there_is_something_and_then_seldom(
    world: World, officer: Someone
) -> None:
    now = [0.0]
    watch = CaseWatch(elapsed=lambda: now[0])
    found = [watch.run(world.runtime)]
    officer.submit()
    create_oversight(world)
    update_office(world, OLD, active=False)

    for moment in (SEARCH_INTERVAL - 1, SEARCH_INTERVAL, SEARCH_INTERVAL + 1):
        now[0] = moment
        found.append(watch.run(world.runtime))

    assert found == [0, 0, 1, 0]
    assert run_once(world.runtime, add_oversight(DEADLINE_JOB)) == 0


def test_who_was_replaced_sees_the_case_and_decides_nothing_in_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case, shelter = (
        lead.take_lead(officer.submit()),
        world.add_person("KZ_SHELTER_TANSHOLPAN"),
    )
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    watch = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    old, older = (world.add_person(OLD, watch) for _ in "12")
    new, newer = (world.add_person(NEW, watch) for _ in "12")
    path = f"{get_path(case)}/emergency-access"
    access = unwrap(shelter.create(path, ASKING))
    create_oversight(world, NEW)
    update_office(world, OLD, active=False)
    held_before = unwrap(old.does_with(older, "legal-hold", case, HELD))
    replace_oversight(world.runtime)

    permits = old.send(f"{path}/{access['id']}/grant")
    lifts = old.does("legal-hold", case, {"value": "lifted"})

    assert held_before["code"] == case["code"]
    assert get_problem(permits) == get_problem(lifts) == (403, "action-not-yours")
    assert old.read(case)["available_actions"] == []
    assert unwrap(old.get(path))["items"][0]["id"] == access["id"]
    unwrap(new.send(f"{path}/{access['id']}/grant"))
    unwrap(new.does_with(newer, "legal-hold", case, {"value": "lifted"}))
