"""Tests of enrolment, sign-in and step-up with passkeys, with a virtual authenticator."""

from typing import Final

from playwright.sync_api import expect

from tests.browser.cases import LEAD, Casework
from tests.browser.conftest import Invite, OpenWindow
from tests.browser.demonstration import Demonstration
from tests.browser.passkeys import (
    DEVICE,
    Enrolment,
    add_authenticator,
    enrol,
    sign_out,
)
from tests.browser.test_acts import open_section

WRONG_CODE: Final = "0000-0000"
HOME, SIGN_IN = "/console/", "/console/sign-in"


def make_sessions_old(served: Demonstration) -> None:
    """Set the time of sign-in of all sessions to six minutes ago."""
    served.make_sessions_older("authenticated_at", minutes=6, which="all")


def test_person_enrols_signs_in_and_confirms_with_a_passkey(
    open_window: OpenWindow,
    invite: Invite,
    demonstration: Demonstration,
    casework: Casework,
) -> None:
    window = open_window()
    authenticator = add_authenticator(window)
    enrol(window, invite("KZ_LEAD", LEAD))
    window.page.wait_for_url(f"**{HOME}")
    assert len(authenticator.credentials) == 1
    sign_out(window)
    window.page.get_by_role("button", name="Sign in with a passkey").click()
    window.page.wait_for_url(f"**{HOME}")
    window.visit("/console/settings")
    expect(window.page.locator("main")).to_contain_text(DEVICE)

    code = casework.submit_led()
    make_sessions_old(demonstration)
    window.visit(f"/console/cases/{code}")
    open_section(window, "Identity", "identity")
    assert "/console/confirm" in window.page.url
    window.check("confirm-passkey")
    window.page.get_by_role("button", name="Sign in with a passkey").click()
    window.page.wait_for_url(f"**/console/cases/{code}*")
    open_section(window, "Identity", "identity")
    expect(window.page.locator("main")).to_contain_text("Synthetic Person")


def test_passkey_without_verification_of_the_person_is_refused(
    open_window: OpenWindow, invite: Invite
) -> None:
    window = open_window()
    authenticator = add_authenticator(window)
    enrol(window, invite("KZ_LEGAL_AID", "demo lawyer"))
    window.page.wait_for_url(f"**{HOME}")
    sign_out(window)
    authenticator.set_verified(verified=False)
    window.page.get_by_role("button", name="Sign in with a passkey").click()

    expect(window.page.locator("#passkey-status")).not_to_be_empty()
    window.visit(HOME)
    assert window.page.url == f"{window.url}{SIGN_IN}"


def test_wrong_code_and_used_link_enrol_nobody(
    open_window: OpenWindow, invite: Invite
) -> None:
    window = open_window()
    add_authenticator(window)
    enrolment = invite("SANA_SEZIM", "demo NGO")
    enrol(window, Enrolment(enrolment.link, WRONG_CODE))
    expect(window.page.locator("#passkey-status")).not_to_be_empty()
    enrol(window, enrolment)
    window.page.wait_for_url(f"**{HOME}")

    other = open_window()
    add_authenticator(other)
    enrol(other, enrolment)
    expect(other.page.locator("#passkey-status")).not_to_be_empty()
    other.visit(HOME)
    assert other.page.url == f"{other.url}{SIGN_IN}"
