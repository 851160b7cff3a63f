"""Tests that no other site can act in the name of a person who has signed in."""

from typing import Final

import pytest
from playwright.sync_api import Route

from tests.browser.cases import LEAD
from tests.browser.conftest import OpenAs

STRANGER: Final = "http://stranger.example"
FORM: Final = (
    """<!doctype html><form method="post" action="{action}"><button>Go</button></form>"""
)
REFUSED: Final = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    {"Origin": STRANGER},
    {"Origin": "null"},
    {},
]
"""Headers that no page of the console sends. The last three could be of an old browser."""


@pytest.mark.parametrize("path", ["/console/sign-out", "/console/leave", "/console/stay"])
def test_request_of_another_site_is_refused(open_as: OpenAs, path: str) -> None:
    window = open_as(LEAD)
    for headers in REFUSED:
        sent = {name: value.format(own=window.url) for name, value in headers.items()}
        answer = window.context.request.post(f"{window.url}{path}", headers=sent)
        assert answer.status == 403, headers
    window.visit("/console/")

    assert window.page.url == f"{window.url}/console/"


def test_request_of_an_old_browser_is_answered(open_as: OpenAs) -> None:
    window = open_as(LEAD)
    headers = {"Origin": window.url}
    answer = window.context.request.post(f"{window.url}/console/stay", headers=headers)

    assert answer.status == 204


def test_form_of_another_site_is_refused(open_as: OpenAs) -> None:
    window = open_as(LEAD)
    form = FORM.format(action=f"{window.url}/console/sign-out")

    def answer(route: Route) -> None:
        route.fulfill(body=form, content_type="text/html")

    window.page.route(f"{STRANGER}/**", answer)
    window.page.goto(f"{STRANGER}/")
    with window.page.expect_navigation() as shown:
        window.page.click("button")

    assert shown.value is not None
    assert shown.value.status == 403
    window.visit("/console/")
    assert window.page.url == f"{window.url}/console/"


def test_console_cannot_be_framed(open_as: OpenAs) -> None:
    window = open_as(LEAD)

    def answer(route: Route) -> None:
        route.fulfill(body='<iframe src="/console/"></iframe>', content_type="text/html")

    window.page.route("**/framing", answer)
    window.visit("/framing")
    [_, frame] = window.page.frames

    assert "Safe Conduct" not in frame.content()
    assert any("frame-ancestors" in one for one in window.messages), window.messages
