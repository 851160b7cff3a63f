"""People of a test world are copied only into worlds in which their rows are valid."""

from fastapi import FastAPI

from app.access.row_protection import create_macs
from app.kernel.actors import Role
from app.kernel.file_keys import FileKeys
from tests.support.databases import Copy
from tests.support.in_thread import ThreadLoops
from tests.support.world import World

OFFICE = "OVERSIGHT_DEMO"
USUAL, UNUSUAL = {Role.OFFICER, Role.ANALYST}, {Role.CASEWORKER, Role.ANALYST}
"""Roles with which no other test adds a person to this office."""


def sign_in(url: str, app: FastAPI, loop: ThreadLoops, roles: set[Role]) -> list[int]:
    """Add two people to a new world, and return the status of a request by each."""
    world = World(url, app, loop)
    people = [world.add_person(OFFICE, roles) for _ in range(2)]
    found = [one.get("/me").status_code for one in people]
    assert len({one.key for one in people}) == len(people)
    world.close()
    return found


def test_people_of_usual_worlds_can_sign_in(
    copy: Copy, app: FastAPI, loop: ThreadLoops
) -> None:
    for _ in range(2):
        with copy() as url:
            assert sign_in(url, app, loop, USUAL) == [200, 200]


def test_person_with_rows_of_another_key_or_without_macs_is_not_copied(
    copy: Copy, app: FastAPI, loop: ThreadLoops
) -> None:
    with copy() as url:
        world = World(url, app, loop)
        other = FileKeys({"other": bytes(32)})
        world.database.macs = create_macs(other, lambda: world.now)
        world.add_person(OFFICE, UNUSUAL)
        world.database.macs = world.macs
        world.macs.is_disabled = True
        world.add_person(OFFICE, UNUSUAL)
        world.close()

    with copy() as url:
        assert sign_in(url, app, loop, UNUSUAL) == [200, 200]
