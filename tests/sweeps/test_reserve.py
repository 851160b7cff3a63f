"""When only the disk reserve is left, only the operations that can wait are refused.

Every operation that writes or opens something is called with a reserve that is larger than
any disk. `WAITS` repeats the list of the operations that can wait, so that adding one takes
two deliberate edits.
"""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from app.kernel.free_space import DiskSpaceReserved
from tests.databases.failpoints.copies import changed
from tests.databases.failpoints.stories import STORIES
from tests.databases.failpoints.sweeping import Sweep, sweeping
from tests.support.databases import Copy
from tests.support.disk_reserve import RESERVED, simulate_reserve
from tests.support.operation_calls import ALL, get_problem_name

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
