"""Functions that fill in forms of the console from request bodies, as a person would."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator

from tests.browser.windows import Window

type Json = dict[str, Any]
type Values = Mapping[str, object]
"""The values of fields by name. A list contains the values of several boxes or lines."""

BOX, RADIO, MANY_LINES, CHOICE = "checkbox", "radio", "textarea", "select-one"
DATE, TIME, HIDDEN = "date", "datetime-local", "hidden"
MINUTES: Final = "%Y-%m-%dT%H:%M"


class MissingField(AssertionError):  # noqa: N818 - named by its meaning, like Problem
    """A form of the console has no field for a value of a request."""


def flatten(body: Json, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of a body, each with its place, which is the name of its field."""
    for key, value in body.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{place}{key}/")
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            items = {str(number): one for number, one in enumerate(value)}
            yield from flatten(items, f"{place}{key}/")
        else:
            yield place + key, value


def unfold(window: Window, element: Locator) -> None:
    """Open every closed part of the page that hides an element."""
    folds = element.locator("xpath=ancestor::details[not(@open)]")
    while folds.count():
        window.interactions += 1
        folds.first.locator("xpath=./summary").click()


def click(window: Window, element: Locator) -> None:
    """Follow a link or press a button that leads to another page."""
    unfold(window, element)
    window.follow(element)


def fill_form(window: Window, form: Locator, values: Values, zone: ZoneInfo) -> None:
    """Fill in a form. Raises MissingField if the form lacks a field of `values`."""
    for name, value in values.items():
        if not fill_field(window, form, name, value, zone):
            raise MissingField(f"{window.page.url} has no field for {name}: {value}")


def fill_field(
    window: Window, form: Locator, name: str, value: object, zone: ZoneInfo
) -> bool:
    """Fill in a field, and return whether the form accepts the value.

    A form without the field accepts only None, False and an empty list. A hidden field
    accepts only the value that it has. Times are typed in `zone`.
    """
    fields = form.locator(f'[name="{name}"]')
    count = fields.count()
    if not count:
        return value in ([], False, None)
    first = fields.first
    kind = first.evaluate("one => one.type")
    if kind == HIDDEN:
        return bool(first.input_value() == value)
    if kind == BOX:
        return tick_boxes(window, fields, list_boxes(value))
    unfold(window, first)
    window.interactions += 1
    if kind == RADIO:
        form.locator(f'[name="{name}"][value="{value}"]').check()
    elif kind == CHOICE:
        first.select_option(str(value))
    else:
        first.fill(format_text(kind, value, zone))
    return True


def list_boxes(value: object) -> set[str]:
    """Return the values of the boxes that have to be ticked."""
    if isinstance(value, list):
        return set(value)
    return {"on"} if value is True else set()


def tick_boxes(window: Window, boxes: Locator, wanted: set[str]) -> bool:
    """Tick only the boxes with the given values. Return whether each value has a box."""
    shown = boxes.evaluate_all("all => all.map(one => [one.value, one.checked])")
    for number, (value, is_ticked) in enumerate(shown):
        if is_ticked != (value in wanted):
            unfold(window, boxes.nth(number))
            window.interactions += 1
            boxes.nth(number).click()
    return wanted <= {value for value, _ in shown}


def format_text(kind: str, value: object, zone: ZoneInfo) -> str:
    """Return a value as it is typed into a field of this kind."""
    if isinstance(value, list):
        return "\n".join(value)
    if kind == TIME:
        return datetime.fromisoformat(str(value)).astimezone(zone).strftime(MINUTES)
    if kind == DATE:
        return datetime.fromisoformat(str(value)).date().isoformat()
    return str(value)
