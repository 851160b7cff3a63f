"""Offices whose accounts were altered in the database are not unattended (ADR 80)."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from app.access.models import Account
from tests.api.test_desks import BOTH, MOVE, escalate_case
from tests.support.database_attacks import Attacker, get_table
from tests.support.endings import end_last_account, run_endings_job
from tests.support.world import Json, Someone, World, get_path, get_problem

INACTIVE = MOVE | {"reason": "LEAD_INACTIVE"}
REFUSED = (409, "lead-not-failing")


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case whose lead can be replaced by an office that the person agreed to."""
    return lead.take_lead(officer.submit(consents=BOTH))


def disable_outside(world: World, who: Someone, **values: object) -> None:
    """Write into all accounts of an office that they were disabled days ago."""
    accounts = get_table(Account)
    own = update(accounts).where(accounts.c.focal_point_id == who.actor.focal_point_id)
    before = world.now - timedelta(days=3)
    with Attacker(world).connect() as connection:
        connection.execute(own.values(disabled_at=before, **values))


def test_altered_accounts_do_not_make_a_lead_inactive(
    world: World, lead: Someone, desk: Someone, case: Json
) -> None:
    escalate_case(lead, case)
    control = get_problem(desk.does("take-over", case, INACTIVE))
    disable_outside(world, lead)

    with capture_logs() as lines:
        answer = desk.does("take-over", case, INACTIVE)

    assert get_problem(answer) == control == REFUSED
    assert "account" in {one["table"] for one in lines if one["event"] == "row.forged"}


def test_account_without_a_mac_does_not_make_a_lead_inactive(
    world: World, lead: Someone, desk: Someone, case: Json
) -> None:
    escalate_case(lead, case)
    disable_outside(world, lead, mac=None)

    assert get_problem(desk.does("take-over", case, INACTIVE)) == REFUSED


def test_altered_accounts_do_not_bring_in_a_desk(
    world: World, lead: Someone, desk: Someone, case: Json
) -> None:
    disable_outside(world, lead)

    run_endings_job(world)

    assert desk.poll() == []
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")


def test_accounts_that_the_service_disabled_make_a_lead_inactive(
    world: World, lead: Someone, desk: Someone, case: Json
) -> None:
    end_last_account(world, lead)
    desks = run_endings_job(world)

    assert desks == 1
    assert desk.does("take-over", case, INACTIVE).status_code == 202
