"""Tests of the pages of webhooks: two people open a webhook, a supervisor changes it."""

import re
from pathlib import Path
from typing import Final
from uuid import UUID

import httpcore
import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from app.console.webhook_answers import WORDS
from app.console.webhook_pages import CHANGES, IMPOSSIBLE
from app.kernel.actors import Role
from app.webhooks.models import Webhook
from app.webhooks.queries import select_webhook
from app.webhooks.schemas import WebhookState
from app.worker import courier
from tests.support.administrators import ADMINISTRATOR
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.database_faults import lock_table
from tests.support.webhook_receivers import RECEIVER, create_webhook
from tests.support.world import Json, Someone, World, unwrap

OFFICE: Final = "KZ_LEAD"
NEW: Final = {"label": "Case desk", "url": RECEIVER}
SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=]+")
SHOWN_ALREADY: Final = "The secret was shown already"


@pytest.fixture
def browser(supervisor: Someone) -> ConsoleBrowser:
    """Return a browser in which a supervisor of the office is signed in."""
    return ConsoleBrowser(supervisor)


@pytest.fixture
def colleague(world: World) -> Someone:
    """Return a second supervisor of the office."""
    return world.add_person(OFFICE, {Role.SUPERVISOR})


@pytest.fixture
def webhook_id(world: World) -> str:
    """Return the id of an open webhook of the office."""
    return create_webhook(world, OFFICE).id


def read_webhook(who: Someone, webhook_id: str) -> Json:
    return unwrap(who.get(f"/webhooks/{webhook_id}"))


def change_webhook(
    browser: ConsoleBrowser, webhook_id: str, action: str, **typed: str
) -> None:
    """Send a form on the page of a webhook, and check that the change is recorded."""
    path = f"webhooks/{webhook_id}"
    hidden = read_hidden(browser.get(path).text, f"{webhook_id}/{action}")
    answer = browser.post(f"{path}/{action}", hidden | typed)
    assert answer.headers["Location"] == f"/console/{path}?done=recorded"


def ask_for_webhook(browser: ConsoleBrowser) -> str:
    """Ask for a webhook in the form, and return the id of the approval."""
    hidden = read_hidden(browser.get("webhooks").text, "webhooks")
    asked = browser.post("webhooks", hidden | NEW)
    page, _, notice = asked.headers["Location"].partition("?")
    assert notice == "done=asked"
    return page.rpartition("/")[2]


def test_a_webhook_is_asked_for_and_its_secret_is_shown_once(
    browser: ConsoleBrowser, colleague: Someone
) -> None:
    approval_id = ask_for_webhook(browser)
    page = f"approvals/{approval_id}"
    assert f"open/{approval_id}" not in browser.get("webhooks").text
    other = ConsoleBrowser(colleague)
    assert "carry it out now" not in other.get(page).text
    assert other.post(f"{page}/approve", {}).status_code == 303
    assert 'href="/console/webhooks"' in browser.get(page).text
    assert f"open/{approval_id}" not in other.get("webhooks").text
    hidden = read_hidden(browser.get("webhooks").text, f"open/{approval_id}")

    with capture_logs() as logged:
        opened = browser.post(f"webhooks/open/{approval_id}", hidden)
    again = browser.post(f"webhooks/open/{approval_id}", hidden)

    [secret] = SECRET.findall(opened.text)
    assert opened.headers["Cache-Control"] == "no-store"
    assert "docs/integrate.md" in opened.text
    assert "Location" not in opened.headers
    assert not SECRET.search(again.text)
    assert SHOWN_ALREADY in again.text
    listed = browser.get("webhooks").text
    assert RECEIVER in listed
    assert f"open/{approval_id}" not in listed
    assert "/console/webhooks/open/{id" in str(logged)
    assert secret not in listed + browser.get(page).text + str(logged)


def test_a_host_that_is_not_listed_is_refused_and_what_was_typed_stays(
    browser: ConsoleBrowser,
) -> None:
    hidden = read_hidden(browser.get("webhooks").text, "webhooks")
    url = "https://elsewhere.example.org/x"

    refused = browser.post("webhooks", hidden | NEW | {"url": url})

    assert refused.status_code == 422
    assert "Ask the operator to list it" in refused.text
    assert f'value="{url}"' in refused.text


def test_an_approval_that_was_not_given_opens_no_webhook(
    browser: ConsoleBrowser, supervisor: Someone
) -> None:
    approval_id = ask_for_webhook(browser)

    refused = browser.post(f"webhooks/open/{approval_id}", {})

    assert refused.status_code == 409
    assert not SECRET.search(refused.text)
    assert unwrap(supervisor.get("/webhooks"))["items"] == []


def test_opening_that_failed_is_sent_again_with_the_same_key(
    browser: ConsoleBrowser, colleague: Someone, world: World, url: str
) -> None:
    approval_id = ask_for_webhook(browser)
    ConsoleBrowser(colleague).post(f"approvals/{approval_id}/approve", {})
    path = f"webhooks/open/{approval_id}"
    form = read_hidden(browser.get("webhooks").text, f"open/{approval_id}")

    with lock_table(world, url, "webhook"):
        failed = browser.post(path, form)

    assert failed.status_code == 503
    assert read_hidden(failed.text, f"open/{approval_id}")["key"] == form["key"]
    assert SECRET.search(browser.post(path, form).text)


def test_an_approval_of_something_else_opens_no_webhook(
    browser: ConsoleBrowser, supervisor: Someone
) -> None:
    body = {"focal_point": OFFICE, "label": "duty 8", "roles": ["officer"]}
    asked = supervisor.create("/accounts", body).json()
    assert browser.post(f"webhooks/open/{asked['id']}", {}).status_code == 404


def test_a_webhook_is_paused_resumed_and_ended(
    browser: ConsoleBrowser, supervisor: Someone, webhook_id: str
) -> None:
    page = f"webhooks/{webhook_id}"
    assert f"{webhook_id}/resume" not in browser.get(page).text
    change_webhook(browser, webhook_id, "pause")
    assert read_webhook(supervisor, webhook_id)["state"] == "paused"
    assert f"{webhook_id}/pause" not in browser.get(page).text
    change_webhook(browser, webhook_id, "resume")
    assert read_webhook(supervisor, webhook_id)["state"] == "active"
    change_webhook(browser, webhook_id, "end")
    assert read_webhook(supervisor, webhook_id)["state"] == "ended"
    assert "Change the webhook" not in browser.get(page).text
    assert "1 ended webhook" in browser.get("webhooks").text
    assert "Your office has no webhook." in browser.get("webhooks").text


def test_a_webhook_that_fails_shows_since_when_and_how(
    world: World, browser: ConsoleBrowser, webhook_id: str
) -> None:
    assert "Failing since" not in browser.get("webhooks").text
    with world.write_as_service() as tx:
        row = tx.session.scalars(select_webhook(UUID(webhook_id))).one()
        row.failing_since, row.trouble = tx.now, "503"
        row.paused_at, row.stalled = tx.now, True
    listed, page = browser.get("webhooks").text, browser.get(f"webhooks/{webhook_id}").text

    assert "Stalled" in listed
    assert "Failing since" in listed
    assert "The receiver answered 503." in page
    assert "Repair the receiver, then resume." in page
    assert f"{webhook_id}/resume" in page
    assert f"{webhook_id}/pause" not in page


def test_a_test_message_is_asked_for_and_a_second_one_is_refused(
    browser: ConsoleBrowser, webhook_id: str
) -> None:
    change_webhook(browser, webhook_id, "ping")
    assert "not known yet" in browser.get(f"webhooks/{webhook_id}").text

    refused = browser.post(f"webhooks/{webhook_id}/ping", {})

    assert refused.status_code == 429
    assert "less than 30 seconds ago" in refused.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("204", "Delivered: the receiver answered 204."),
        ("503", "The receiver answered 503."),
        ("TimeoutError", "The receiver did not answer in time."),
        ("host_not_listed", "does not list the host any more."),
        ("SomeOtherError", "SomeOtherError"),
    ],
)
def test_the_last_failure_is_described_in_words(
    browser: ConsoleBrowser, world: World, webhook_id: str, code: str, words: str
) -> None:
    with world.database.begin_write() as session:
        session.execute(update(Webhook).values(trouble=code))

    assert f"{words}</dd>" in browser.get(f"webhooks/{webhook_id}").text


def test_words_for_a_failure_have_a_code_that_the_worker_records() -> None:
    worker = Path(courier.__file__).parent
    source = "".join(one.read_text("utf-8") for one in worker.glob("*.py"))
    raised = {*vars(httpcore), TimeoutError.__name__}

    assert [
        code for code in WORDS if f'"{code}"' not in source and code not in raised
    ] == []


def test_messages_are_sent_again_from_the_start_or_after_a_position(
    browser: ConsoleBrowser, supervisor: Someone, webhook_id: str
) -> None:
    change_webhook(browser, webhook_id, "pause")
    change_webhook(browser, webhook_id, "replay")
    every = read_webhook(supervisor, webhook_id)["undelivered"]
    head = unwrap(supervisor.get("/events"))["cursor"]
    change_webhook(browser, webhook_id, "replay", after=head)
    later = read_webhook(supervisor, webhook_id)["undelivered"]

    assert 0 < later < every
    refused = browser.post(f"webhooks/{webhook_id}/replay", {"after": "wrong"})
    assert refused.status_code == 422
    assert 'value="wrong"' in refused.text


@pytest.mark.parametrize("hours", ["", "0"])
def test_a_replaced_secret_is_shown_once(
    browser: ConsoleBrowser, webhook_id: str, hours: str
) -> None:
    page = f"webhooks/{webhook_id}"
    hidden = read_hidden(browser.get(page).text, f"{webhook_id}/rotate-secret")
    form = hidden | {"overlap_hours": hours}

    with capture_logs() as logged:
        first = browser.post(f"{page}/rotate-secret", form)
    again = browser.post(f"{page}/rotate-secret", form)

    [secret] = SECRET.findall(first.text)
    assert "Location" not in first.headers
    assert not SECRET.search(again.text)
    assert SHOWN_ALREADY in again.text
    assert "/console/webhooks/{id" in str(logged)
    assert secret not in browser.get(page).text + str(logged)


@pytest.mark.parametrize("hours", ["x", "169"])
def test_wrong_hours_replace_no_secret(
    browser: ConsoleBrowser, webhook_id: str, hours: str
) -> None:
    form = {"overlap_hours": hours}
    refused = browser.post(f"webhooks/{webhook_id}/rotate-secret", form)
    assert refused.status_code == 422
    assert f'value="{hours}"' in refused.text
    assert not SECRET.search(refused.text)


def test_an_unknown_action_is_not_found(browser: ConsoleBrowser, webhook_id: str) -> None:
    assert browser.post(f"webhooks/{webhook_id}/invent", {}).status_code == 404


def test_caseworkers_see_webhooks_and_change_none(
    lead: Someone, shelter: Someone, webhook_id: str
) -> None:
    browser, page = ConsoleBrowser(lead), f"webhooks/{webhook_id}"
    assert 'href="/console/webhooks"' in browser.get(f"directory/{OFFICE}").text
    assert "Ask for a webhook" not in browser.get("webhooks").text
    assert RECEIVER in browser.get("webhooks").text
    assert "Supervisors can change the webhook." in browser.get(page).text
    assert browser.post(f"{page}/end", {}).status_code == 403
    assert ConsoleBrowser(shelter).get(page).status_code == 404


def test_an_administrator_may_ask_for_a_webhook(world: World) -> None:
    admin = ConsoleBrowser(world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR))
    assert "Your office has no webhook." in admin.get("webhooks").text
    assert ask_for_webhook(admin)


def test_each_state_says_which_changes_are_impossible() -> None:
    assert set(IMPOSSIBLE) == set(WebhookState)
    assert all(actions <= set(CHANGES) for actions in IMPOSSIBLE.values())
