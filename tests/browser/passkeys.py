"""Virtual authenticators of the browser, and the enrolment of a person with a passkey."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

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
CONFLICT: Final = 409


@dataclass(frozen=True)
class Enrolment:
    """The link and the code of an enrolment, which come from two different people."""

    link: str
    code: str


@dataclass(frozen=True)
class Authenticator:
    """A virtual authenticator of one window."""

    session: CDPSession
    id: str

    @property
    def credentials(self) -> list[Any]:
        """The passkeys that the authenticator stores."""
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def set_verified(self, *, verified: bool) -> None:
        """Set whether the device verifies the person."""
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

    If another test enrolled the person, this is a recovery: when the person makes the new
    passkey, the earlier ones are removed, and all sessions of the person end.
    """
    first, second = served.get_client(ADMINISTRATOR), served.get_client(ADMINISTRATOR_2)
    accounts = first.get(f"/accounts?focal_point={office}")["items"]
    [account] = [one["id"] for one in accounts if one["label"] == label]
    path, key = "/enrolments", {"Idempotency-Key": str(uuid4())}
    answer = first.call("POST", path, {"account": account}, key)
    made = answer.body
    if answer.status == CONFLICT:
        made = first.create(path, {"account": account, "recovery": True})
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
