"""Request bodies of the "Refer someone" pages: case, routing preview, and screening."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from app.console import refer_consent_fields as consent
from app.console import refer_fields as fields
from app.console.api_client import ApiProblem, Json
from app.console.form_drafts import FormDraft
from app.console.formats import Formats
from app.console.forms import FilledForm, find_field, read_form
from app.console.refer_consent_fields import CONSENTS, Basis
from app.console.refer_steps import ALL_FIELDS, find_end, group_ticks, parse_day

LEADING: Final = "REFER"
"""The purpose of a consent for an office that is asked to lead."""
RETURN: Final = "RETURN"
"""A service that needs a consent of its own, without other purposes."""
ROUTING_SAFEGUARDS: Final = (
    "country_of_origin",
    "unsafe_focal_points",
    "fear_of_state",
    "official_implicated",
    "seeks_asylum",
)


def build_case(draft: FormDraft, formats: Formats) -> Json:
    """Return the body of `POST /v1/cases` for a form without errors."""
    filled = read_form(ALL_FIELDS, draft.form, formats.zone)
    body = filled.body
    case: Json = {
        "summary": body["summary"] | {"services": list_services(filled)},
        "sections": [{"section": name, **body[name]} for name in list_sections(filled)],
        "safeguards": body["safeguards"],
        "risk": body["risk"],
        "submit": True,
    }
    if any(body.get("screening", {}).values()):
        case["screening"] = body["screening"]
    if fields.REFERENCE.name in body:
        case[fields.REFERENCE.name] = body[fields.REFERENCE.name]
    basis = filled.get(consent.BASIS.name)
    if basis in CONSENTS:
        case["consents"] = [build_consent(filled, formats)]
    elif basis == Basis.VITAL_INTEREST:
        case["vital_interest"] = body["vital_interest"]
    return case


def list_sections(filled: FilledForm) -> Sequence[str]:
    """Return the sections with at least one value, in the order of the body."""
    return [name for name in consent.SECTIONS if any(filled.body.get(name, {}).values())]


def build_consent(filled: FilledForm, formats: Formats) -> Json:
    """Return the consent form with its recipients.

    Raises ValueError if the form has no day on which the consent ends.
    """
    day = parse_day(filled.get(consent.EXPIRES_ON.name))
    if day is None:
        raise ValueError("The form has no day on which the consent ends.")
    return {
        **filled.body["consent"],
        "given_by": filled.get(consent.BASIS.name),
        "expires_at": find_end(day, formats).isoformat(),
        "recipients": list(list_recipients(filled)),
    }


def list_recipients(filled: FilledForm) -> Iterator[Json]:
    """Yield the recipients of a consent, each with its purposes and sections.

    A consent ends as a whole. The purpose REFER therefore has an item of its own, so that
    the lead keeps the case if the person no longer wants a service.
    """
    services = [service for service in list_services(filled) if service != RETURN]
    for recipient, parts in group_ticks(filled).items():
        for purposes in ([LEADING], services) if services else ([LEADING],):
            yield {
                **describe_recipient(filled, recipient),
                "purposes": purposes,
                "sections": list_agreed_sections(parts, leads=purposes == [LEADING]),
            }


def list_agreed_sections(parts: Sequence[str], *, leads: bool) -> Sequence[str]:
    """Return the sections of a consent: to lead if `leads` is true, otherwise to help."""
    sections = [part for part in parts if part in consent.ALL_SECTIONS]
    is_for_lead = leads and consent.LEAD_IDENTITY in parts
    if is_for_lead and consent.IDENTITY not in sections:
        sections.append(consent.IDENTITY)
    return sections


def describe_recipient(filled: FilledForm, recipient: str) -> Json:
    """Return a recipient as JSON: one office, or a kind of office in a country."""
    if recipient == consent.OFFICE:
        return {"focal_point": filled.get(consent.OFFICE)}
    kind, _, country = recipient.partition("@")
    return {"recipient_class": {"kind": kind, "country": country}}


def list_services(filled: FilledForm) -> Sequence[str]:
    """Return the services that the person asks for, including those that cannot wait."""
    asked = filled.values.get(fields.SERVICES.name, ())
    urgent = filled.values.get(fields.URGENT.name, ())
    return [*asked, *(service for service in urgent if service not in asked)]


def build_routing(draft: FormDraft, formats: Formats) -> Json:
    """Return the body of `POST /v1/routing` for a form without errors."""
    filled = read_form(ALL_FIELDS, draft.form, formats.zone)
    summary, safeguards = filled.body["summary"], filled.body["safeguards"]
    question: Json = {
        name: summary[name] for name in ("country", "age_class", "language", "priority")
    }
    question["services"] = list_services(filled)
    question["safeguards"] = {
        name: safeguards[name] for name in ROUTING_SAFEGUARDS if name in safeguards
    }
    if filled.get(consent.BASIS.name) in CONSENTS:
        question["allowed_recipients"] = [
            describe_recipient(filled, recipient) for recipient in group_ticks(filled)
        ]
    return question


def build_screening(values: Mapping[str, Sequence[str]]) -> Json:
    """Return the body of `POST /v1/screenings`, or {} if nothing was ticked."""
    ticked = {
        field.name.partition("/")[2]: list(values.get(field.name, ()))
        for field in fields.SCREENING_FIELDS
    }
    if not any(ticked.values()):
        return {}
    age = next(iter(values.get(fields.AGE.name, ())), "")
    return {**ticked, "age_class": age} if age else ticked


PLACES: Final = (
    ("consents/0/recipients/", f"{consent.ALLOW.name}/"),
    ("consents/0/", "consent/"),
)
"""Prefixes of places in the body of a case, each with the prefix of the field names."""


def find_errors(
    problem: ApiProblem, draft: FormDraft, formats: Formats
) -> Mapping[str, str]:
    """Return the first error that the API found in each field of a case, by field name."""
    filled = read_form(ALL_FIELDS, draft.form, formats.zone)
    sections = enumerate(list_sections(filled))
    places = [*PLACES, *((f"sections/{n}/", f"{name}/") for n, name in sections)]
    found: dict[str, str] = {}
    for error in problem.body.get("errors", ()):
        place = translate_place(str(error["pointer"]).lstrip("#/"), places)
        name = find_field(place, (field.name for field in ALL_FIELDS))
        if name:
            found.setdefault(name, error["detail"])
    return found


def translate_place(place: str, places: Iterable[tuple[str, str]]) -> str:
    """Convert a path in the body of a case to the notation of the field names."""
    for start, name in places:
        if place.startswith(start):
            return name + place.removeprefix(start)
    return place
