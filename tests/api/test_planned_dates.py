"""A visit or an arrival before its planned date must be marked as early (ADR 50)."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from app.cases.models import Sealed
from app.cases.sections import Paper
from app.kernel.actors import Role
from tests.support.returns import EARLY, MET, Homecoming, begin_return
from tests.support.world import Json, Someone, World, get_problem, get_unmet, unwrap

PLAN = {"visits": ["2026-06-09T20:00:00Z", "2026-06-20T09:00:00Z"]}
"""Two visits. The first is on 10 June in Almaty and Tashkent, whose offset is UTC+5."""


@pytest.fixture
def visited(officer: Someone, lead: Someone) -> Json:
    """Return a monitored case with two planned visits."""
    case = lead.take_lead(officer.submit())
    return unwrap(lead.does("monitor", case, PLAN))


@pytest.fixture
def travelling(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin a return, up to the departure. The arrival in Tashkent is due on 3 June."""
    home = begin_return(world, officer, lead)
    home.advance("depart")
    return home


def last_facts(who: Someone, kind: str) -> Json:
    """Return the facts of the last event of this type in an office's feed."""
    return dict([event["facts"] for event in who.poll() if event["type"] == kind][-1])


def test_visit_before_its_date_is_refused_with_the_date(
    world: World, lead: Someone, visited: Json
) -> None:
    world.now = datetime(2026, 6, 9, 18, 59, tzinfo=UTC)  # still the 9th in Almaty

    refused = lead.does("visits", visited, MET)

    assert get_problem(refused) == (409, "date-not-reached")
    assert refused.json()["planned_for"] == "2026-06-10"
    assert "2026-06-10" in refused.json()["detail"]
    assert "early: true" in refused.json()["detail"]
    assert lead.read(visited)["due_at"] == PLAN["visits"][0]


def test_visit_is_in_time_from_the_first_minute_of_its_date_where_the_lead_works(
    world: World, lead: Someone, visited: Json
) -> None:
    world.now = datetime(2026, 6, 9, 19, tzinfo=UTC)  # 00:00 on the 10th in Almaty

    reported = unwrap(lead.does("visits", visited, EARLY))

    assert reported["due_at"] == PLAN["visits"][1]
    assert last_facts(lead, "case.visited") == MET


def test_early_visit_is_recorded_as_early_and_takes_the_place_of_the_next(
    world: World, lead: Someone, visited: Json
) -> None:
    world.advance(days=2)

    reported = unwrap(lead.does("visits", visited, EARLY))

    assert reported["due_at"] == PLAN["visits"][1]
    assert last_facts(lead, "case.visited") == EARLY


def test_late_visit_is_not_early(world: World, lead: Someone, visited: Json) -> None:
    world.advance(days=15)

    unwrap(lead.does("visits", visited, MET))

    assert last_facts(lead, "case.visited") == MET


def test_nobody_who_may_not_report_is_told_the_date(world: World, visited: Json) -> None:
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    stranger = world.add_person("UZ_LEAD")

    assert get_problem(supervisor.does("visits", visited, MET)) == (403, "role-missing")
    assert get_problem(stranger.does("visits", visited, MET)) == (404, "not-found")


def test_arrival_before_its_date_is_refused_with_the_date(travelling: Homecoming) -> None:
    travelling.world.now = datetime(2026, 6, 2, 18, 59, tzinfo=UTC)  # the 2nd in Tashkent

    refused = travelling.home.does("arrive", travelling.record, MET)

    assert get_problem(refused) == (409, "date-not-reached")
    assert refused.json()["planned_for"] == "2026-06-03"
    assert travelling.state == "in_transit"


def test_arrival_is_in_time_on_its_date_where_the_person_arrives(
    travelling: Homecoming,
) -> None:
    travelling.world.now = datetime(2026, 6, 2, 19, tzinfo=UTC)  # midnight in Tashkent

    unwrap(travelling.home.does("arrive", travelling.record, MET))

    assert last_facts(travelling.lead, "return.arrived") == {"state": "arrived"}


def test_early_arrival_is_recorded_as_early(travelling: Homecoming) -> None:
    unwrap(travelling.home.does("arrive", travelling.record, EARLY))

    facts = last_facts(travelling.lead, "return.arrived")
    assert facts == {"state": "arrived", "early": True}


def test_person_who_was_not_met_did_not_arrive_on_any_date(travelling: Homecoming) -> None:
    missed = {"person_met": False, "early": True}

    assert get_unmet(travelling.home.does("arrive", travelling.record, missed)) == [
        ("person_met", "recipient")
    ]


def test_arrival_can_be_reported_where_the_travel_plan_does_not_open(
    world: World, officer: Someone, lead: Someone
) -> None:
    """An arrival can be reported even if the travel plan cannot be decrypted."""
    home = begin_return(world, officer, lead)
    home.advance("depart")
    with home.lead.begin_write() as tx:
        tx.session.execute(
            update(Sealed).where(Sealed.kind == Paper.TRAVEL_PLAN).values(sealed=b"")
        )

    assert unwrap(home.home.does("arrive", home.record, MET))["state"] == "arrived"


def test_visit_after_a_return_before_its_date_is_refused_or_recorded_as_early(
    travelling: Homecoming,
) -> None:
    travelling.advance("monitor")

    refused = travelling.home.does("report", travelling.record, MET)
    unwrap(travelling.home.does("report", travelling.record, EARLY))

    assert get_problem(refused) == (409, "date-not-reached")
    assert refused.json()["planned_for"] == "2026-06-10"
    facts = last_facts(travelling.lead, "return.reported")
    assert facts == {"state": "monitoring", "early": True}
