"""The page "Ask an office for help": offices for a service, and the referral to one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.console.action_forms import (
    Attempt,
    build_attempt,
    build_local_attempt,
    redirect_after,
    send_form,
)
from app.console.agreed_sections import list_agreed_sections
from app.console.api_client import ApiProblem, Json
from app.console.forms import EMPTY, FieldKind, FilledForm, FormField, read_form
from app.console.translations import mark
from app.console.visits import Visit

NO_CONSENT: Final = "no_consent"
"""The reason for excluding an office that could be asked if the person agrees."""
SECTIONS: Final = FormField(
    name="sections",
    label=mark("What may the office open after it accepts?"),
    kind=FieldKind.CHOICES,
    words="sections",
    is_required=False,
)
RECIPIENT: Final = FormField(name="recipient", label=mark("Office"), kind=FieldKind.OFFICE)
FIELDS: Final = (
    RECIPIENT,
    FormField(name="service", label=mark("Service")),
    SECTIONS,
)
OTHER_FIELDS: Final = (
    RECIPIENT,
    replace(SECTIONS, hint=mark("Only what the person agreed to share with this office.")),
)
"""The fields of a referral to an office that is not proposed."""
SUGGESTED: Final = FilledForm(values={SECTIONS.name: ("needs",)})
"""The preset values of the form, with no section other than `needs`."""
SENT: Final = "referral_actions.send"


@dataclass(frozen=True)
class Candidate:
    """An office that could be asked, with the sections that it could open."""

    code: str
    ranked: Json
    sections: FormField | None
    """The field for the sections; None if the person agreed to none."""
    key: str


async def show_recipients(visit: Visit) -> Response:
    """Show the offices that could give a service. Nothing is recorded."""
    return await render_recipients(visit, visit.request.query_params.get("service", ""))


async def ask_recipient(visit: Visit) -> Response:
    """Send a referral to the chosen office, or show the page again with a problem."""
    sent = await visit.request.form()
    filled = read_form(FIELDS, sent, visit.formats.zone)
    if filled.errors:
        attempt = build_local_attempt(filled.get("recipient"), filled, sent)
        return await render_recipients(visit, filled.get("service"), attempt)
    code = visit.request.path_params["code"]
    body = {**filled.body, "send": True}
    outcome = await send_form(visit, f"cases/{code}/referrals", body, sent)
    if isinstance(outcome, ApiProblem):
        attempt = build_attempt(filled.get("recipient"), filled, outcome, sent)
        return await render_recipients(visit, filled.get("service"), attempt)
    return redirect_after(outcome, f"/console/referrals/{outcome.body['id']}", SENT)


async def render_recipients(
    visit: Visit, service: str, attempt: Attempt | None = None
) -> Response:
    """Return the page for one service.

    If `service` is empty, this is the first service of the summary. If the summary has no
    service, it is the first of the reference list.
    """
    code = visit.request.path_params["code"]
    case = (await visit.api.get(f"cases/{code}?include=consents")).body
    wanted = case["summary"]["services"]
    service = service or next(iter(wanted), visit.formats.list_codes("services")[0])
    query = urlencode({"service": service})
    answer = await visit.api.get(f"cases/{code}/recipients?{query}")
    found = answer.body["services"][0]
    consents = case["included"]["consents"]["items"] if case["included"] else ()
    excluded = found["excluded"]
    return visit.render(
        "recipients.html",
        attempt.status if attempt else HTTPStatus.OK,
        case=case,
        service=service,
        advice=answer.body["advice"],
        desk=answer.body["desk"],
        candidates=[
            build_candidate(visit, one, consents, service, attempt)
            for one in found["candidates"]
        ],
        after_consent=[one for one in excluded if one["reasons"] == [NO_CONSENT]],
        others=[one for one in excluded if one["reasons"] != [NO_CONSENT]],
        suggested=SUGGESTED,
        fields=OTHER_FIELDS,
        empty=EMPTY,
        key=token_urlsafe(),
        attempt=attempt,
    )


def build_candidate(
    visit: Visit,
    ranked: Json,
    consents: Sequence[Json],
    service: str,
    attempt: Attempt | None,
) -> Candidate:
    """Return an office that could be asked, with the sections that it could open."""
    code = ranked["focal_point"]
    office = visit.offices.get(code)
    agreed = (
        list_agreed_sections(consents, office, service, visit.formats.now) if office else ()
    )
    key = attempt.key if attempt and attempt.action == code else token_urlsafe()
    field = replace(SECTIONS, codes=tuple(agreed)) if agreed else None
    return Candidate(code, ranked, field, key)
