"""Tests that each office's own figures equal those of a ledger that the test keeps."""

from datetime import date, timedelta
from typing import Final

import pytest

from tests.support.effort import choose_number
from tests.support.work_ledger import ZONE, Workers, WorkLedger
from tests.support.world import Json, Someone, World, unwrap

SEEDS: Final = choose_number(4, sample=1, night=40)
CASES: Final = 8


def read_figures(who: Someone, first: date, last: date) -> Json:
    """Return an office's own figures that the ledger also counts, in the ledger's form."""
    query = {"from": first.isoformat(), "to": last.isoformat()}
    shown = unwrap(who.get("/figures/own", **query))
    names = ("acknowledged", "decided", "sheltered", "referrals", "consents_withdrawn")
    found = {name: shown[name] for name in names}
    found["answers"] = {
        one["service"] or "": (one["in_time"], one["late"]) for one in shown["answers"]
    }
    for name in ("own_declines", "declines_received"):
        found[name] = {one["reason"]: one["count"] for one in shown[name]}
    return found


def list_periods(ledger: WorkLedger) -> list[tuple[date, date]]:
    """Return a period for each day of a ledger, and one for all days and the day after."""
    days = sorted({line.at.astimezone(ZONE).date() for line in ledger.lines})
    return [*((day, day) for day in days), (days[0], days[-1] + timedelta(days=1))]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_own_figures_equal_the_ledger_in_every_cell(world: World, seed: int) -> None:
    workers = Workers(world, seed)
    for _ in range(CASES):
        workers.play_case()

    periods = list_periods(workers.ledger)
    assert len(periods) > 2
    for who in workers.offices:
        for period in periods:
            expected = workers.ledger.build_figures(who.code, *period)
            assert read_figures(who, *period) == expected, (who.code, period)
