"""The pages of the directory: the offices by country, and one office."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    OfferedAction,
    Target,
    offer_action,
    submit_form,
)
from app.console.api_client import ApiProblem, Json, resolve_call
from app.console.case_fields import CONTACT_LABELS, ask_contacts
from app.console.forms import FieldKind, FilledForm, FormField
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import EVERYWHERE, MAX_OFFICES, Visit

CONTACTS: Final = "default-contacts"
FILTERS: Final = ("country", "service")
OWN_FORMS: Final[Mapping[str, ActionForm]] = {
    form.action: form
    for form in (
        ActionForm(
            action="capacity",
            hint=mark("The number counts for seven days. Nobody else sees it."),
            fields=(
                FormField(
                    name="free",
                    label=mark("How many places are free?"),
                    kind=FieldKind.NUMBER,
                ),
            ),
        ),
        ActionForm(
            action=CONTACTS,
            hint=mark("They are used when your office accepts and names nobody else."),
            fields=ask_contacts(is_required=True, count=len(CONTACT_LABELS)),
        ),
    )
}
"""The forms of the reader's own office, by the last part of the operation's path."""


async def show_directory(visit: Visit) -> Response:
    """Show the offices by country, filtered by a country and a service if given."""
    asked = visit.request.query_params
    query = {name: asked[name] for name in FILTERS if asked.get(name)}
    after = {"after": asked["after"]} if asked.get("after") else {}
    parameters = urlencode({**query, **after, "limit": MAX_OFFICES})
    page = (await visit.api.get(f"focal-points?{parameters}")).body
    return visit.render(
        "directory.html",
        groups=group_by_country(visit, page["items"], query.get("country", "")),
        countries=list_countries(visit),
        query=query,
        next=page.get("next"),
    )


def list_countries(visit: Visit) -> Sequence[tuple[str, str]]:
    """Return the codes and names of the countries with offices, sorted by name."""
    codes = {code for office in visit.offices.values() for code in office["serves"]}
    named = [(code, visit.formats.name_country(code)) for code in codes - {EVERYWHERE}]
    return sorted(named, key=lambda country: country[1])


def group_by_country(
    visit: Visit, offices: Iterable[Json], only: str
) -> Sequence[tuple[str, Sequence[Json]]]:
    """Group offices by country, sorted by name; if `only` is set, omit other countries.

    An office is listed in each country in which it works. Offices that work everywhere,
    and offices without a country, always come last, under an empty name.
    """
    groups: dict[str, list[Json]] = {}
    for office in sorted(offices, key=lambda one: visit.name_office(one["code"])):
        served = [code for code in office["serves"] if code != EVERYWHERE] or [""]
        for code in served:
            if code in {only, ""} or not only:
                groups.setdefault(code, []).append(office)
    named = [
        (visit.formats.name_country(code) if code else "", found)
        for code, found in groups.items()
    ]
    return sorted(named, key=lambda group: (not group[0], group[0]))


async def show_office(visit: Visit) -> Response:
    """Show one office, with forms to change it if it is the reader's own."""
    return await render_office(visit)


async def update_own_office(visit: Visit) -> Response:
    """Change the reader's own office, or show the page again with the entered values."""
    code, form = visit.request.path_params["code"], get_form(visit)
    target = Target(
        method="PUT",
        path=f"focal-points/{code}/{form.last_path}",
        page=f"/console/directory/{code}",
        done=RECORDED,
    )
    outcome = await submit_form(visit, form, target)
    if isinstance(outcome, Response):
        return outcome
    return await render_office(visit, outcome)


def get_form(visit: Visit) -> ActionForm:
    """Return the form that the address names, or raise HTTPException (404)."""
    form = OWN_FORMS.get(visit.request.path_params["form"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return form


async def render_office(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the page of an office, with a failed attempt to change it, if any."""
    code = visit.request.path_params["code"]
    office = (await visit.api.get(f"focal-points/{code}")).body
    is_own = code == visit.me["focal_point"]
    contacts = await read_default_contacts(visit, code) if is_own else None
    return visit.render(
        "office.html",
        attempt.status if attempt else HTTPStatus.OK,
        office=office,
        contacts=contacts,
        forms_of_office=list_own_forms(visit, contacts, attempt) if is_own else (),
        attempt=attempt,
    )


async def read_default_contacts(visit: Visit, code: str) -> Json | None:
    """Return the default contact persons of an office, or None if the API refuses this."""
    answer = await resolve_call(visit.api.get(f"focal-points/{code}/default-contacts"))
    return None if isinstance(answer, ApiProblem) else answer.body


def list_own_forms(
    visit: Visit, contacts: Json | None, attempt: Attempt | None
) -> Sequence[OfferedAction]:
    """Return the forms for the reader's office, or none without `directory:write`.

    The form for contact persons contains the stored ones, because sending it replaces them.
    """
    if not visit.may("directory:write"):
        return ()
    offered = [offer_action(form, {}, attempt) for form in OWN_FORMS.values()]
    stored = fill_contacts(contacts)
    return [
        replace(one, filled=stored)
        if one.form.action == CONTACTS and not one.is_tried
        else one
        for one in offered
    ]


def fill_contacts(contacts: Json | None) -> FilledForm:
    """Return the form for contact persons, filled with the stored ones, if any."""
    stored = (contacts["contacts"] if contacts else None) or ()
    return FilledForm(
        values={
            f"contacts/{number}/{name}": [contact[name]]
            for number, contact in enumerate(stored)
            for name in ("name", "phone")
        }
    )
