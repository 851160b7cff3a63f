"""Tests of sign-in and sign-out, the time limit of a session, and the quick exit."""

import time
from typing import Final

import pytest
from playwright.sync_api import Route, expect

from tests.browser.cases import LEAD, Records
from tests.browser.conftest import OpenAs, OpenWindow
from tests.browser.demonstration import Demonstration
from tests.browser.windows import NARROW, Window, find_violations

COOKIE: Final = "__Host-sc"
ELSEWHERE: Final = "https://www.wikipedia.org/"
MOST_SECONDS: Final = 0.5
"""Maximum seconds until the quick exit shows another site."""
WARNED_AFTER, ENDED_AFTER = 14 * 60, 15 * 60
"""Seconds without a request after which the page warns, and after which it is left."""
WARNING_SECONDS: Final = ENDED_AFTER - WARNED_AFTER + 60
READ_STORAGE: Final = "[localStorage.length, sessionStorage.length]"


def read_session(window: Window) -> str:
    """Return the value of the session cookie, or an empty string if there is none."""
    found = [one["value"] for one in window.context.cookies() if one["name"] == COOKIE]
    return "".join(found)


def is_alive(served: Demonstration, session: str) -> bool:
    """Return whether the API accepts a session."""
    return served.build_client(session).call("GET", "/me").status == 200


def show_elsewhere(window: Window) -> None:
    """Serve a page in place of the site to which the quick exit leads."""

    def answer(route: Route) -> None:
        route.fulfill(body="<h1>Elsewhere</h1>", content_type="text/html")

    window.context.route(f"{ELSEWHERE}**", answer)


def require_no_data(window: Window, code: str) -> None:
    """Go back in the history, and check that the page does not contain the case code."""
    window.page.go_back(wait_until="load")
    window.page.wait_for_load_state("load")
    expect(window.page.locator("body")).not_to_contain_text(code)
    assert code not in window.page.content()


def test_cookie_of_a_session_is_for_this_site_only(open_as: OpenAs) -> None:
    window = open_as(LEAD)
    [cookie] = [one for one in window.context.cookies() if one["name"] == COOKIE]

    assert window.page.url == f"{window.url}/console/"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    assert cookie["expires"] == -1
    assert cookie["domain"] == "localhost"


def test_link_of_the_demonstration_with_another_secret_is_not_found(
    open_window: OpenWindow, demonstration: Demonstration
) -> None:
    window = open_window()

    assert window.visit(demonstration.link[:-1]).status == 404
    assert read_session(window) == ""


def test_page_without_a_session_leads_to_signing_in(
    open_window: OpenWindow, records: Records
) -> None:
    window = open_window()
    window.visit(f"/console/cases/{records['led']}")

    assert window.page.url == f"{window.url}/console/sign-in"


def test_way_back_after_signing_out_shows_no_data(
    open_as: OpenAs, records: Records, demonstration: Demonstration
) -> None:
    window, code = open_as(LEAD), records["led"]
    window.visit(f"/console/cases/{code}")
    session = read_session(window)
    assert is_alive(demonstration, session)
    window.follow(window.page.get_by_role("button", name="Sign out", exact=True))

    assert window.page.url == f"{window.url}/console/sign-in?signed-out"
    assert read_session(window) == ""
    assert not is_alive(demonstration, session)
    require_no_data(window, code)


def test_quick_exit_leaves_within_half_a_second_and_ends_the_session(
    open_as: OpenAs, records: Records, demonstration: Demonstration
) -> None:
    window, code = open_as(LEAD, NARROW), records["led"]
    show_elsewhere(window)
    window.visit(f"/console/cases/{code}")
    session, storage = read_session(window), window.page.evaluate(READ_STORAGE)
    began = time.monotonic()
    for _ in range(3):
        window.page.keyboard.press("Shift")
    window.page.wait_for_url(ELSEWHERE)
    took = time.monotonic() - began

    assert took < MOST_SECONDS
    assert storage == [0, 0]
    wait_for_end(demonstration, window, session)
    require_no_data(window, code)


def wait_for_end(served: Demonstration, window: Window, session: str) -> None:
    """Wait until a session has ended and the browser no longer has its cookie.

    The page ends the session while the browser navigates away, so this can take a moment.
    Raises AssertionError after about two seconds.
    """
    for _ in range(40):
        if not read_session(window) and not is_alive(served, session):
            return
        time.sleep(0.05)
    raise AssertionError("the session is alive after the quick exit")


@pytest.mark.parametrize("has_script", [True, False])
def test_button_of_the_quick_exit_works_with_and_without_script(
    open_as: OpenAs, records: Records, demonstration: Demonstration, has_script: bool
) -> None:
    window = open_as(LEAD, NARROW, java_script_enabled=has_script)
    show_elsewhere(window)
    window.visit(f"/console/cases/{records['led']}")
    session = read_session(window)
    window.page.locator("#leave button").click()
    window.page.wait_for_url(ELSEWHERE)

    wait_for_end(demonstration, window, session)


def test_page_warns_before_the_session_ends_and_can_be_kept(
    open_as: OpenAs, records: Records
) -> None:
    window = open_as(LEAD)
    window.page.clock.install()
    window.visit(f"/console/cases/{records['led']}")
    dialog = window.page.get_by_role("dialog")
    expect(dialog).to_be_hidden()
    window.page.clock.run_for((WARNED_AFTER - 60) * 1000)
    expect(dialog).to_be_visible()
    assert find_violations(window.page) == []
    with window.page.expect_response("**/console/stay") as answer:
        dialog.get_by_role("button").click()

    assert answer.value.status == 204
    expect(dialog).to_be_hidden()


def test_page_is_emptied_if_nobody_answers_the_warning(
    open_as: OpenAs, records: Records, demonstration: Demonstration
) -> None:
    window, code = open_as(LEAD), records["led"]
    window.page.clock.install()
    window.visit(f"/console/cases/{code}")
    session = read_session(window)
    window.page.clock.run_for((ENDED_AFTER + 1) * 1000)
    window.page.wait_for_url("**/console/ended")

    assert code not in window.page.content()
    assert read_session(window) == ""
    assert not is_alive(demonstration, session)


def test_page_is_not_left_while_another_tab_is_used(
    open_as: OpenAs, records: Records
) -> None:
    window = open_as(LEAD)
    window.page.clock.install()
    window.visit(f"/console/cases/{records['led']}")
    window.page.clock.run_for((WARNED_AFTER - 60) * 1000)
    dialog = window.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    window.context.new_page().goto(f"{window.url}/console/")

    expect(dialog).to_be_hidden()


def test_page_warns_again_without_a_network_and_is_left_in_the_end(
    open_as: OpenAs, records: Records
) -> None:
    window, code = open_as(LEAD), records["led"]
    window.page.clock.install()
    window.visit(f"/console/cases/{code}")
    window.page.clock.run_for((WARNED_AFTER - 60) * 1000)
    dialog = window.page.get_by_role("dialog")
    window.page.route("**/console/stay", lambda route: route.abort())
    dialog.get_by_role("button").click()
    expect(dialog).to_be_visible()
    window.page.clock.run_for(WARNING_SECONDS * 1000)

    window.page.wait_for_url("**/console/ended")
    assert code not in window.page.content()


def test_page_of_an_ended_session_is_left_at_once(
    open_as: OpenAs, records: Records, demonstration: Demonstration
) -> None:
    window = open_as(LEAD)
    window.page.clock.install()
    window.visit(f"/console/cases/{records['led']}")
    window.page.clock.run_for((WARNED_AFTER - 60) * 1000)
    client = demonstration.build_client(read_session(window))
    client.call("POST", "/sessions/end", None, {"Idempotency-Key": "end"})
    window.page.get_by_role("dialog").get_by_role("button").click()

    window.page.wait_for_url("**/console/ended")
