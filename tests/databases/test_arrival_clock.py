"""The deadline of a journey ends on the day of arrival, but does not reveal that day."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select, update

from app.cases.models import CaseKey, Sealed
from app.cases.sections import Paper
from app.cli import operator_actions
from app.deadlines import actions as deadline_actions
from app.deadlines import missed_deadlines
from app.deadlines.models import Clock, Firing
from app.metrics.counters import HANDLED
from app.returns import queries as return_queries
from app.returns.models import Return
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import Copy
from tests.support.raw_requests import open_wire
from tests.support.returns import (
    EARLY,
    HOME,
    Homecoming,
    accept_return_referral,
    begin_return,
)
from tests.support.servers import report
from tests.support.stolen_copies import Rows, list_differences, read_copy
from tests.support.world import (
    Someone,
    World,
    get_path,
    list_types,
    make_travel_plan,
    unwrap,
)

DAY: Final = timedelta(days=1)
FIRST_END: Final = datetime(2026, 6, 1, 18, 59, 59, tzinfo=UTC)
"""The end of the first day of the journeys in these tests, by the time in Tashkent."""
FIFTH: Final = "2026-06-05T10:00:00Z"
FIFTH_END: Final = FIRST_END + 4 * DAY
RANDOM: Final = frozenset(
    {"api_key.prefix", "api_key.hash", "outcome.key", "outcome.fingerprint"}
)
"""Columns that differ in any two worlds: random keys, and a keyed fingerprint."""


def depart_home(home: Homecoming, arrives_at: str = FIFTH) -> Homecoming:
    """Let the person depart, with a travel plan that names this time of arrival."""
    home.advance("issue-document")
    unwrap(home.does("lead", "plan", make_travel_plan(arrives_at)))
    home.advance("depart")
    return home


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    return depart_home(begin_return(world, officer, lead))


def load_deadline(home: Homecoming) -> Clock:
    """Return the newest stored deadline of the return."""
    with home.world.write_as_service() as tx:
        its = select(Clock).where(Clock.record_id == UUID(home.record["id"]))
        clock = tx.session.scalars(its.order_by(Clock.number.desc()).limit(1)).one()
        tx.session.expunge(clock)
        return clock


def list_firings(world: World, home: Homecoming) -> list[tuple[int, datetime]]:
    with world.write_as_service() as tx:
        its = select(Firing.generation, Firing.at).join(Clock)
        rows = its.where(Clock.record_id == UUID(home.record["id"]))
        return [(one, at) for one, at in tx.session.execute(rows)]


def copy_daily(copy: Copy, app: FastAPI, arrives_at: str, days: int) -> list[Rows]:
    """Return copies of the database, made at a departure and on each day after it."""
    ids = Ids()
    with copy() as url, open_wire(url, app, ids) as wire:
        ids.begin("journey")
        world = wire.world
        officer, lead = (
            world.add_person(one) for one in ("UZ_CONSULATE_ALMATY", "KZ_LEAD")
        )
        depart_home(begin_return(world, officer, lead), arrives_at)
        copies = [read_copy(world, without=RANDOM)]
        for _ in range(days):
            world.wait(days=1)
            copies.append(read_copy(world, without=RANDOM))
        return copies


def test_two_databases_that_differ_in_the_day_of_arrival_are_equal_in_clear(
    copy: Copy, app: FastAPI
) -> None:
    soon, late = (
        copy_daily(copy, app, at, days=3) for at in (FIFTH, "2026-06-28T04:00:00Z")
    )

    for one, other in zip(soon, late, strict=True):
        assert list_differences(one, other) == []
    rows = sum(len(found) for one in soon for found in one.values())
    report("day of arrival", [f"{rows} rows of {len(soon[0])} tables compared"])
    assert len(soon[-1]["entry"]) > 20
    assert len(soon[-1]["firing"]) == 0


def test_clock_is_due_each_day_and_fires_at_the_end_of_the_day_of_arrival(
    home: Homecoming,
) -> None:
    world, subject = home.world, f"returns/{home.record['id']}"
    people = (home.lead, home.home, home.officer)
    for one in people:
        one.poll()
    before = HANDLED.labels("confirm_arrival")._value.get()  # noqa: SLF001 - no other way

    stored, shown = [], []
    for day in range(5):
        world.now = FIRST_END + day * DAY - timedelta(seconds=1)
        world.run_worker()
        stored.append(load_deadline(home).due_at - FIRST_END)
        shown += [one.read(home.record)["due_at"] for one in (home.lead, home.home)]
        shown += [due for about, _, due in home.home.get_worklist() if about == subject]

    assert stored == [day * DAY for day in range(5)]
    assert set(shown) == {"2026-06-05T18:59:59Z"}
    assert [one.poll() for one in people] == [[], [], []]
    assert list_firings(world, home) == []
    assert HANDLED.labels("confirm_arrival")._value.get() == before  # noqa: SLF001

    world.now = FIFTH_END
    world.run_worker()

    [event] = home.home.poll()
    assert (event["type"], event["at"]) == ("return.overdue", "2026-06-05T18:59:59Z")
    assert event["facts"] == {"deadline": "confirm_arrival", "missed": 1, "active": True}
    assert list_firings(world, home) == [(1, FIFTH_END)]


def test_a_worker_that_was_down_for_days_counts_from_the_day_of_arrival(
    home: Homecoming,
) -> None:
    home.home.poll()
    home.world.now = FIFTH_END - DAY
    assert count_late(home) == 0
    home.world.run_worker()
    assert list_types(home.home.poll()) == []
    length = FIFTH_END - load_deadline(home).set_at

    home.world.now = FIFTH_END + length
    home.world.run_worker()

    [event] = home.home.poll()
    assert event["facts"]["missed"] == 2
    assert load_deadline(home).due_at == FIFTH_END
    assert load_deadline(home).fires_at == FIFTH_END + 2 * length
    assert count_late(home) == 2


def count_late(home: Homecoming, who: Someone | None = None) -> int:
    """Return the number of deadlines that an office missed, by default the recipient."""
    with home.world.write_as_service() as tx:
        its = select(Return).where(Return.id == UUID(home.record["id"]))
        record = tx.session.scalars(its).one()
        waited_on, unless = (
            {record.case_id: (who or home.home).id},
            return_queries.IS_POSTPONED,
        )
        counts = missed_deadlines.count_missed_deadlines(tx, waited_on, unless=unless)
        return counts[record.case_id]


def fail_to_handle(home: Homecoming) -> None:
    """Let the worker fail to handle the running deadline, a minute after its due time."""
    clock = load_deadline(home)
    home.world.now = clock.due_at + timedelta(minutes=1)
    due = missed_deadlines.DueClock(clock.number, clock.case_id, clock.kind, clock.fires_at)
    with home.world.write_as_service() as tx:
        assert deadline_actions.retry_later(tx.session, due, tx.now) == 1
    assert load_deadline(home).fires_at is not None


def test_arrival_whose_handling_failed_does_not_count_as_missed(home: Homecoming) -> None:
    fail_to_handle(home)

    figures = unwrap(home.home.get("/figures/own"))["deadlines"]
    assert count_late(home) == 0
    assert [one["missed"] for one in figures if one["kind"] == "confirm_arrival"] == [0]


def test_search_for_a_person_counts_as_missed_although_its_handling_failed(
    home: Homecoming,
) -> None:
    home.withdraw_consents("RETURN")
    assert home.state == "halted"

    fail_to_handle(home)

    assert count_late(home, home.lead) == 1


@pytest.mark.parametrize(("days", "late"), [(0, 0), (3, 0), (5, 1)])
def test_an_arrival_that_is_confirmed_before_the_worker_looks_is_late_only_if_it_was(
    home: Homecoming, days: int, late: int
) -> None:
    home.world.advance(days=days)
    unwrap(home.does("home", "arrive", EARLY))

    with home.world.write_as_service() as tx:
        its = select(Clock).where(Clock.record_id == UUID(home.record["id"]))
        arrival = tx.session.scalars(its.where(Clock.kind == "confirm_arrival")).one()
        assert arrival.stopped_at is not None
        assert (arrival.due_at < arrival.stopped_at) is bool(late)
        assert arrival.due_at <= home.world.now.replace(hour=18, minute=59, second=59)
    assert count_late(home) == late


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_zone_of_the_host_changes_nothing(
    world: World, officer: Someone, lead: Someone, zone: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        home = depart_home(begin_return(world, officer, lead))
        for day in range(4):
            assert load_deadline(home).due_at == FIRST_END + day * DAY
            world.now = FIRST_END + day * DAY
            world.run_worker()
        assert list_firings(world, home) == []
        world.now = FIFTH_END
        world.run_worker()
        assert list_firings(world, home) == [(1, FIFTH_END)]
    time.tzset()


@pytest.mark.parametrize("days", [2, 8])
def test_a_plan_that_is_changed_before_departure_moves_the_arrival(
    world: World, officer: Someone, lead: Someone, days: int
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("issue-document")
    unwrap(home.does("lead", "plan", make_travel_plan(FIFTH)))
    home.advance("accept-plan")
    arrives_at = f"2026-06-{1 + days:02}T10:00:00Z"
    unwrap(home.does("lead", "plan", make_travel_plan(arrives_at)))
    unwrap(home.does("home", "accept-plan"))
    unwrap(home.does("lead", "depart", {"reconfirmed_today": True}))

    for _ in range(days):
        world.run_worker()
        assert list_firings(world, home) == []
        assert load_deadline(home).due_at - world.now < DAY
        assert home.read()["due_at"] == f"2026-06-{1 + days:02}T18:59:59Z"
        world.advance(days=1)
    world.advance(hours=7)
    world.run_worker()

    assert [one for one, _ in list_firings(world, home)] == [1]


def delete_plan(home: Homecoming) -> None:
    with home.world.write_as_service() as tx:
        tx.session.execute(delete(Sealed).where(Sealed.kind == Paper.TRAVEL_PLAN))


def replace_plan(home: Homecoming) -> None:
    with home.world.write_as_service() as tx:
        plans = update(Sealed).where(Sealed.kind == Paper.TRAVEL_PLAN)
        tx.session.execute(plans.values(sealed=b"x" * 4124))


def delete_key(home: Homecoming) -> None:
    with home.world.write_as_service() as tx:
        tx.session.execute(delete(CaseKey))


@pytest.mark.parametrize("lose", [delete_plan, replace_plan, delete_key])
def test_a_plan_that_does_not_open_lets_the_clock_run_out_at_the_end_of_the_day(
    home: Homecoming, lose: Callable[[Homecoming], None]
) -> None:
    home.home.poll(), home.lead.poll()
    home.world.now = FIRST_END + timedelta(minutes=1)
    home.world.run_worker()
    assert list_firings(home.world, home) == []
    lose(home)

    home.world.advance(days=1)
    home.world.run_worker()

    assert [one for one, _ in list_firings(home.world, home)] == [1]
    assert (
        list_types(home.home.poll()) == list_types(home.lead.poll()) == ["return.overdue"]
    )
    if lose is not delete_key:
        assert home.read()["due_at"] == "2026-06-02T18:59:59Z"
    assert [
        due for _, kind, due in home.home.get_worklist() if kind == "confirm_arrival"
    ] == ["2026-06-02T18:59:59Z"]


def test_an_office_that_is_shut_runs_out_once_and_again_on_the_day_of_arrival(
    home: Homecoming,
) -> None:
    world = home.world
    world.close_office(HOME)
    world.run_worker()
    assert [one for one, _ in list_firings(world, home)] == [1]
    for day in range(4):
        world.now = FIRST_END + day * DAY
        world.run_worker()
        clock = load_deadline(home)
        assert clock.fires_at == clock.due_at == FIRST_END + (day + 1) * DAY
    assert [one for one, _ in list_firings(world, home)] == [1]

    world.now = FIFTH_END
    world.run_worker()

    assert list_firings(world, home)[1:] == [(2, FIFTH_END)]


def test_worklist_is_in_order_of_true_deadlines_on_every_page(
    home: Homecoming, officer: Someone, lead: Someone
) -> None:
    mine, at_home = f"returns/{home.record['id']}", home.home
    other = depart_home(begin_return(home.world, officer, lead), "2026-06-09T10:00:00Z")
    for _ in range(2):  # due after 14 days
        accept_return_referral(officer, lead, at_home)
    every = at_home.get_worklist()
    dues = [due for _, _, due in every]

    pages = at_home.list_all("/worklist", limit=1)

    assert dues == sorted(dues)
    assert [one["subject"] for one in pages] == [subject for subject, _, _ in every]
    assert [one["due_at"] for one in pages] == dues
    found = {subject: due for subject, _, due in every}
    assert found[mine] == "2026-06-05T18:59:59Z"
    assert found[f"returns/{other.record['id']}"] == "2026-06-09T18:59:59Z"


def test_counts_and_tasks_of_a_case_use_the_true_deadline(home: Homecoming) -> None:
    at_home, path = home.home, get_path(home.case)
    [task] = [
        one
        for one in unwrap(at_home.get("/worklist"))["items"]
        if one["subject"] == f"returns/{home.record['id']}"
    ]

    page = unwrap(at_home.get(path, include="tasks"))
    [listed] = unwrap(at_home.get("/cases", include="tasks"))["items"]
    counts = unwrap(at_home.get("/worklist/counts"))

    assert load_deadline(home).due_at == FIRST_END
    assert task["due_at"] == "2026-06-05T18:59:59Z"
    assert task in page["included"]["tasks"]["items"]
    assert listed["included"] == page["included"]
    assert (counts["soon"], counts["today"], counts["late"]) == (0, 0, 0)
    assert counts["later"] == counts["waiting"] == len(page["included"]["tasks"]["items"])


def store_clear_day(home: Homecoming) -> None:
    """Store the day of arrival unsealed in a deadline, as an older version did."""
    with home.world.write_as_service() as tx:
        its = select(Clock).where(Clock.record_id == UUID(home.record["id"]))
        arrivals = its.where(Clock.kind == "confirm_arrival").order_by(Clock.number)
        tx.session.scalars(arrivals.limit(1)).one().due_at = FIFTH_END


def test_clocks_of_an_older_version_are_moved_and_shown_as_before(
    home: Homecoming, officer: Someone, lead: Someone
) -> None:
    halted = depart_home(begin_return(home.world, officer, lead))
    unwrap(lead.does("stop", halted.case, {"reason": "SURVIVOR_REQUEST"}))
    store_clear_day(home)
    store_clear_day(halted)
    before = (home.read(), home.home.get_worklist())

    steps = list(operator_actions.seal_outdated(home.world.runtime))

    assert (home.read(), home.home.get_worklist()) == before
    assert load_deadline(home).due_at == FIRST_END
    with home.world.write_as_service() as tx:
        kept = select(Clock.due_at).where(Clock.kind == "confirm_arrival")
        assert max(tx.session.scalars(kept)) < FIRST_END + DAY
    assert steps == [(1, 2), (2, 2)]
    assert list(operator_actions.seal_outdated(home.world.runtime)) == []
    home.world.now = FIFTH_END
    home.world.run_worker()
    assert list_firings(home.world, home) == [(1, FIFTH_END)]
