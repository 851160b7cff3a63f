"""Tests of free places: an office reports the number, and no other office can read it."""

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.directory.models import FocalPoint
from app.kernel.actors import Role, Scope
from tests.support.world import EVERYTHING, Someone, World, get_problem, unwrap

SHELTER = "KZ_SHELTER_KOGERSHIN"


def put_capacity(who: Someone, free: object, of: str = SHELTER, key: str = "") -> Response:
    headers = {"Idempotency_Key": key} if key else {}
    return who.ask("PUT", f"/focal-points/{of}/capacity", {"free": free}, headers=headers)


def get_stored_capacity(world: World, code: str = SHELTER) -> int | None:
    with world.database.begin_read() as session:
        of = select(FocalPoint.capacity).where(FocalPoint.code == code)
        return session.scalars(of).one()


@pytest.mark.parametrize("free", [0, 3, 3.0, 20, None])
def test_an_office_says_how_many_places_it_has_and_as_of_now(
    world: World, shelter: Someone, free: float | None
) -> None:
    world.advance(hours=1)

    stored = unwrap(put_capacity(shelter, free))

    assert stored == {"focal_point": SHELTER, "free": free, "as_of": "2026-06-01T13:00:00Z"}
    assert get_stored_capacity(world) == free


@pytest.mark.parametrize("free", [-1, 100_001, "3", 3.5, -3.0, True, [3]])
def test_what_is_no_number_of_places_is_refused(
    world: World, shelter: Someone, free: object
) -> None:
    assert put_capacity(shelter, free).status_code == 422
    assert get_stored_capacity(world) is None


def test_the_number_must_be_there(shelter: Someone) -> None:
    answer = shelter.ask("PUT", f"/focal-points/{SHELTER}/capacity", {})

    assert answer.status_code == 422


def test_nobody_speaks_for_another_office(world: World, lead: Someone) -> None:
    assert get_problem(put_capacity(lead, 0)) == (403, "action-not-yours")
    assert get_problem(put_capacity(lead, 0, of="NOBODY")) == (404, "not-found")
    assert get_stored_capacity(world) is None


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.CASEWORKER, True),
        (Role.COORDINATOR, True),
        (Role.OFFICER, False),
        (Role.SUPERVISOR, False),
        (Role.PROTECTION_OFFICER, False),
    ],
)
def test_whoever_gives_places_away_says_how_many_there_are(
    world: World, role: Role, *, may: bool
) -> None:
    answer = put_capacity(world.add_person(SHELTER, {role}), 1)

    assert answer.is_success == may
    assert may or get_problem(answer) == (403, "role-missing")


def test_a_key_for_reading_the_directory_does_not_write_it(world: World) -> None:
    reader = world.add_person(SHELTER, scopes=EVERYTHING - {Scope.DIRECTORY_WRITE})
    machine = world.add_person(SHELTER, scopes={Scope.DIRECTORY_WRITE})

    assert get_problem(put_capacity(reader, 1)) == (403, "forbidden")
    assert put_capacity(machine, 1).is_success
    assert get_problem(machine.get("/cases")) == (403, "forbidden")


def test_a_retry_that_comes_late_does_not_bring_back_an_older_number(
    world: World, shelter: Someone
) -> None:
    unwrap(put_capacity(shelter, 3, key="monday"))
    unwrap(put_capacity(shelter, 2, key="tuesday"))

    late = put_capacity(shelter, 3, key="monday")

    assert unwrap(late)["free"] == 2
    assert late.headers["Idempotent-Replayed"] == "true"
    assert get_problem(put_capacity(shelter, 9, key="monday")) == (
        422,
        "idempotency-key-reused",
    )
    assert get_stored_capacity(world) == 2


def test_nobody_can_watch_a_shelter_fill(world: World, stranger: Someone) -> None:
    shelter = world.add_person(SHELTER)
    lists = ("/focal-points?limit=200", f"/focal-points/{SHELTER}", "/countries")
    before = [stranger.get(path).content for path in lists]
    tried = stranger.send("/routing", QUESTION).content

    unwrap(put_capacity(shelter, 0))

    assert [stranger.get(path).content for path in lists] == before
    assert stranger.send("/routing", QUESTION).content == tried


QUESTION = {
    "country": "KZ",
    "age_class": "adult",
    "language": "uz",
    "priority": "emergency",
    "services": ["SHELTER"],
}
