"""The acts of people on pages of the console, one for each operation that has a page."""

import re
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Locator

from tests.browser.journeys.consents import give_consent
from tests.browser.journeys.filling import Json, click, fill_form, flatten
from tests.browser.journeys.people import Person
from tests.browser.journeys.referring import refer

type Act = Callable[..., None]

NEXT_SERVICE: Final = "Show"


class Refused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The page does not offer an action, or says that it is not possible."""


def take_case_action(person: Person, case: str, action: str, body: Json | None) -> None:
    """Take an action on a case: with a button, or on the page of its form."""
    take_named_action(person, case, action.replace("-", "_"), body)


def take_named_action(person: Person, case: str, address: str, body: Json | None) -> None:
    """Take an action on a case. `address` is the last part of the path of its page."""
    person.open_record(case)
    name, _, part = address.partition("/")
    page = f"/console/{case}/actions/{name}"
    main = person.window.page.locator("main")
    button = main.locator(f'form[action="{page}"] button')
    if button.count():
        submit(person, button)
        return
    follow(person, main.locator(f'a[href="{page}"]'))
    if part:
        follow(person, main.locator(f'a[href="{page}/{part}"]'))
    send(person, main.locator(f'form[action="{page}{"/" + part if part else ""}"]'), body)


def record_fact(person: Person, case: str, body: Json) -> None:
    """Record a fact about a case."""
    values = {key: value for key, value in body.items() if key != "name"}
    take_named_action(person, case, f"record_fact/{body['name']}", values)


def write_section(person: Person, case: str, section: Json) -> None:
    """Write a section of a case."""
    values = {key: value for key, value in section.items() if key != "section"}
    take_named_action(person, case, f"write_section/{section['section']}", values)


def write_safeguards(person: Person, case: str, body: Json) -> None:
    """Replace the safeguards of a case."""
    take_named_action(person, case, "write_safeguards", body)


def withdraw_consents(person: Person, case: str, body: Json) -> None:
    """Record that the person of a case withdraws consents."""
    take_named_action(person, case, "withdraw_consents", body)


def record_consent(person: Person, case: str, body: Json) -> None:
    """Record a consent on its page, which is opened from the case."""
    person.open_record(case)
    main = person.window.page.locator("main")
    follow(person, main.locator(f'a[href="/console/{case}/consent"]'))
    give_consent(person, body)
    require_success(person)


def submit_case(person: Person, body: Json) -> None:
    """Refer somebody in five steps, and add the values that the steps do not ask for."""
    rest = refer(person, body)
    require_success(person)
    case = f"cases/{person.window.page.locator('main .code').first.inner_text()}"
    for section in rest.sections:
        write_section(person, case, section)
    if rest.safeguards:
        write_safeguards(person, case, rest.safeguards)
    if rest.risk:
        take_named_action(person, case, "assess_risk", rest.risk)
    if rest.consent:
        record_consent(person, case, rest.consent)
    person.open_record(case)


def ask_office(person: Person, case: str, body: Json) -> None:
    """Ask an office for help, in its form on the page or in the form for another office."""
    person.open_record(case)
    main = person.window.page.locator("main")
    follow(person, main.locator(f'a[href="/console/{case}/ask"]'))
    service = main.locator("select#service")
    if service.input_value() != body["service"]:
        service.select_option(body["service"])
        person.window.press(NEXT_SERVICE)
    asked = f'form:has([type="hidden"][name="recipient"][value="{body["recipient"]}"])'
    form = main.locator(asked)
    offered = form.locator('[name="sections"]').evaluate_all("all => all.map(o => o.value)")
    if not form.count() or not set(body["sections"]) <= set(offered):
        form = main.locator("form#another")
    values = {key: value for key, value in body.items() if key != "send"}
    send(person, form, values)


def offer_handover(person: Person, case: str, body: Json) -> None:
    """Offer the lead of a case to another office, and open the page of the offer."""
    person.open_record(case)
    page, main = f"/console/{case}/offer-handover", person.window.page.locator("main")
    follow(person, main.locator(f'a[href="{page}"]'))
    send(person, main.locator(f'form[action="{page}"]'), body)
    follow(person, main.locator('a[href^="/console/handovers/"]'))


def create_return(person: Person, referral: str, _: Json | None) -> None:
    """Open the checklist of a return on the page of its referral."""
    person.open_record(referral)
    main = person.window.page.locator("main")
    submit(person, main.locator(f'form[action="/console/{referral}/return"] button'))
    follow(person, main.locator('a[href^="/console/returns/"]'))


def take_action(person: Person, record: str, action: str, body: Json | None) -> None:
    """Take an action on a referral, a handover or a return, on its page."""
    person.open_record(record)
    main = person.window.page.locator("main")
    address = f"/console/{record}/actions/{action.replace('-', '_')}"
    form = main.locator(f'form[action="{address}"]')
    if not form.count():
        raise Refused
    send(person, form, body)


def approve(person: Person, approval: str, _: Json | None) -> None:
    """Approve the request of another person. The service then carries out the action."""
    person.open_record(approval)
    main = person.window.page.locator("main")
    submit(person, main.locator(f'form[action="/console/{approval}/confirm"] button'))


def follow(person: Person, link: Locator) -> None:
    """Follow a link. Raises Refused if the page does not have it."""
    if not link.count():
        raise Refused
    click(person.window, link.first)


def send(person: Person, form: Locator, body: Json | None) -> None:
    """Fill in and send a form. Raises Refused if it is missing or an alert is shown."""
    if not form.count():
        raise Refused
    fill_form(person.window, form, dict(flatten(body or {})), person.zone)
    submit(person, form.locator("button").first)


def submit(person: Person, button: Locator) -> None:
    """Press a button that sends a form. Raises Refused if the page shows an alert."""
    click(person.window, button)
    require_success(person)


def require_success(person: Person) -> None:
    """Raise Refused if the page shows an alert."""
    alert = person.window.page.locator('main [role="alert"]:visible')
    if alert.count():
        raise Refused(alert.first.inner_text())


CASE, RECORD = r"(cases/[^/]+)", r"((?:referrals|handovers|returns)/[^/]+)"
ACTS: Final[tuple[tuple[str, re.Pattern[str], Act], ...]] = tuple(
    (method, re.compile(pattern), act)
    for method, pattern, act in (
        ("POST", "cases", submit_case),
        ("POST", f"{CASE}/referrals", ask_office),
        ("POST", f"{CASE}/consents", record_consent),
        ("POST", f"{CASE}/consents/withdraw", withdraw_consents),
        ("POST", f"{CASE}/facts", record_fact),
        ("POST", f"{CASE}/handovers", offer_handover),
        ("PUT", f"{CASE}/safeguards", write_safeguards),
        ("POST", f"{CASE}/([a-z-]+)", take_case_action),
        ("POST", r"(referrals/[^/]+)/return", create_return),
        ("POST", f"{RECORD}/([a-z-]+)", take_action),
        ("POST", r"(approvals/[^/]+)/approve", approve),
    )
)
"""The act for each operation of the journeys that has a page. The first match counts."""
