"""Tests that a typed form is not lost if the session ends, and is sent once afterwards."""

from typing import Final

from playwright.sync_api import Locator, expect

from tests.browser.cases import LEAD, Casework
from tests.browser.conftest import Invite, OpenAs, OpenWindow
from tests.browser.demonstration import Demonstration
from tests.browser.passkeys import add_authenticator, enrol
from tests.browser.test_signing_in import ELSEWHERE, READ_STORAGE, show_elsewhere
from tests.browser.windows import NARROW, Window

TYPED: Final = "Which hospital is it? (synthetic)"
KEPT: Final = "What you typed is kept sealed"
LET_TIME_PASS: Final = """() => {
  document.querySelector('dialog#ending').dataset.seconds = 0;
  dispatchEvent(new Event('session-renewed'));
}"""
"""A script that runs the timer of the page as if nobody had used it for 15 minutes."""


def end_newest_session(served: Demonstration) -> None:
    """End the newest session, as if it had not been used for 20 minutes."""
    served.make_sessions_older("seen_at", minutes=20, which="newest")


def find_question(window: Window) -> Locator:
    """Return the field of the question to the office that sent the case."""
    return window.page.locator('textarea[name="question"]')


def type_question(window: Window, code: str) -> Locator:
    """Type a question, without sending it, and return the button that sends it."""
    window.visit(f"/console/cases/{code}/actions/ask_submitter")
    window.page.locator('input[name="topics"]').first.check()
    find_question(window).fill(TYPED)
    return find_sender(window)


def find_sender(window: Window) -> Locator:
    """Return the button that sends the form of an action."""
    return window.page.locator("form.card button.btn")


def count_questions(served: Demonstration, code: str) -> int:
    """Return the number of questions about a case."""
    asked = served.get_client(LEAD).get(f"/cases/{code}/questions")["items"]
    return len(asked)


def test_form_of_an_ended_session_is_sent_once_after_signing_in_with_a_passkey(
    open_window: OpenWindow,
    invite: Invite,
    demonstration: Demonstration,
    casework: Casework,
) -> None:
    code = casework.submit_led()
    window = open_window(NARROW)
    add_authenticator(window)
    enrol(window, invite("KZ_LEAD", LEAD))
    window.page.wait_for_url("**/console/")
    button = type_question(window, code)
    end_newest_session(demonstration)

    window.follow(button)
    expect(window.page.locator("main")).to_contain_text(KEPT)
    assert TYPED not in window.page.content()
    window.check("session-ended-kept")
    assert window.page.evaluate(READ_STORAGE) == [0, 0]
    window.press("Sign in again")
    expect(window.page.locator("main")).to_contain_text(KEPT)
    window.page.get_by_role("button", name="Sign in with a passkey").click()
    window.page.wait_for_url("**/console/unsent/*")
    expect(find_question(window)).to_have_value(TYPED)
    window.check("unsent-form")
    assert count_questions(demonstration, code) == 0
    window.follow(find_sender(window))

    assert window.page.url.partition("?")[0].endswith(f"/console/cases/{code}")
    assert count_questions(demonstration, code) == 1
    window.visit("/console/unsent")
    assert window.page.url == f"{window.url}/console/"
    assert window.messages == []


def test_script_keeps_what_was_typed_when_nobody_uses_the_page(
    open_as: OpenAs, demonstration: Demonstration, casework: Casework
) -> None:
    code = casework.submit_led()
    window = open_as(LEAD, NARROW)
    type_question(window, code)
    with window.page.expect_navigation(url="**/console/ended*"):
        window.page.evaluate(LET_TIME_PASS)
    expect(window.page.locator("main")).to_contain_text(KEPT)

    window.sign_in(demonstration.link, LEAD)
    expect(find_question(window)).to_have_value(TYPED)
    window.follow(window.page.get_by_role("button", name="Discard it"))
    window.visit("/console/unsent")
    assert window.page.url == f"{window.url}/console/"
    assert count_questions(demonstration, code) == 0


def test_form_is_not_sent_without_a_connection_and_stays_on_the_page(
    open_as: OpenAs, demonstration: Demonstration, casework: Casework
) -> None:
    code = casework.submit_led()
    window = open_as(LEAD, NARROW)
    button = type_question(window, code)
    window.context.set_offline(True)
    button.click()

    expect(window.page.locator("#offline")).to_be_visible()
    expect(find_question(window)).to_have_value(TYPED)
    window.context.set_offline(False)
    window.follow(button)
    assert count_questions(demonstration, code) == 1


def test_script_works_in_a_browser_without_broadcast_channel(open_as: OpenAs) -> None:
    window = open_as(LEAD, NARROW)
    window.context.add_init_script("delete window.BroadcastChannel")
    window.visit("/console/settings")

    assert window.page.evaluate("() => 'BroadcastChannel' in window") is False
    expect(window.page.locator("html.js")).to_be_attached()
    assert window.messages == []


def test_shift_key_does_not_leave_the_page_after_it_was_switched_off(
    open_as: OpenAs,
) -> None:
    window = open_as(LEAD, NARROW)
    show_elsewhere(window)
    window.visit("/console/settings")
    window.page.locator("#shift").uncheck()
    window.follow(window.page.locator('form[action$="/settings/shift"] button'))
    for _ in range(3):
        window.page.keyboard.press("Shift")
    expect(window.page.locator("#shift")).not_to_be_checked()
    assert window.page.url == f"{window.url}/console/settings"

    window.page.locator("#shift").check()
    window.follow(window.page.locator('form[action$="/settings/shift"] button'))
    for _ in range(3):
        window.page.keyboard.press("Shift")
    window.page.wait_for_url(ELSEWHERE)
