"""A change of the time zone database does not move running deadlines.

In October 2026 Cuba decided not to turn its clocks back on 1 November (release 2026f of the
IANA database). A host with an earlier release computed deadlines after that day one hour
too late.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from app.directory import calendars
from app.directory.models import FocalPoint
from tests.support.directory_changes import update_directory
from tests.support.world import Json, Someone, World, get_path, get_problem, list_types
from tests.support.zone_files import PREVIOUS_RULES_OF_HAVANA, make_zone

HAVANA = "America/Havana"
FRIDAY_16_00 = datetime(2026, 10, 30, 20, tzinfo=UTC)
NORMAL = {"priority": "normal"}


@pytest.fixture(autouse=True)
def lead_in_havana(world: World) -> None:
    world.now = FRIDAY_16_00
    with world.database.begin_write() as session:
        is_lead = FocalPoint.code == "KZ_LEAD"
        update_directory(
            session, update(FocalPoint).where(is_lead).values(time_zone=HAVANA)
        )


def submits_on_a_host_with_the_previous_release(officer: Someone) -> Json:
    def previous(key: str) -> object:
        assert key == HAVANA
        return make_zone(PREVIOUS_RULES_OF_HAVANA, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendars, "ZoneInfo", previous)
        return officer.submit(summary=NORMAL)


def test_a_deadline_that_runs_keeps_its_time_and_a_new_one_is_computed_anew(
    officer: Someone, lead: Someone
) -> None:
    before = submits_on_a_host_with_the_previous_release(officer)
    after = officer.submit(summary=NORMAL)

    assert before["due_at"] == "2026-11-02T21:00:00Z"  # 16:00, by the previous release
    assert after["due_at"] == "2026-11-02T20:00:00Z"  # 16:00, by release 2026f
    assert lead.get_worklist() == [
        (get_path(after)[1:], "acknowledge", "2026-11-02T20:00:00Z"),
        (get_path(before)[1:], "acknowledge", "2026-11-02T21:00:00Z"),
    ]


def test_it_is_missed_at_the_time_that_the_parties_were_told(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = submits_on_a_host_with_the_previous_release(officer)
    officer.poll()

    world.now = datetime(2026, 11, 2, 20, 59, tzinfo=UTC)
    world.run_worker()
    in_time = list_types(officer.poll())
    world.now = datetime(2026, 11, 2, 21, 1, tzinfo=UTC)
    world.run_worker()

    assert in_time == []
    assert list_types(officer.poll()) == ["case.not_acknowledged", "case.rerouted"]
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
