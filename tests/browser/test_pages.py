"""Tests that each page of the console passes the checks of `windows.py` at two widths."""

import pytest

from tests.browser.cases import OFFICER, Records
from tests.browser.conftest import OpenAs, OpenWindow
from tests.browser.demonstration import Demonstration
from tests.browser.pages import GONE, PAGES, PUBLIC
from tests.browser.referring import GO_ON, refer_person
from tests.browser.windows import WIDTHS

BOTH = pytest.mark.parametrize("width", WIDTHS)


@BOTH
@pytest.mark.parametrize("name", PUBLIC)
def test_a_page_for_anyone_has_no_fault(
    open_window: OpenWindow, demonstration: Demonstration, name: str, width: int
) -> None:
    window = open_window(width)
    answer = window.visit(PUBLIC[name].format(demo=demonstration.link))

    assert answer.ok or name == "session-ended", answer.status
    window.check(name)


@BOTH
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault(
    visit_as: OpenAs, records: Records, name: str, width: int
) -> None:
    label, path = PAGES[name]
    window = visit_as(label, width)
    answer = window.visit(path.format(**records))

    assert answer.status == (404 if name in GONE else 200)
    window.check(name)


@BOTH
def test_each_step_of_a_referral_has_no_fault(visit_as: OpenAs, width: int) -> None:
    window = visit_as(OFFICER, width)
    window.visit("/console/refer/1")
    window.press(GO_ON)
    window.check("refer-errors")
    refer_person(window, show=window.check)
