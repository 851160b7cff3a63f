"""The people of the journeys, each of whom has a window and signs in with a passkey."""

from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import httpx
from playwright.sync_api import Browser, Response

from app.demo.demo_accounts import DemoAccount
from tests.browser.demonstration import Client, Demonstration
from tests.browser.journeys.steps import Steps, Way
from tests.browser.passkeys import add_authenticator, begin_enrolment, enrol, sign_out
from tests.browser.windows import HEIGHT, WIDE, Window

PATIENCE = 10_000
"""Milliseconds that a person waits for a page."""
HOME = "/console/"
ENROLMENT = ("POST enrolments", "POST enrolments/*/confirm")
"""The steps of the two people who enrol a person."""


@dataclass(frozen=True)
class Person:
    """A person who is signed in at a window, with a client of the same account."""

    account: DemoAccount
    window: Window
    client: Client

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the pages show times to this person."""
        office = self.client.get(f"/focal-points/{self.account.focal_point}")
        return ZoneInfo(office["time_zone"] or "UTC")

    def open_record(self, path: str) -> None:
        """Open the page of a record, through the list of tasks if the record is listed."""
        target = f"/console/{path}"
        self.window.visit(HOME)
        link = self.window.page.locator(f'main a[href="{target}"]')
        if link.count():
            self.window.follow(link.first)
        else:
            self.window.visit(target)

    @property
    def record(self) -> str:
        """The path in the API of the record whose page is shown."""
        return self.window.page.url.partition(HOME)[2].partition("?")[0]


@dataclass
class People:
    """The people of a demonstration who have signed in, by the label of their account."""

    served: Demonstration
    browser: Browser
    known: dict[str, Person] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)
    faults: list[str] = field(default_factory=list)
    """The status and the URL of each page that the service could not show."""

    def record_fault(self, answer: Response) -> None:
        """Record a response that is a server error."""
        if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{answer.status} {answer.url}")

    def get_person(self, account: DemoAccount) -> Person:
        """Return a person. The first time, the person makes a passkey and signs in."""
        if account.label not in self.known:
            self.known[account.label] = self.sign_in(account)
        return self.known[account.label]

    def sign_in(self, account: DemoAccount) -> Person:
        """Enrol a person, and let the person sign out and sign in with the passkey."""
        viewport = {"width": WIDE, "height": HEIGHT}
        context = self.browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        window = Window(context, context.new_page(), self.served.url)
        window.page.on("response", self.record_fault)
        add_authenticator(window)
        enrol(window, begin_enrolment(self.served, account.focal_point, account.label))
        self.steps.update((Way.API, step) for step in ENROLMENT)
        window.page.wait_for_url(f"**{HOME}")
        sign_out(window)
        window.page.get_by_role("button", name="Sign in with a passkey").click()
        window.page.wait_for_url(f"**{HOME}")
        return Person(account, window, self.served.get_client(account.label))
