"""For an hour, `worker status` and the metrics report that the system clock has jumped."""

import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.cli.status import measure_status
from app.kernel.clock_jumps import get_recent_jump
from app.kernel.db import Database
from app.worker.alarms import Alarms
from tests.support.world import Watch, World


def test_clock_jump_is_recorded_and_reported_for_an_hour(world: World) -> None:
    elapsed = Watch()
    alarms = Alarms(elapsed)
    reported = []
    with capture_logs() as lines:
        alarms.check(world.runtime)
        for seconds, jump in ((15, 0), (15, -7200), (3585, 0), (30, 0)):
            elapsed.now += seconds
            world.advance(seconds=seconds + jump)
            alarms.check(world.runtime)
            [found] = [
                one
                for one in measure_status(world.runtime).measured
                if one.gauge.name == "clock_jump_seconds"
            ]
            reported.append((found.value, found.is_within_limit, found.detail))

    jumped = (7200, False, "-7200 s")
    assert reported == [(0, True, ""), jumped, jumped, (0, True, "")]
    [line] = [line for line in lines if line.get("gauge") == "clock_jump_seconds"][:1]
    assert (line["event"], line["value"], line["limit"]) == ("alarm", 7200, 30)


def test_clock_jump_that_could_not_be_recorded_is_recorded_by_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms = Alarms(Watch())
    alarms.check(world.runtime)
    world.advance(hours=2)
    with monkeypatch.context() as broken:
        broken.setattr(Database, "begin_write", Database.begin_read)
        with pytest.raises(DBAPIError):
            alarms.check(world.runtime)
    alarms.check(world.runtime)

    with world.database.begin_read() as session:
        jump = get_recent_jump(session, world.runtime.time(session))
    assert jump == 7200
