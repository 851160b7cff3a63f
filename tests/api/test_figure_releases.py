"""Tests that two people release a quarter's figures, and that a release never changes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.cli import operator_actions
from app.figures import weekly_counts
from app.figures.catalogue import TableName
from app.figures.release_actions import APPROVERS, QuarterNotCounted
from app.figures.releases import Figures
from app.figures.weeks import Quarter
from app.kernel.actors import Role
from tests.support.account_changes import add, get_approval_id
from tests.support.figure_attack import generate_counts
from tests.support.figure_releases import PATH, add_overseers, store_quarter
from tests.support.world import Json, Someone, World, get_problem, unwrap

FIRST, SECOND = Quarter(2026, 1), Quarter(2026, 2)

pytestmark = pytest.mark.usefixtures("counted")


@pytest.fixture
def counted(world: World) -> None:
    """Store the counts of two quarters, each in its first week; set a time after them."""
    counts = generate_counts("api")
    for quarter in (FIRST, SECOND):
        store_quarter(world, quarter, counts[quarter])
    world.now = datetime(2026, 7, 20, 12, tzinfo=UTC)


@pytest.fixture
def people(world: World) -> tuple[Someone, Someone]:
    return add_overseers(world)


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def release(people: tuple[Someone, Someone], quarter: Quarter = FIRST) -> None:
    one, second = people
    asked = get_approval_id(add(one, PATH, {"quarter": str(quarter)}))
    confirmed = unwrap(second.send(f"/approvals/{asked}/confirm"))
    assert confirmed["decision"] == "used"


def read_latest(reader: Someone) -> Json:
    latest = unwrap(reader.get(PATH))["items"][0]
    return unwrap(reader.get(f"{PATH}/{latest['id']}"))


def list_numbers(released: Json) -> Iterator[int | None]:
    for country in released["figures"]:
        for table in country["tables"]:
            yield from (cell["people"] for cell in table["cells"])


def test_two_people_release_the_figures_of_a_quarter(
    people: tuple[Someone, Someone], analyst: Someone
) -> None:
    release(people)

    released = read_latest(analyst)
    numbers = list(list_numbers(released))

    assert released["quarter"] == "2026Q1"
    assert released["released_at"] == "2026-07-20T12:00:00Z"
    assert all(number is None or number % 5 == 0 < number - 10 for number in numbers)
    assert any(numbers)
    assert None in numbers
    assert "asked_by" not in released


def test_release_counts_what_the_worker_counted(
    people: tuple[Someone, Someone], analyst: Someone
) -> None:
    release(people)
    counts = generate_counts("api")[FIRST]

    for figures in read_latest(analyst)["figures"]:
        [table] = [one for one in figures["tables"] if one["table"] == "cases"]
        shown = table["cells"][0]["people"]
        if figures["country"] and shown is not None:
            real = counts[figures["country"], TableName.CASES].total()
            assert abs(shown - real) < 15


def test_second_person_sees_only_the_quarter(people: tuple[Someone, Someone]) -> None:
    one, second = people

    asked = get_approval_id(add(one, PATH, {"quarter": "2026Q1"}))
    shown = unwrap(second.get(f"/approvals/{asked}"))

    assert shown["request"]["after"] == {"quarter": "2026Q1"}
    assert shown["may_confirm"]
    assert set(shown["roles"]) == APPROVERS
    assert unwrap(second.get(PATH))["items"] == []


def test_one_person_alone_releases_nothing(people: tuple[Someone, Someone]) -> None:
    one, _ = people

    asked = get_approval_id(add(one, PATH, {"quarter": "2026Q1"}))

    answer = one.send(f"/approvals/{asked}/confirm")
    assert get_problem(answer) == (409, "not-a-second-person")
    repeated = add(one, PATH, {"quarter": "2026Q1"}, asked)
    assert get_problem(repeated) == (409, "approval-unusable")


def test_approved_release_is_carried_out_by_the_person_who_asked(
    people: tuple[Someone, Someone],
) -> None:
    one, second = people
    asked = get_approval_id(add(one, PATH, {"quarter": "2026Q1"}))
    unwrap(second.send(f"/approvals/{asked}/approve"))

    other = add(one, PATH, {"quarter": "2026Q2"}, asked)
    released = add(one, PATH, {"quarter": "2026Q1"}, asked)

    assert get_problem(other) == (409, "approval-unusable")
    assert released.status_code == 201
    assert unwrap(released) == read_latest(one)


def test_quarter_is_released_once_and_never_before_an_earlier_one(
    people: tuple[Someone, Someone],
) -> None:
    one, second = people
    early = get_approval_id(add(one, PATH, {"quarter": "2026Q1"}))
    release(people, SECOND)

    late = second.send(f"/approvals/{early}/confirm")

    assert get_problem(late) == (409, "action-not-possible")
    for quarter in (FIRST, SECOND):
        answer = add(one, PATH, {"quarter": str(quarter)})
        assert get_problem(answer) == (409, "quarter-released")


def test_quarter_whose_weeks_are_not_counted_is_refused(
    people: tuple[Someone, Someone],
) -> None:
    one, _ = people

    answer = add(one, PATH, {"quarter": "2026Q3"})

    assert get_problem(answer) == (409, "quarter-not-counted")
    assert "2026-10-12" in answer.json()["detail"]


def test_quarter_with_a_week_that_is_not_counted_is_refused(
    world: World, people: tuple[Someone, Someone]
) -> None:
    one, _ = people
    *_, before, last = Quarter(2026, 3).list_weeks()
    weekly_counts.store_counts(world.runtime, last, {})
    early = add(one, PATH, {"quarter": "2026Q3"})
    for week in Quarter(2026, 3).list_weeks():
        if week not in {before, last}:
            weekly_counts.store_counts(world.runtime, week, {})

    gap = add(one, PATH, {"quarter": "2026Q3"})
    weekly_counts.store_counts(world.runtime, before, {})

    assert get_problem(early) == get_problem(gap) == (409, "quarter-not-counted")
    assert add(one, PATH, {"quarter": "2026Q3"}).status_code == 202


def test_first_quarter_of_the_service_can_be_released(world: World) -> None:
    start = Quarter(2025, 2)
    for week in list(start.list_weeks())[5:]:
        weekly_counts.store_counts(world.runtime, week, {})
    one, _ = add_overseers(world)

    assert add(one, PATH, {"quarter": str(start)}).status_code == 202
    before = add(one, PATH, {"quarter": "2025Q1"})
    assert get_problem(before) == (409, "quarter-not-counted")


def test_only_oversight_releases_and_only_analysts_and_oversight_read(
    world: World, people: tuple[Someone, Someone], lead: Someone
) -> None:
    boss = world.add_person("KZ_LEAD", {Role.PROTECTION_OFFICER, Role.SUPERVISOR})
    for one in (boss, lead, people[1]):
        answer = add(one, PATH, {"quarter": "2026Q1"})
        assert get_problem(answer) == (403, "role-missing")
    release(people)

    assert get_problem(lead.get(PATH)) == (403, "role-missing")
    latest = read_latest(people[0])
    assert get_problem(lead.get(f"{PATH}/{latest['id']}")) == (403, "role-missing")


def test_retry_gets_the_approval_and_then_the_release(
    people: tuple[Someone, Someone],
) -> None:
    one, second = people
    key = "release-2026Q1"
    asked = one.send(PATH, {"quarter": "2026Q1"}, idempotency_key=key)
    unwrap(second.send(f"/approvals/{asked.json()['id']}/confirm"))

    retried = one.send(PATH, {"quarter": "2026Q1"}, idempotency_key=key)

    assert (asked.status_code, retried.status_code) == (202, 202)
    assert retried.json()["decision"] == "used"


def test_stored_release_can_be_neither_changed_nor_deleted(
    world: World, people: tuple[Someone, Someone]
) -> None:
    release(people)

    for statement in (
        "UPDATE figure_release SET year = 2000",
        "DELETE FROM figure_release",
    ):
        with pytest.raises(DBAPIError), world.database.begin_write() as session:
            session.execute(text(statement))


def test_content_holds_no_number_that_is_not_shown(
    world: World, people: tuple[Someone, Someone], analyst: Someone
) -> None:
    release(people)

    with world.database.begin_read() as session:
        [stored] = session.execute(text("SELECT content FROM figure_release")).scalars()
    content = json.loads(stored) if isinstance(stored, str) else stored

    assert content["figures"] == read_latest(analyst)["figures"]


def test_preview_says_how_many_numbers_would_be_shown_and_releases_nothing(
    world: World, people: tuple[Someone, Someone], analyst: Someone
) -> None:
    found: list[Figures] = []

    steps = list(operator_actions.simulate_release(world.runtime, FIRST, found))
    lines = list(operator_actions.describe_simulation(found))

    assert unwrap(analyst.get(PATH))["items"] == []
    assert steps[-1] == (len(steps), len(steps)) == (14, 14)
    release(people)
    expected = []
    for country in read_latest(analyst)["figures"]:
        numbers = list(list_numbers({"figures": [country]}))
        hidden = numbers.count(None)
        shown = len(numbers) - hidden
        place = country["country"] or "All countries"
        expected.append(
            f"{place}, 2026Q1: {shown} numbers would be shown, {hidden} would not."
        )
    assert lines == expected != []


def test_preview_of_a_quarter_that_is_not_counted_is_refused(world: World) -> None:
    with pytest.raises(QuarterNotCounted):
        list(operator_actions.simulate_release(world.runtime, Quarter(2026, 3), []))
