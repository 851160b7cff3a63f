"""The date of a demo consent is not in the future in any time zone, at any hour."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.demo.texts import build_consent

ZONES = range(-12, 15)
"""The offsets of the time zones of the Earth, in hours."""


@pytest.mark.parametrize("hour", range(24))
def test_consent_was_obtained_on_a_day_that_has_begun_everywhere(hour: int) -> None:
    now = datetime(2026, 11, 30, hour, 30, tzinfo=UTC)
    obtained_on = date.fromisoformat(build_consent(now)["obtained_on"])
    assert {obtained_on <= (now + timedelta(hours=zone)).date() for zone in ZONES} == {True}
    assert now.date() - obtained_on <= timedelta(days=1)
