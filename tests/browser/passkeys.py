"""Virtual authenticators of the browser, and the enrolment of a person with a passkey."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import CDPSession

from tests.browser.cases import ADMINISTRATOR
from tests.browser.demonstration import Demonstration
from tests.browser.windows import Window

AUTHENTICATOR: Final = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
ADMINISTRATOR_2: Final = "demo second administrator"
DEVICE: Final = "Work telephone"
FORGET: Final = """
    DELETE FROM passkey WHERE person_id IN (SELECT person_id FROM account WHERE label = ?)
"""


@dataclass(frozen=True)
class Enrolment:
    """The link and the code of an enrolment, which two people gave."""

    link: str
    code: str


@dataclass(frozen=True)
class Authenticator:
    """A virtual authenticator of one window."""

    session: CDPSession
    id: str

    @property
    def credentials(self) -> list[Any]:
        """The passkeys that the authenticator keeps."""
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def set_verified(self, *, verified: bool) -> None:
        """Let the person be recognised by the device, or not."""
        options = {"authenticatorId": self.id, "isUserVerified": verified}
        self.session.send("WebAuthn.setUserVerified", options)


def add_authenticator(window: Window) -> Authenticator:
    """Add a virtual authenticator to a window."""
    session = window.context.new_cdp_session(window.page)
    session.send("WebAuthn.enable")
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return Authenticator(session, added["authenticatorId"])


def begin_enrolment(served: Demonstration, office: str, label: str) -> Enrolment:
    """Begin the enrolment of an account, and confirm it as a second person.

    Passkeys that another test registered for the account are removed before.
    """
    with closing(sqlite3.connect(served.folder / "var" / "demo.db")) as database, database:
        database.execute(FORGET, (label,))
    first, second = served.get_client(ADMINISTRATOR), served.get_client(ADMINISTRATOR_2)
    accounts = first.get(f"/accounts?focal_point={office}")["items"]
    [account] = [one["id"] for one in accounts if one["label"] == label]
    made = first.create("/enrolments", {"account": account})
    confirmed = second.create(f"/enrolments/{made['id']}/confirm", None)
    return Enrolment(made["link"], confirmed["code"])


def enrol(window: Window, enrolment: Enrolment) -> None:
    """Make a passkey on the page of an enrolment."""
    window.page.goto("about:blank")  # the link is the same page with another fragment
    window.visit(f"/console/enrol#{enrolment.link}")
    window.page.wait_for_url("**/console/enrol")  # the secret is not in the history
    window.page.fill("#code", enrolment.code)
    window.page.fill("#label", DEVICE)
    window.page.get_by_role("button", name="Make a passkey").click()


def sign_out(window: Window) -> None:
    """Sign out in the menu."""
    window.follow(window.page.get_by_role("button", name="Sign out", exact=True))
