"""Follow-up points of meetings: their authors, and the open points in later reports."""

from typing import Final

import pytest

from app.figures import point_actions
from app.figures.point_queries import LISTED
from app.kernel.actors import Role
from tests.support.databases import ask
from tests.support.figure_releases import POINTS, add_overseers, list_points, write_point
from tests.support.request_bodies import BODIES
from tests.support.world import Json, Someone, World, get_problem, unwrap

BODY: Final = BODIES["write_meeting_point"]
REPORT: Final = "/figures/report"


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", {Role.COORDINATOR})


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def list_reported(reader: Someone) -> list[Json]:
    found: list[Json] = unwrap(reader.get(REPORT))["points"]
    return found


def test_point_is_in_the_list_and_in_the_report(desk: Someone, analyst: Someone) -> None:
    written = unwrap(desk.create(POINTS, BODY))

    assert written["focal_point"] == "DESK_CENTRAL_ASIA"
    assert list_points(analyst) == list_points(desk) == [written]
    assert list_reported(analyst) == [BODY | {"completed_at": None}]


def test_open_points_are_carried_on_and_done_ones_are_not(
    world: World, desk: Someone, analyst: Someone
) -> None:
    done, still_open = write_point(world, text="First"), write_point(world, text="Second")
    completed = unwrap(desk.send(f"{POINTS}/{done}/complete"))
    assert completed["completed_at"]
    texts = [point["text"] for point in list_reported(analyst)]

    world.advance(days=400)
    later = list_reported(analyst)
    world.advance(days=LISTED.days)

    assert texts == ["Second", "First"]
    assert [point["text"] for point in later] == ["Second"]
    assert [point["id"] for point in list_points(desk)] == [still_open]


def test_completing_again_changes_nothing(world: World, desk: Someone) -> None:
    path = f"{POINTS}/{write_point(world)}/complete"
    first = unwrap(desk.send(path))
    world.advance(days=1)

    assert unwrap(desk.send(path)) == first


def test_desks_and_oversight_write_and_others_do_not(
    world: World, desk: Someone, analyst: Someone, lead: Someone
) -> None:
    identity = write_point(world)
    officer = world.add_person("DESK_CENTRAL_ASIA", {Role.CASEWORKER})
    for one in (analyst, lead, officer):
        answers = (
            one.create(POINTS, BODY),
            one.send(f"{POINTS}/{identity}/complete"),
            one.ask("DELETE", f"{POINTS}/{identity}"),
        )
        assert {get_problem(answer)[0] for answer in answers} == {403}
    for one in (desk, *add_overseers(world)):
        assert desk.create(POINTS, BODY).status_code == 201
        assert one.send(f"{POINTS}/{identity}/complete").status_code == 200
    assert get_problem(lead.get(POINTS)) == (403, "role-missing")


def test_deleted_point_is_gone(world: World, desk: Someone, analyst: Someone) -> None:
    path = f"{POINTS}/{write_point(world)}"

    answers = [desk.ask("DELETE", path) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert list_points(analyst) == list_reported(analyst) == []
    assert get_problem(desk.send(f"{path}/complete")) == (404, "not-found")
    assert ask(world.url, "SELECT count(*) FROM meeting_point") == [(0,)]


def test_open_points_are_limited(
    world: World, desk: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_actions, "MAX_OPEN", 2)
    first = write_point(world)
    write_point(world)

    refused = desk.create(POINTS, BODY)
    unwrap(desk.send(f"{POINTS}/{first}/complete"))

    assert get_problem(refused) == (409, "too-many-meeting-points")
    assert desk.create(POINTS, BODY).status_code == 201


def test_retry_writes_one_point(desk: Someone) -> None:
    answers = [desk.create(POINTS, BODY, key="meeting-of-may") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(list_points(desk)) == 1


@pytest.mark.parametrize("text", ["Two\nlines", "", "x" * 201])
def test_text_that_is_not_one_short_line_is_refused(desk: Someone, text: str) -> None:
    assert desk.create(POINTS, BODY | {"text": text}).status_code == 422


def test_text_is_sealed_and_its_length_is_hidden(world: World) -> None:
    write_point(world, text="Gulnora")
    write_point(world, text="A much longer text about shelters " * 5)

    rows = ask(world.url, "SELECT * FROM meeting_point")
    lengths = ask(world.url, "SELECT DISTINCT length(sealed) FROM meeting_point")

    assert len(rows) == 2
    assert "Gulnora" not in str(rows)
    assert len(lengths) == 1


def test_text_of_a_moved_row_cannot_be_opened(world: World, desk: Someone) -> None:
    write_point(world)
    ask(world.url, "UPDATE meeting_point SET meeting = '2026-05-21'")

    assert [point["text"] for point in list_points(desk)] == [None]
    assert list_reported(add_overseers(world)[0]) == []
