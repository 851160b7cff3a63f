"""Tests that typed text is stored sealed on the server, and never in the browser."""

from typing import Final

from playwright.sync_api import expect

from tests.browser.cases import OFFICER
from tests.browser.conftest import OpenAs
from tests.browser.test_signing_in import READ_STORAGE
from tests.browser.windows import NARROW, Window

FIRST, NEEDS = "/console/refer/1", "/console/refer/3"
TYPED: Final = "A doctor tonight (synthetic)"
READ_DATABASES: Final = "async () => (await indexedDB.databases()).length"
"""A script that returns the number of databases that a page has in the browser."""


def discard_draft(window: Window) -> None:
    """Discard the draft of the person, which an earlier test may have left."""
    window.visit("/console/refer/discard")
    window.press("Discard it")


def expect_saved(window: Window) -> None:
    """Wait until the page says that the typed text is saved."""
    expect(window.page.locator("#saved")).to_contain_text("Saved at")


def test_typed_text_is_saved_after_a_pause_and_survives_signing_out(
    open_as: OpenAs,
) -> None:
    window = open_as(OFFICER, NARROW)
    discard_draft(window)
    window.visit(NEEDS)
    window.fill("needs/summary", TYPED)
    expect_saved(window)
    storage = window.page.evaluate(READ_STORAGE)
    databases = window.page.evaluate(READ_DATABASES)
    window.follow(window.page.get_by_role("button", name="Sign out", exact=True))
    again = open_as(OFFICER, NARROW)
    again.visit(NEEDS)

    assert (storage, databases) == ([0, 0], 0)
    expect(again.page.locator('[name="needs/summary"]')).to_have_value(TYPED)
    discard_draft(again)
    again.visit(NEEDS)
    expect(again.page.locator('[name="needs/summary"]')).to_have_value("")


def test_page_says_that_nothing_was_saved_without_a_connection(open_as: OpenAs) -> None:
    window = open_as(OFFICER, NARROW)
    discard_draft(window)
    window.visit(NEEDS)
    window.context.set_offline(True)
    window.fill("needs/summary", TYPED)
    expect(window.page.locator("#saved")).to_contain_text("Not saved")
    window.context.set_offline(False)
    window.fill("needs/summary", f"{TYPED}.")
    expect_saved(window)
    discard_draft(window)


def test_draft_of_one_person_is_not_shown_to_another(open_as: OpenAs) -> None:
    window = open_as(OFFICER, NARROW)
    discard_draft(window)
    window.visit(NEEDS)
    window.fill("needs/summary", TYPED)
    expect_saved(window)
    other = open_as("demo consul of Honduras", NARROW)
    other.visit(NEEDS)

    assert TYPED not in other.page.content()
    discard_draft(window)
