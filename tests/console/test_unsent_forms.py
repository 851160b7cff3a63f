"""Tests that values entered in a form are not lost if the form cannot be sent."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

import pytest
from httpx2 import Response

from app.api.http.rate_limits import RequestRate
from app.console.application import ROUTES
from app.console.endpoints import FormRoute
from tests.support.canaries import ARABIC, CYRILLIC, LATIN, find_markers, log_everything
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.database_faults import lock_table
from tests.support.sessions import sign_in
from tests.support.world import Json, Someone, World, get_path, unwrap

TYPED: Final = f"{LATIN} {CYRILLIC} {ARABIC} <b>&amp;\"'\nsecond line"
QUESTION: Final = "actions/ask_submitter"
UNSENT: Final = "What you typed is kept sealed"
NOT_KEPT: Final = "What you typed could not be kept"


def fill_question(browser: ConsoleBrowser, case: Json) -> tuple[str, dict[str, str]]:
    """Return the address of the question form, and its fields with an entered question."""
    path = f"cases/{case['code']}/{QUESTION}"
    page = browser.get(path)
    assert page.status_code == 200
    hidden = read_hidden(page.text, QUESTION)
    return path, {**hidden, "topics": "needs", "question": TYPED}


def read_texts(page: Response) -> list[str]:
    """Return the texts of the text areas of a page."""
    found = re.findall(r"<textarea[^>]*>\n?(.*?)</textarea>", page.text, re.DOTALL)
    return [unescape(text) for text in found]


def keep_question(world: World, person: Someone, case: Json) -> None:
    """Send a question after the session has expired, so that the API keeps the form."""
    browser = ConsoleBrowser(sign_in(person))
    path, form = fill_question(browser, case)
    world.advance(minutes=15)
    browser.post(path, form)


def follow(browser: ConsoleBrowser, answer: Response) -> Response:
    assert answer.status_code == 303
    return browser.get(answer.headers["location"].removeprefix("/console/"))


@pytest.fixture
def led(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


def test_form_of_a_session_that_ended_is_sent_once_after_signing_in(
    world: World, lead: Someone, led: Json
) -> None:
    before = ConsoleBrowser(sign_in(lead))
    path, form = fill_question(before, led)
    world.advance(minutes=15)

    ended = before.post(path, form)
    assert ended.status_code == 401
    assert UNSENT in ended.text
    assert find_markers(ended.text.encode()) == []
    after = ConsoleBrowser(sign_in(lead))
    shown = follow(after, after.get("unsent"))
    assert TYPED in read_texts(shown)
    again = read_hidden(shown.text, QUESTION)
    assert again["key"] == form["key"]
    assert again["tag"] == form["tag"]
    for _ in range(2):
        sent = after.post(path, {**form, **again})
        assert sent.status_code == 303

    questions = unwrap(lead.get(f"{get_path(led)}/questions"))["items"]
    assert len(questions) == 1
    assert unwrap(lead.get("/unsent-forms"))["items"] == []
    assert after.get("unsent").headers["location"] == "/console/"


def test_first_page_says_that_a_form_was_not_sent_and_it_can_be_discarded(
    world: World, lead: Someone, led: Json
) -> None:
    keep_question(world, lead, led)
    after = ConsoleBrowser(sign_in(lead))

    assert "1 form of yours was not sent" in after.get("").text
    shown = follow(after, after.get("unsent"))
    [action] = re.findall(r'action="/console/(unsent/\w+/discard)"', shown.text)
    assert after.post(action, {}).headers["location"] == "/console/"

    assert "was not sent" not in after.get("").text
    assert unwrap(lead.get("/unsent-forms"))["items"] == []


def test_another_person_in_the_same_browser_sees_nothing(
    world: World, lead: Someone, led: Json
) -> None:
    keep_question(world, lead, led)
    [kept] = unwrap(lead.get("/unsent-forms"))["items"]
    other = ConsoleBrowser(sign_in(world.add_person(lead.code)))

    assert "was not sent" not in other.get("").text
    assert other.get("unsent").headers["location"] == "/console/"
    assert other.get(f"unsent/{kept['form']}").status_code == 404
    other.post(f"unsent/{kept['form']}/discard", {})
    assert unwrap(lead.get("/unsent-forms"))["items"] == [kept]


def test_form_of_a_person_who_signed_out_is_not_kept(lead: Someone, led: Json) -> None:
    session = sign_in(lead)
    browser = ConsoleBrowser(session)
    path, form = fill_question(browser, led)
    session.send("/sessions/end")

    ended = browser.post(path, form)

    assert ended.status_code == 401
    assert NOT_KEPT in ended.text
    assert find_markers(ended.text.encode()) == []
    assert unwrap(lead.get("/unsent-forms"))["items"] == []


def test_what_was_typed_is_in_no_log_and_no_address(
    world: World, lead: Someone, led: Json
) -> None:
    with log_everything() as log:
        moved = show_kept_form(world, lead, led)

    assert moved.status_code == 303
    assert log.lines
    assert find_markers("\n".join(log.lines).encode()) == []
    assert find_markers(moved.headers["location"].encode()) == []


def show_kept_form(world: World, lead: Someone, led: Json) -> Response:
    keep_question(world, lead, led)
    after = ConsoleBrowser(sign_in(lead))
    moved = after.get("unsent")
    follow(after, moved)
    return moved


def test_script_keeps_a_form_when_the_time_is_over(
    world: World, lead: Someone, led: Json
) -> None:
    browser = ConsoleBrowser(sign_in(lead))
    path, form = fill_question(browser, led)
    world.advance(minutes=15)

    kept = browser.post("unsent", {**form, "console-page": f"/console/{path}"})
    ended = browser.post("ended", {"kept": "yes"})

    assert (kept.status_code, kept.text) == (204, "")
    assert UNSENT in follow(browser, ended).text
    after = ConsoleBrowser(sign_in(lead))
    assert TYPED in read_texts(follow(after, after.get("unsent")))


@pytest.mark.parametrize(
    "page", ["/console/sign-out", "/console/sessions/end-all", "https://x.invalid/", ""]
)
def test_script_keeps_no_form_of_another_address(lead: Someone, page: str) -> None:
    browser = ConsoleBrowser(sign_in(lead))

    assert browser.post("unsent", {"text": "x", "console-page": page}).status_code == 404
    assert unwrap(lead.get("/unsent-forms"))["items"] == []


@pytest.mark.parametrize(
    "content",
    [
        "x",
        "[]",
        '["/console/sessions/end-all", [["a", "b"]]]',
        '["/console/cases/..%2f/actions/accept", [["a", "b"]]]',
        '["//x.invalid/console/accounts", [["label", "b"]]]',
        '["/console/accounts", [["label", "\\ud800"]]]',
        '["/console/accounts", {"label": 1}]',
    ],
)
def test_content_of_another_client_is_never_shown_as_a_form(
    lead: Someone, content: str
) -> None:
    unwrap(lead.ask("POST", "/unsent-forms", {"content": content}))
    [kept] = unwrap(lead.get("/unsent-forms"))["items"]
    browser = ConsoleBrowser(sign_in(lead))

    assert browser.get("").status_code == 200
    page = browser.get(f"unsent/{kept['form']}")
    assert page.status_code == 404
    assert "/unsent/" not in page.text


def test_showing_a_form_again_changes_nothing(
    world: World, lead: Someone, led: Json
) -> None:
    keep_question(world, lead, led)
    after = ConsoleBrowser(sign_in(lead))
    before = unwrap(lead.get(f"{get_path(led)}/questions"))["items"]
    follow(after, after.get("unsent"))

    assert unwrap(lead.get(f"{get_path(led)}/questions"))["items"] == before == []


def test_form_over_the_rate_limit_is_shown_with_a_button_to_send_it_again(
    world: World, lead: Someone, led: Json
) -> None:
    browser = ConsoleBrowser(sign_in(lead))
    path, form = fill_question(browser, led)
    usual = world.app.state.rate
    world.app.state.rate = RequestRate(1)
    try:
        browser.get("")
        refused = browser.post(path, form)
    finally:
        world.app.state.rate = usual

    assert refused.status_code == 429
    assert TYPED in read_texts(refused)
    assert form["key"] in read_texts(refused)
    names = re.findall(r'<textarea name="([^"]+)"', refused.text)
    sent = browser.post(path, dict(zip(names, read_texts(refused), strict=True)))
    assert sent.status_code == 303
    assert len(unwrap(lead.get(f"{get_path(led)}/questions"))["items"]) == 1


def test_form_is_shown_again_if_the_service_is_busy(
    world: World, lead: Someone, led: Json, url: str
) -> None:
    browser = ConsoleBrowser(sign_in(lead))
    path, form = fill_question(browser, led)
    with lock_table(world, url, "question"):
        refused = browser.post(path, form)

    assert refused.status_code == 503
    assert TYPED in read_texts(refused)
    assert form["key"] in refused.text
    assert browser.post(path, form).status_code == 303


def test_form_about_a_record_that_is_gone_shows_what_was_typed(
    lead: Someone, led: Json, stranger: Someone
) -> None:
    path, form = fill_question(ConsoleBrowser(sign_in(lead)), led)

    gone = ConsoleBrowser(sign_in(stranger)).post(path, form)

    assert gone.status_code == 404
    assert LATIN in gone.text
    assert "Send again" not in gone.text


def list_form_routes() -> Iterator[FormRoute]:
    return (route for route in ROUTES if isinstance(route, FormRoute))


def test_forms_in_which_people_type_are_kept() -> None:
    kept = {route.path for route in list_form_routes()}

    assert kept >= {
        "/cases/{code}/actions/{action}",
        "/cases/{code}/actions/{action}/{part}",
        "/cases/{code}/consent",
        "/cases/{code}/ask",
        "/cases/{code}/emergency-access",
        "/cases/{code}/offer-handover",
        "/cases/{code}/relocate",
        "/referrals/{id:uuid}/actions/{action}",
        "/handovers/{id:uuid}/actions/{action}",
        "/returns/{id:uuid}/actions/{action}",
        "/directory/{code}/{form}",
        "/accounts",
        "/accounts/{id:uuid}/{change}",
        "/webhooks",
        "/webhooks/{id:uuid}/{action}",
        "/refer/{number:int}",
    }
