"""If conflicting changes of the directory coincide, one succeeds and one is refused."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.administration.directory_load import load
from app.directory.actions import get_standard_data
from app.directory.history import ChangeAuthor
from app.directory.models import FocalPoint
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    OFFICE,
    approve,
    list_changes,
    replace_row,
    update_row,
    update_row_with,
)
from tests.support.effort import choose_number
from tests.support.servers import Served, retry_as_told, run_together, serve_world
from tests.support.world import NOON, Json, Someone, get_problem, unwrap

pytestmark = pytest.mark.race
ROUNDS = choose_number(5, sample=3, night=200)
SHELTER = "/focal-points/KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made


@pytest.fixture
def admin(world: Served) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def colleague(world: Served) -> Someone:
    return world.add_person("KZ_LEAD", ADMINISTRATOR)


@pytest.fixture
def second(world: Served) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def run_race(*acts: Callable[[], Response]) -> list[tuple[int, str]]:
    """Run actions at once; return the sorted statuses, each with its problem, if any."""
    answers = run_together(*(partial(retry_as_told, act) for act in acts))
    return sorted((a.status_code, "") if a.is_success else get_problem(a) for a in answers)


def test_of_two_who_replace_a_row_one_has_read_it_too_early(
    admin: Someone, colleague: Someone
) -> None:
    for turn in range(ROUNDS):
        read = admin.get(SHELTER)
        tag, body = read.headers["ETag"], unwrap(read)
        mine, its = (body | {"as_of": f"{turn} {who}"} for who in ("mine", "its"))

        answers = run_race(
            partial(replace_row, admin, SHELTER, mine, if_match=tag),
            partial(replace_row, colleague, SHELTER, its, if_match=tag),
        )

        assert answers == [(200, ""), (412, "version-stale")]
        assert unwrap(admin.get(SHELTER)) in (mine, its)
    kept = list_changes(admin, "focal-points/KZ_SHELTER_KOGERSHIN")
    assert len(kept) == 1 + ROUNDS
    for before, after in pairwise(kept):
        assert after["before"] == before["after"]


def test_of_two_who_make_a_row_one_comes_second(admin: Someone, colleague: Someone) -> None:
    for turn in range(ROUNDS):
        code = f"KZ_NEW_{turn}"
        path, body = f"/focal-points/{code}", OFFICE | {"code": code}

        answers = run_race(
            partial(replace_row, admin, path, body, **NEW),
            partial(replace_row, colleague, path, body, **NEW),
        )

        assert answers == [(201, ""), (412, "version-stale")]
        assert len(list_changes(admin, f"focal-points/{code}")) == 1


def build_desk(code: str) -> Json:
    served = ["UZ", "KZ", "KG", "TJ", "TM", "AF"]
    kind = {"kind": "desk", "function": "coordination", "services": []}
    return OFFICE | kind | {"code": code, "serves": served, "active": True}


def test_two_desks_of_a_region_are_not_shut_at_once(
    admin: Someone, colleague: Someone, second: Someone
) -> None:
    path, old = "/focal-points/DESK_TWO", "/focal-points/DESK_CENTRAL_ASIA"
    approval = approve(replace_row(admin, path, build_desk("DESK_TWO"), **NEW), second)
    unwrap(replace_row(admin, path, build_desk("DESK_TWO"), **NEW, approval=approval))
    one = approve(update_row(admin, path, active=False), second)
    two = approve(update_row(colleague, old, active=False), second)

    answers = run_race(
        partial(update_row, admin, path, one, active=False),
        partial(update_row, colleague, old, two, active=False),
    )

    assert answers == [(200, ""), (409, "directory-unsound")]


def test_an_approval_is_spent_by_one_of_two(admin: Someone, second: Someone) -> None:
    approval = approve(update_row(admin, SHELTER, can_lead=True), second)
    read = admin.get(SHELTER)
    body, tag = unwrap(read) | {"can_lead": True}, read.headers["ETag"]
    act = partial(replace_row, admin, SHELTER, body, if_match=tag, approval=approval)

    assert run_race(act, act) == [(200, ""), (412, "version-stale")]
    assert len(list_changes(admin, "focal-points/KZ_SHELTER_KOGERSHIN")) == 2


def test_report_at_the_same_time_as_fewer_places_is_limited_or_refused(
    world: Served, admin: Someone, second: Someone
) -> None:
    shelter = world.add_person("KZ_SHELTER_KOGERSHIN")
    kept = select(FocalPoint.capacity).where(FocalPoint.code == shelter.code)
    for _ in range(ROUNDS):
        approval = approve(update_row(admin, SHELTER, places=5), second)

        answers = run_race(
            partial(update_row, admin, SHELTER, approval, places=5),
            partial(shelter.ask, "PUT", f"{SHELTER}/capacity", {"free": 20}),
        )

        assert answers[0] == (200, "")
        assert answers[1] in {(200, ""), (422, "too-many-free-places")}
        with world.database.begin_read() as session:
            assert (session.scalar(kept) or 0) <= 5  # the new places
        update_row_with(admin, second, SHELTER, places=20)


def test_files_are_loaded_before_or_after_and_never_in_between(
    world: Served, admin: Someone
) -> None:
    path = "/focal-points/UZ_LEAD"

    def reload() -> Response:
        with world.database.begin_write() as session:
            load(ChangeAuthor(session, world.runtime.ids, NOON), get_standard_data())
        return admin.get(path)

    for turn in range(ROUNDS):
        read = admin.get(path)
        body, tag = unwrap(read) | {"as_of": str(turn)}, read.headers["ETag"]
        run_together(partial(replace_row, admin, path, body, if_match=tag), reload)

    kept = list_changes(admin, "focal-points/UZ_LEAD")
    assert kept[-1]["after"] == unwrap(admin.get(path))
    for before, after in pairwise(kept):
        assert after["before"] == before["after"]
