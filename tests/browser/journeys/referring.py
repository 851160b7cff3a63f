"""Functions that fill in the five steps of "Refer someone" from one request body."""

from dataclasses import dataclass
from typing import Final

from tests.browser.journeys.filling import Json, click, fill_form, flatten
from tests.browser.journeys.people import Person

STEPS: Final = 5
ASKED_SECTIONS: Final = ("needs", "contact")
"""The sections that the steps ask for. Others are written on the page of the case."""
LEADING: Final = "REFER"
"""The purpose of each recipient in the steps: the recipient may be asked to lead."""


@dataclass(frozen=True)
class Rest:
    """The values that the five steps do not ask for, but the page of the case does."""

    sections: list[Json]
    safeguards: Json
    risk: Json
    consent: Json


def refer(person: Person, body: Json) -> Rest:
    """Refer somebody in the five steps, and return the values that are left to add."""
    window = person.window
    click(window, window.page.locator("nav").get_by_role("link", name="Refer someone"))
    values = name_fields(body)
    for number in range(1, STEPS + 1):
        assert window.page.url.endswith(f"/refer/{number}"), window.page.inner_text("main")
        form = window.page.locator("main form[data-autosave]")
        for name in list(values):
            if form.locator(f'[name="{name}"]').count():
                fill_form(window, form, {name: values.pop(name)}, person.zone)
        click(window, form.locator("button.btn").first)
    return list_rest(body, values)


def name_fields(body: Json) -> Json:
    """Return the values of a case for the five steps of the form, keyed by field name."""
    names = ("summary", "risk", "safeguards", "external_reference", "vital_interest")
    values: Json = {"alone": "yes"}
    values |= dict(flatten({name: body[name] for name in names if name in body}))
    for section in body["sections"]:
        if section["section"] in ASKED_SECTIONS:
            values |= dict(flatten({section["section"]: section}))
            del values[f"{section['section']}/section"]
    if "consents" not in body:
        return values | {"basis": "vital_interest"}
    [consent] = body["consents"]
    terms = {k: v for k, v in consent.items() if k not in {"recipients", "given_by"}}
    asked = [one for one in consent["recipients"] if LEADING in one["purposes"]]
    values |= dict(flatten({"consent": terms}))
    values |= {"basis": consent["given_by"], "allow": list_ticks(asked)}
    offices = [one["focal_point"] for one in asked if "focal_point" in one]
    return values | ({"office": offices[0]} if offices else {})


def list_ticks(recipients: list[Json]) -> list[str]:
    """Return the boxes to tick for recipients that may be asked, and for their sections."""
    ticks = []
    for one in recipients:
        named = one.get("recipient_class")
        column = f"{named['kind']}@{named['country']}" if named else "office"
        ticks += [f"{column}:{row}" for row in ("refer", *one["sections"])]
    return ticks


def list_rest(body: Json, left: Json) -> Rest:
    """Return the values that have to be added on the page of the case.

    `left` contains the values for which the five steps have no field.
    """
    kept = [one for one in body["sections"] if one["section"] not in ASKED_SECTIONS]
    safeguards = "safeguards/origin_contact" in left
    risk = "risk/remarks" in left
    others = {
        name for name in left if name not in {"safeguards/origin_contact", "risk/remarks"}
    }
    assert not others, others
    consent: Json = {}
    for given in body.get("consents", ()):
        later = [one for one in given["recipients"] if LEADING not in one["purposes"]]
        consent = given | {"recipients": later} if later else {}
    return Rest(
        kept,
        body["safeguards"] if safeguards else {},
        body["risk"] if risk else {},
        consent,
    )
