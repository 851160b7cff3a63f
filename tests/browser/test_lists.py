"""Tests that lists record nothing, and that the page of a case records its retrieval."""

from typing import Any, Final

import pytest

from tests.browser.cases import (
    ALIAS,
    LEAD,
    NEEDED,
    OFFICER,
    SHELTER,
    SUPERVISOR,
    Casework,
)
from tests.browser.conftest import OpenAs

MORE_LISTS: Final = ("/console/cases?sent=true",)
"""Lists that are not in the menu."""
PEOPLE: Final = (LEAD, OFFICER, SHELTER, SUPERVISOR)
RETRIEVED: Final = "retrieved"


def list_statuses(evidence: Any) -> list[list[str]]:
    """Return the names of the statuses that each recipient has reached."""
    return [[one["name"] for one in item["statuses"]] for item in evidence["items"]]


@pytest.mark.parametrize("label", PEOPLE)
def test_drawing_any_list_leaves_evidence_as_it_was(
    open_as: OpenAs, casework: Casework, label: str
) -> None:
    waiting, led = casework.submit(), casework.submit_led()
    referral = casework.refer(led)
    window = open_as(label)

    def read_evidence() -> list[Any]:
        paths = (f"/cases/{waiting}", f"/cases/{led}", f"/referrals/{referral}")
        return [casework.lead.get(f"{path}/evidence") for path in paths]

    before = read_evidence()
    window.visit("/console/")
    lists = [*window.list_menu(), *MORE_LISTS]
    assert "/console/cases" in lists
    for path in lists:
        assert window.visit(path).status == 200, path
        content = window.page.content()
        assert ALIAS not in content, path
        assert NEEDED not in content, path

    assert read_evidence() == before


def test_opening_a_case_marks_it_retrieved_once(
    open_as: OpenAs, casework: Casework
) -> None:
    code = casework.submit()
    before = casework.read_evidence(code)
    window = open_as(LEAD)
    window.visit("/console/cases")
    between = casework.read_evidence(code)
    window.visit(f"/console/cases/{code}")
    after = casework.read_evidence(code)
    window.visit(f"/console/cases/{code}")
    again = casework.read_evidence(code)

    assert RETRIEVED not in list_statuses(before)[0]
    assert between == before
    assert list_statuses(after)[0] == [*list_statuses(before)[0], RETRIEVED]
    assert again == after
