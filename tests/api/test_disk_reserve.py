"""When only the disk reserve is left, data that keeps a person safe is still written."""

from pathlib import Path
from typing import Final

import pytest

from app.cases.sections import Section
from tests.support.disk_reserve import RESERVED, simulate_reserve
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    make_case,
    unwrap,
)

SECTIONS: Final[dict[Section, Json]] = {
    Section.NEEDS: {"summary": "A bed"},
    Section.CONTACT: {"alias": "Айгерім", "safe_channel": "Signal"},
    Section.HEALTH: {"text": "Insulin"},
    Section.IDENTITY: {"names": ["Айгерім Сапарова"]},
    Section.NARRATIVE: {"text": "She was promised work in a café."},
    Section.INDICATORS: {"remarks": "No passport"},
    Section.PERPETRATORS: {"text": "Two men"},
}
WAIT: Final = set(Section) - {Section.NEEDS, Section.CONTACT, Section.HEALTH}
"""The sections that are not needed to keep a person safe."""


@pytest.mark.usefixtures("sqlite_url")
def test_sections_that_can_wait_are_refused_and_others_are_written(
    officer: Someone,
) -> None:
    case = officer.submit()
    refused = set()
    for section, content in SECTIONS.items():
        body = {"section": section, **content}
        match = {"If-Match": officer.get_tag(case)}
        with simulate_reserve(officer.world):
            answer = officer.ask(
                "PUT", f"{get_path(case)}/sections/{section}", body, headers=match
            )
        if answer.status_code != 200:
            assert get_problem(answer) == RESERVED
            refused.add(section)

    assert refused == WAIT


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
