"""What `worker status` says: offices, and heartbeats of chosen tasks only (ADR 48)."""

import pytest
from prometheus_client import generate_latest

from app.cli.status import Status, measure_status
from app.directory.kinds import is_at_home
from app.directory.queries import list_offices
from app.kernel.actors import Role
from app.kernel.heartbeat import REQUIRED_PARTS, Part
from app.metrics.gauges import WATCHES
from app.metrics.server import build_registry
from tests.support.endings import disable
from tests.support.world import Someone, World, unwrap


def list_details(status: Status) -> dict[str, str]:
    """Return the details of the gauges that are above their limits, by name."""
    return {
        one.gauge.name: one.detail for one in status.measured if not one.is_within_limit
    }


def test_alarm_about_an_office_names_it_in_the_status_and_not_in_the_metrics(
    world: World, officer: Someone, lead: Someone
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    disable(desk, world.add_person(desk.code, {Role.SUPERVISOR}))
    lead.take_lead(officer.submit())
    unwrap(officer.create_case(submit=False))
    world.close_office(officer.code)
    world.run_worker()

    found = list_details(measure_status(world.runtime))
    exposed = generate_latest(build_registry(world.runtime, WATCHES)).decode()

    assert found["offices_unattended"] == "DESK_CENTRAL_ASIA"
    assert "KZ_LEAD" in found["offices_without_second_person"].split(", ")
    assert found["closed_office_drafts"] == officer.code
    assert "offices_unattended 1.0" in exposed
    assert not [code for code in ("DESK_CENTRAL_ASIA", "KZ_LEAD") if code in exposed]


def test_alarm_about_a_country_names_it(world: World) -> None:
    with world.database.begin_read() as session:
        leads = [one for one in list_offices(session) if one.can_lead]
    for office in leads:
        if is_at_home(office, "KZ"):
            world.close_office(office.code)

    found = list_details(measure_status(world.runtime))

    assert "KZ" in found["countries_without_lead"].split(", ")


@pytest.mark.parametrize("silent", Part)
def test_health_of_a_worker_is_the_heartbeats_of_its_own_parts(
    world: World, silent: Part
) -> None:
    """An office without accounts is an alarm, but no reason to restart a worker."""
    desk = world.add_person("DESK_CENTRAL_ASIA")
    disable(desk, world.add_person(desk.code, {Role.SUPERVISOR}))
    world.run_worker()
    others = frozenset(REQUIRED_PARTS) - {silent}

    whole = measure_status(world.runtime)
    healthy = measure_status(world.runtime, others)
    world.advance(seconds=61)

    assert (whole.is_well, healthy.is_well) == (False, True)
    assert {one.label_value for one in healthy.measured} == others
    assert not measure_status(world.runtime, others).is_well
    assert not measure_status(world.runtime, {silent}).is_well
