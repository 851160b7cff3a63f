"""Every page of the console passes the checks of tests/browser/windows.py at two widths."""

from typing import Final

import pytest

from tests.browser.cases import LEAD, OFFICER, SHELTER, SUPERVISOR, Casework
from tests.browser.conftest import OpenAs, OpenWindow
from tests.browser.windows import WIDTHS

type Records = dict[str, str]

PUBLIC: Final = {
    "sign-in": "/console/sign-in",
    "signed-out": "/console/sign-in?signed-out",
    "session-ended": "/console/ended",
}
PAGES: Final = {
    "to-do": (LEAD, "/console/"),
    "to-do-shelter": (SHELTER, "/console/"),
    "to-do-officer": (OFFICER, "/console/"),
    "to-do-supervisor": (SUPERVISOR, "/console/"),
    "cases": (LEAD, "/console/cases"),
    "cases-sent": (OFFICER, "/console/cases?sent=true"),
    "case-new": (LEAD, "/console/cases/{new}"),
    "case-acknowledged": (LEAD, "/console/cases/{acknowledged}"),
    "case-led": (LEAD, "/console/cases/{led}"),
    "case-sent": (OFFICER, "/console/cases/{led}"),
    "case-shelter": (SHELTER, "/console/cases/{led}"),
    "gone": (LEAD, "/console/cases/SC-AAAA-AAAA-AAAA-A"),
}
"""The person who opens a page, and its path with the name of a record."""
GONE: Final = frozenset({"gone"})


@pytest.fixture(scope="session")
def records(casework: Casework) -> Records:
    """Return the codes and ids of records that the pages show."""
    led = casework.submit_led()
    return {
        "new": casework.submit(),
        "acknowledged": casework.submit_acknowledged(),
        "led": led,
        "referral": casework.refer(led),
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PUBLIC)
def test_a_page_for_anyone_has_no_fault(
    open_window: OpenWindow, name: str, width: int
) -> None:
    window = open_window(width)
    window.visit(PUBLIC[name])
    window.check(name)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault(
    open_as: OpenAs, records: Records, name: str, width: int
) -> None:
    label, path = PAGES[name]
    window = open_as(label, width)
    answer = window.visit(path.format(**records))
    assert answer.status == (404 if name in GONE else 200)
    window.check(name)
