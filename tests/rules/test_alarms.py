"""Tests of the alarms that ask an operator to act, and of how often they are repeated."""

from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest
from structlog.testing import capture_logs

from app.metrics.measurement import Gauge, GaugeValue
from app.worker.alarms import REPEAT_INTERVAL, Alarms
from tests.support.world import NOON, Watch

GAUGE = Gauge[float](
    "heard_seconds", "Since it was heard.", float, "part", 60, "Start a worker."
)
LATE = GaugeValue(GAUGE, "clocks", 61.4, "")
WELL = replace(LATE, value=60.0)


def test_an_alarm_is_logged_as_a_warning_at_once_and_once_an_hour() -> None:
    watch = Watch()
    alarms = Alarms(watch)
    with capture_logs() as lines:
        for seconds in (0, 15, REPEAT_INTERVAL - 16, 1):
            watch.now += seconds
            alarms.log_changes([LATE])

    expected = {
        "event": "alarm",
        "log_level": "warning",
        "gauge": "heard_seconds",
        "of": "clocks",
        "value": 61,
        "limit": 60,
        "to_do": "Start a worker.",
    }
    assert lines == [expected, expected]


def test_alarm_about_an_office_names_it_in_the_log() -> None:
    with capture_logs() as lines:
        Alarms(Watch()).log_changes([replace(LATE, detail="KZ_LEAD, UZ_LEAD")])

    assert [line["detail"] for line in lines] == ["KZ_LEAD, UZ_LEAD"]


def test_an_alarm_that_is_over_is_said_and_comes_anew_at_once() -> None:
    alarms = Alarms(Watch())
    with capture_logs() as lines:
        for one in (WELL, LATE, WELL, WELL, LATE):
            alarms.log_changes([one])

    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("alarm", "warning"),
        ("alarm.over", "info"),
        ("alarm", "warning"),
    ]


def test_what_was_never_heard_of_has_no_number() -> None:
    with capture_logs() as lines:
        Alarms(Watch()).log_changes([replace(LATE, value=inf)])

    assert [line["value"] for line in lines] == [None]


@pytest.mark.parametrize(
    ("went", "said"), [(15, []), (44, []), (-14, []), (3615, [3600]), (-3585, [-3600])]
)
def test_a_clock_that_was_set_is_said_and_one_that_is_corrected_is_not(
    went: int, said: list[int]
) -> None:
    watch = Watch()
    alarms = Alarms(watch)
    with capture_logs() as lines:
        alarms.compare_clocks(NOON)
        watch.now += 15
        alarms.compare_clocks(NOON + timedelta(seconds=went))
        watch.now += 15
        alarms.compare_clocks(NOON + timedelta(seconds=went + 15))

    assert [line["seconds"] for line in lines] == said
    assert {line["event"] for line in lines} <= {"clock.jumped"}
    assert {line["log_level"] for line in lines} <= {"warning"}
