"""Pages that show requests for approval, and send the decisions on them to the API."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.api_client import ApiProblem, Json, resolve_call
from app.console.notices import DECIDED, DONE
from app.console.translations import mark
from app.console.visits import Visit, redirect_to

PAGE_SIZE: Final = 50
PENDING: Final = "pending"
DECISIONS: Final = frozenset({"confirm", "approve", "refuse", "withdraw"})
"""The last parts of the paths of the operations that decide on an approval."""
PAGES: Final = {
    "cases": "cases",
    "accounts": "accounts",
    "returns": "returns",
    "figures": "figures",
    "focal-points": "directory",
}
"""The pages of the records that an approval can be about, by their path in the API."""
FIELDS: Final[Mapping[str, str]] = {
    "active": mark("Active"),
    "address": mark("Address"),
    "ages": mark("Age groups"),
    "amount": mark("Amount"),
    "as_of": mark("Known for"),
    "can_lead": mark("Can lead a case"),
    "channel": mark("Means of contact"),
    "code": mark("Code"),
    "confidence": mark("Confidence"),
    "continues_in": mark("Continues in"),
    "countries": mark("Countries"),
    "days": mark("Days"),
    "deadline": mark("Deadline"),
    "deputy": mark("When it is closed"),
    "evidence": mark("Evidence"),
    "expires_at": mark("The consent ends on"),
    "first_contact": mark("First contact"),
    "focal_point": mark("Office"),
    "form_version": mark("Version of the form"),
    "function": mark("Main task"),
    "given_by": mark("Given by"),
    "has": mark("Roles until now"),
    "in_force_from": mark("In force from"),
    "in_force_until": mark("In force until"),
    "interpreter": mark("An interpreter was present"),
    "jwk": mark("Public key"),
    "kind": mark("Kind"),
    "label": mark("Label"),
    "language": mark("Language"),
    "languages": mark("Languages"),
    "level": mark("Level"),
    "name": mark("Name"),
    "needs_criminal_case": mark("Needs a criminal case"),
    "note": mark("Note"),
    "obtained_on": mark("Day of the consent"),
    "of": mark("Country or office"),
    "of_state": mark("State that it belongs to"),
    "opening": mark("Opening hours"),
    "overlap_hours": mark("Hours for which the old key still works"),
    "person": mark("Person"),
    "person_asked_to_leave": mark("The person asked to leave"),
    "person_informed": mark("The person was told"),
    "places": mark("Places in all"),
    "priority": mark("Priority"),
    "protection": mark("Protection that is asked for"),
    "purposes": mark("Purposes"),
    "quarter": mark("Quarter"),
    "reason": mark("Reason"),
    "roles": mark("Roles"),
    "routing_reason": mark("Reason for the order of offices"),
    "scopes": mark("What the key may do"),
    "sections": mark("Sections"),
    "serves": mark("Works in"),
    "services": mark("Services"),
    "sexes": mark("Serves"),
    "short_names": mark("Short names"),
    "source": mark("Source"),
    "state_routing": mark("Use of State offices"),
    "time_zone": mark("Time zone"),
    "unit": mark("Unit"),
    "url": mark("Address"),
    "value": mark("Value"),
}
"""The labels of the fields of requests that a second person approves."""
WORDS: Final[Mapping[str, Sequence[str]]] = {
    "ages": ("age_groups",),
    "deadline": ("deadlines",),
    "function": ("office_functions",),
    "given_by": ("consent_givers",),
    "has": ("roles",),
    "kind": ("office_kinds", "account_kinds"),
    "priority": ("priorities",),
    "purposes": ("purposes",),
    "roles": ("roles",),
    "sections": ("sections",),
    "services": ("services",),
    "sexes": ("sexes",),
}
"""The reference lists with the labels of the values of a field."""


async def show_approvals(visit: Visit) -> Response:
    """Show the approvals to decide, those that the account asked for, and decided ones."""
    after = visit.request.query_params.get("after")
    query = urlencode({"limit": PAGE_SIZE, **({"after": after} if after else {})})
    page = (await visit.api.get(f"approvals?{query}")).body
    pending = [one for one in page["items"] if one["decision"] == PENDING]
    return visit.render(
        "approvals.html",
        to_decide=[one for one in pending if not one["asked_by_you"]],
        asked=[one for one in pending if one["asked_by_you"]],
        decided=[one for one in page["items"] if one["decision"] != PENDING],
        next=page.get("next"),
    )


async def show_approval(visit: Visit) -> Response:
    """Show an approval: the request, who made it, what it changes, and when it expires."""
    return await render_approval(visit)


async def decide_approval(visit: Visit) -> Response:
    """Send the decision on an approval to the API, and redirect to the approval's page.

    If the API refuses the decision, the page is shown with the problem. Raises
    HTTPException (404) if the decision in the path is unknown.
    """
    decision = visit.request.path_params["decision"]
    if decision not in DECISIONS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    identity = visit.request.path_params["id"]
    call = visit.api.post(f"approvals/{identity}/{decision}")
    outcome = await resolve_call(call)
    if isinstance(outcome, ApiProblem):
        return await render_approval(visit, outcome)
    return redirect_to(f"/console/approvals/{identity}?{urlencode({DONE: DECIDED})}")


async def render_approval(visit: Visit, problem: ApiProblem | None = None) -> Response:
    """Return the page of an approval, with the problem that a decision caused, if any."""
    answer = await visit.api.get(f"approvals/{visit.request.path_params['id']}")
    approval = answer.body
    return visit.render(
        "approval.html",
        problem.status if problem else HTTPStatus.OK,
        approval=approval,
        changes=list_changes(approval["request"]),
        labels=FIELDS,
        lists=WORDS,
        record=find_record(approval["subject"]),
        may_decide=may_decide(visit, approval),
        problem=problem,
    )


def may_decide(visit: Visit, approval: Json) -> bool:
    """Return whether the page offers to decide an approval. The API checks all rules."""
    undecided = approval["decision"] in {PENDING, "approved"}
    return (
        undecided
        and not approval["asked_by_you"]
        and bool(visit.roles & set(approval["roles"]))
    )


def list_changes(request: Json | None) -> Sequence[tuple[str, object, object]]:
    """Return the fields of a request with the old and new values, changed fields first.

    A field that does not change has the same value twice. The list is empty for None.
    """
    if request is None:
        return ()
    before, after = request["before"] or {}, request["after"]
    names = [*after, *(name for name in before if name not in after)]
    rows = [(name, before.get(name), after.get(name)) for name in names]
    return sorted(rows, key=lambda row: request["before"] is not None and row[1] == row[2])


def find_record(subject: str) -> str | None:
    """Return the page of the record that an approval is about, or None if it has none."""
    kind, _, identity = subject.partition("/")
    page = PAGES.get(kind)
    return f"/console/{page}/{identity}" if page and identity else None
