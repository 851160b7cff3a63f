"""Overdue reviews of emergency accesses cannot be hidden in the database (R17, ADR 80)."""

from typing import Final
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from app.access.protection import protect_account_again
from app.cases.records import EmergencyAccess
from app.kernel.actors import Role
from tests.api.test_vital_readings import (
    READING,
    granted,
    opens,
    path,
)
from tests.support.database_attacks import Attacker, Row
from tests.support.helped_cases import SHELTER, add_case
from tests.support.sessions import add_account_of
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    unwrap,
)

UNREVIEWED: Final = (409, "emergency-access-unreviewed")
ALTERED: Final = (500, "records-altered")
HIDING: Final = ("delete", "review", "refuse", "reassign")


@pytest.fixture
def watcher(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def case(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    return add_case(officer, lead, shelter)


@pytest.fixture
def other(officer: Someone, lead: Someone, shelter: Someone) -> Json:
    return add_case(officer, lead, shelter)


@pytest.fixture
def overdue(world: World, shelter: Someone, watcher: Someone, case: Json) -> Row:
    """Return the row of an access whose review is overdue."""
    granted(shelter, watcher, case)
    world.advance(hours=72)
    assert get_problem(shelter.create(path(case), READING)) == UNREVIEWED
    return Attacker(world).find(EmergencyAccess)


def hide(world: World, row: Row, how: str) -> None:
    """Delete the row of an access, or change it so that no review is overdue."""
    attacker = Attacker(world)
    changes: dict[str, Row] = {
        "review": {"reviewed_at": world.now, "justified": True},
        "refuse": {"granted": False},
        "reassign": {"account_id": uuid4()},
    }
    if how == "delete":
        attacker.delete_row(EmergencyAccess, row)
    else:
        attacker.write(EmergencyAccess, row, changes[how])


@pytest.mark.parametrize("how", HIDING)
def test_overdue_review_cannot_be_hidden_in_the_same_case(
    world: World, shelter: Someone, case: Json, overdue: Row, how: str
) -> None:
    hide(world, overdue, how)

    with capture_logs() as lines:
        answer = shelter.create(path(case), READING)

    assert get_problem(answer) == ALTERED
    assert "row.forged" in {one["event"] for one in lines}


@pytest.mark.parametrize("how", HIDING)
def test_overdue_review_cannot_be_hidden_in_another_case(
    world: World, shelter: Someone, other: Json, overdue: Row, how: str
) -> None:
    control = shelter.create(path(other), READING)
    hide(world, overdue, how)

    with capture_logs() as lines:
        answer = shelter.create(path(other), READING)

    assert (get_problem(control), get_problem(answer)) == (UNREVIEWED, ALTERED)
    assert "row.forged" in {one["event"] for one in lines}
    assert get_problem(opens(shelter, other)) == (404, "not-found")


def test_overdue_review_of_another_account_of_the_person_cannot_be_hidden(
    world: World, shelter: Someone, other: Json, overdue: Row
) -> None:
    again = add_account_of(shelter, SHELTER, {Role.CASEWORKER})
    control = again.create(path(other), READING)
    hide(world, overdue, "delete")

    answer = again.create(path(other), READING)

    assert (get_problem(control), get_problem(answer)) == (UNREVIEWED, ALTERED)


def test_overdue_review_cannot_be_hidden_after_the_account_is_protected_again(
    world: World, shelter: Someone, other: Json, overdue: Row
) -> None:
    protect_account_again(world.runtime, shelter.actor.account_id)
    control = shelter.create(path(other), READING)
    hide(world, overdue, "delete")

    answer = shelter.create(path(other), READING)

    assert (get_problem(control), get_problem(answer)) == (UNREVIEWED, ALTERED)


def test_reviewed_access_allows_the_next_request(
    world: World, shelter: Someone, case: Json, other: Json, overdue: Row
) -> None:
    reviewer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    access = {"id": str(overdue["id"])}
    unwrap(reviewer.send(path(case, access, "review"), {"justified": True}))

    assert shelter.create(path(other), READING).status_code == 201


def test_access_in_a_case_that_row_security_hides_is_not_missing(
    world: World, shelter: Someone, overdue: Row
) -> None:
    """The office of the other account is no party of the case, so no row is required."""
    there = add_account_of(shelter, "UZ_LEAD", {Role.CASEWORKER})
    hides_rows = not world.url.startswith("sqlite")

    answer = there.create(path(there.submit()), READING)

    assert overdue["account_id"] != there.actor.account_id
    assert answer.status_code == (201 if hides_rows else UNREVIEWED[0])
