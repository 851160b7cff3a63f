"""Functions that refer a person through the five steps of "Refer someone"."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.demo.texts import LATEST_ZONE
from tests.browser.cases import ALIAS, NEEDED
from tests.browser.windows import Window

GO_ON: Final = "Save and go on"
SAFE_NOW: Final = {
    "alone": "yes",
    "summary/safe_contact": "yes",
    "summary/age_class": "adult",
}
AGREED: Final = (
    *("state@KZ:refer", "state@KZ:needs"),
    *("non_state@KZ:refer", "non_state@KZ:needs"),
)


def fill_safe_now(window: Window) -> None:
    """Fill in the first step, about the safety and the age class of the person."""
    for name, value in SAFE_NOW.items():
        window.tick(name, value)
    window.choose("summary/country", "KZ")
    window.choose("summary/language", "uz")


def fill_needs(window: Window) -> None:
    """Fill in the third step, about the needs and the risk."""
    window.tick("summary/services", "SHELTER")
    window.tick("summary/priority", "urgent")
    window.tick("risk/level", "medium")
    window.fill("needs/summary", NEEDED)


def fill_consent(window: Window) -> None:
    """Fill in the fourth step, about the consent and the contact."""
    window.tick("basis", "person")
    for value in AGREED:
        window.tick("allow", value)
    window.unfold("How the consent was given")
    today = (datetime.now(UTC) - LATEST_ZONE).date()
    window.choose("consent/language", "uz")
    window.fill("consent/obtained_on", today.isoformat())
    window.fill("consent/expires_at", (today + timedelta(days=180)).isoformat())
    window.fill("consent/form_version", "demo-1")
    window.fill("contact/alias", ALIAS)
    window.fill("contact/safe_channel", "Messages only, after 20:00")


def fill_nothing(window: Window) -> None:
    """Leave a step as it is."""


STEPS: Final[dict[str, Callable[[Window], None]]] = {
    "safe-now": fill_safe_now,
    "signs": fill_nothing,
    "needs": fill_needs,
    "consent": fill_consent,
}


def show_nothing(name: str) -> None:
    """Do nothing with a step that has been filled in."""


def refer_person(window: Window, *, show: Callable[[str], None] = show_nothing) -> str:
    """Refer a person from the first page to "sent", and return the code of the case.

    `show` is called with the name of each step once the step is filled in, and then with
    `refer-check` and `refer-sent`.
    """
    window.follow(window.page.locator("nav").get_by_role("link", name="Refer someone"))
    if not window.page.url.endswith("/refer/1"):  # there is a draft
        window.visit("/console/refer/1")
    for name, fill in STEPS.items():
        fill(window)
        show(f"refer-{name}")
        window.press(GO_ON)
    show("refer-check")
    window.press("Send this case")
    show("refer-sent")
    return window.page.locator("main .code").first.inner_text()
