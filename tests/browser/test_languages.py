"""Tests that translated pages have no fault, above all on a narrow telephone."""

import pytest

from tests.browser.cases import Records
from tests.browser.conftest import OpenAs
from tests.browser.pages import PAGES
from tests.browser.windows import NARROW, WIDE

LANGUAGES = ("ru", "es", "fr", "uz")
SHOWN = ("to-do", "case-acknowledged", "ask", "settings")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_a_language_have_no_fault(
    open_as: OpenAs, records: Records, language: str
) -> None:
    window = open_as(PAGES[SHOWN[0]][0], NARROW, locale=language)
    for name in SHOWN:
        window.visit(PAGES[name][1].format(**records))
        assert window.page.locator("html").get_attribute("lang") == language
        window.check(f"{name}-{language}")


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("language", LANGUAGES)
def test_report_for_the_meeting_has_no_fault_in_any_language(
    open_as: OpenAs, language: str, width: int
) -> None:
    person, path = PAGES["report"]
    window = open_as(person, width, locale=language)
    window.visit(path)
    window.check(f"report-{language}")
