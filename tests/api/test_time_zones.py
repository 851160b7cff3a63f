"""Deadlines when the time zone database changes: what runs keeps its time.

In October 2026 Cuba decided not to turn its clocks back on 1 November (release 2026f of the
IANA database). A host with the release before it computed an hour too much for what ends
after that day.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from app.directory import calendars
from app.directory.models import FocalPoint
from tests.support.world import Json, Someone, World, kinds, path_of, problem
from tests.support.zone_files import PREVIOUS_RULES_OF_HAVANA, zone_by

HAVANA = "America/Havana"
FRIDAY_16_00 = datetime(2026, 10, 30, 20, tzinfo=UTC)
NORMAL = {"priority": "normal"}


@pytest.fixture(autouse=True)
def lead_in_havana(world: World) -> None:
    world.now = FRIDAY_16_00
    with world.database.writing() as session:
        is_lead = FocalPoint.code == "KZ_LEAD"
        session.execute(update(FocalPoint).where(is_lead).values(time_zone=HAVANA))


def submits_on_a_host_with_the_previous_release(officer: Someone) -> Json:
    def previous(key: str) -> object:
        assert key == HAVANA
        return zone_by(PREVIOUS_RULES_OF_HAVANA, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendars, "ZoneInfo", previous)
        return officer.submits(notice=NORMAL)


def test_a_deadline_that_runs_keeps_its_time_and_a_new_one_is_computed_anew(
    officer: Someone, lead: Someone
) -> None:
    before = submits_on_a_host_with_the_previous_release(officer)
    after = officer.submits(notice=NORMAL)

    assert before["due_at"] == "2026-11-02T21:00:00Z"  # 16:00, by the previous release
    assert after["due_at"] == "2026-11-02T20:00:00Z"  # 16:00, by release 2026f
    assert lead.waits() == [
        (path_of(after)[1:], "acknowledge", "2026-11-02T20:00:00Z"),
        (path_of(before)[1:], "acknowledge", "2026-11-02T21:00:00Z"),
    ]


def test_it_is_missed_at_the_time_that_the_parties_were_told(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = submits_on_a_host_with_the_previous_release(officer)
    officer.hears()

    world.now = datetime(2026, 11, 2, 20, 59, tzinfo=UTC)
    world.works()
    in_time = kinds(officer.hears())
    world.now = datetime(2026, 11, 2, 21, 1, tzinfo=UTC)
    world.works()

    assert in_time == []
    assert kinds(officer.hears()) == ["case.not_acknowledged", "case.rerouted"]
    assert problem(lead.get(path_of(case))) == (404, "not-found")
