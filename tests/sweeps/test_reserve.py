"""When only the disk reserve is left, only the operations that can wait are refused.

Every operation that writes or opens something is called with a reserve that is larger than
any disk. `WAITS` repeats the list of the operations that can wait, so that adding one takes
two deliberate edits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.kernel.free_space import DiskSpaceReserved, FreeSpace, Place
from tests.databases.failpoints.copies import changed
from tests.databases.failpoints.stories import STORIES
from tests.databases.failpoints.sweeping import Sweep, sweeping
from tests.support.databases import Copy
from tests.support.operation_calls import ALL, get_problem_name
from tests.support.world import Someone, World, get_problem, make_case, unwrap

pytestmark = pytest.mark.slow
WAITS = {
    "create_case",
    "write_section.identity",
    "write_section.narrative",
    "write_section.indicators",
    "write_section.perpetrators",
    "record_screening",
    "save_form_draft",
    "save_unsent_form",
    "record_refusal",
    "export_case",
}
RESERVED = (503, "disk-space-reserved")
ALL_OF_IT = 2**62
"""More bytes than a file system has."""


@contextmanager
def simulate_reserve(
    world: World, *files: Path, reserve: int = ALL_OF_IT
) -> Iterator[None]:
    """Set a reserve larger than the free space, by default on the database's disk."""
    [path] = files or [Path(str(world.database.engine.url.database))]
    space = FreeSpace({Place.DATABASE: path}, reserve=reserve)
    world.app.state.runtime = replace(world.runtime, free_space=space)
    try:
        yield
    finally:
        world.app.state.runtime = world.runtime


@pytest.fixture(scope="module")
def sqlite_tried(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sweep]:
    folder = tmp_path_factory.mktemp("copies")
    with copy() as url, sweeping(url, app, folder, STORIES) as sweep:
        yield sweep


@pytest.mark.sweep
@pytest.mark.parametrize("name", STORIES)
def test_only_what_can_wait_is_refused_to_keep_the_reserve(
    name: str, sqlite_tried: Sweep
) -> None:
    copies, wire = sqlite_tried.copies, sqlite_tried.scene.wire
    copies.back("begun")
    call = STORIES[name](sqlite_tried.scene)
    before = copies.rows()

    with simulate_reserve(wire.world):
        answer = call.send(wire)
    after = copies.rows()
    again = call.send(wire) if name in WAITS else answer

    assert again.status < 300, again.content
    assert (answer.status >= 300) is (name in WAITS), answer.content
    if name in WAITS:
        assert (answer.status, get_problem_name(answer)) == RESERVED
        assert answer["retry-after"] == "60"
        assert changed(before, after) == []


def test_the_contract_says_of_which_operations_that_is() -> None:
    listed = f"- `{DiskSpaceReserved.code}`: "
    operations = {
        one.name
        for one in ALL
        if listed in one.spec["responses"].get("503", {}).get("description", "")
    }

    assert operations == {name.partition(".")[0] for name in WAITS}


@pytest.mark.usefixtures("sqlite_url")
def test_a_draft_in_vital_interest_and_a_retry_are_not_refused(officer: Someone) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
    drafted = unwrap(officer.create("/cases", make_case(), "once"))

    with simulate_reserve(officer.world):
        refused = get_problem(officer.create("/cases", make_case()))
        retried = officer.create("/cases", make_case(), "once")
        in_danger = officer.create("/cases", make_case(vital_interest=vital))
        submitted = officer.does("submit", drafted)

    assert refused == RESERVED
    assert (retried.status_code, retried.json()["code"]) == (201, drafted["code"])
    assert (in_danger.status_code, submitted.status_code) == (201, 200)


@pytest.mark.usefixtures("sqlite_url")
def test_above_the_reserve_and_where_nobody_knows_nothing_is_refused(
    officer: Someone, tmp_path: Path
) -> None:
    with simulate_reserve(officer.world, reserve=1):
        above = officer.create("/cases", make_case())
    with simulate_reserve(officer.world, tmp_path / "gone" / "own.db"):
        unknown = officer.create("/cases", make_case())

    assert (above.status_code, unknown.status_code) == (201, 201)
