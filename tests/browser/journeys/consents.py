"""Functions that record a consent on its page, with its recipients and purposes."""

from typing import Final

from playwright.sync_api import Locator

from tests.browser.journeys.filling import Json, click, fill_form, flatten
from tests.browser.journeys.people import Person

LEADING: Final = frozenset({"REFER", "HANDOVER"})
"""The purposes that are not services. They need not be added to the form."""


def name_row(recipient: Json) -> str:
    """Return the last part of the names of the fields of a recipient."""
    if named := recipient.get("recipient_class"):
        return f"class-{named['kind']}-{named['country']}"
    return f"office-{recipient['focal_point']}"


def give_consent(person: Person, body: Json) -> None:
    """Fill in the form of a consent, and send it."""
    form = person.window.page.locator('main form[action$="/consent"]')
    for recipient in body["recipients"]:
        add_row(person, form, recipient)
    values = dict(flatten({k: v for k, v in body.items() if k != "recipients"}))
    for recipient in body["recipients"]:
        row = name_row(recipient)
        values[f"purposes:{row}"] = recipient["purposes"]
        values[f"sections:{row}"] = recipient["sections"]
    fill_form(person.window, form, values, person.zone)
    click(person.window, form.get_by_role("button", name="Record the consent"))


def add_row(person: Person, form: Locator, recipient: Json) -> None:
    """Add the office and the services of a recipient to the form, if they are missing."""
    office = recipient.get("focal_point", "")
    boxes = form.locator(f'[name="purposes:{name_row(recipient)}"]')
    for purpose in ("", *recipient["purposes"]):
        shown = boxes.evaluate_all("all => all.map(one => one.value)")
        if not shown and office:
            form.locator("select#add-office").select_option(office)
        elif not purpose or purpose in {*shown, *LEADING}:
            continue
        if purpose and purpose not in LEADING:
            form.locator("select#add-service").select_option(purpose)
        click(person.window, form.locator('button[name="add"]'))
