"""Every page of the console passes the checks of tests/browser/windows.py at two widths."""

import pytest

from tests.browser.cases import Records
from tests.browser.conftest import OpenAs, OpenWindow
from tests.browser.pages import GONE, PAGES, PUBLIC
from tests.browser.windows import WIDTHS


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
