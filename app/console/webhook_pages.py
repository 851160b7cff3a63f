"""Pages for an office's webhooks: the list, the form for a new webhook, and changes.

A secret is shown only in the response to the form that created it, and never in a URL. The
page of an approval cannot show the secret, because another person reads that page.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    OfferedAction,
    Target,
    build_attempt,
    build_local_attempt,
    get_text,
    offer_action,
    select_attempt,
    send_form,
    submit_form,
)
from app.console.api_client import ApiProblem, Json, resolve_call
from app.console.forms import EMPTY, KEY, FieldKind, FormField, read_form
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import Visit
from app.console.webhook_answers import describe_answer

PAGE: Final = "/console/webhooks"
APPROVED_ACTION: Final = "webhook.open"
WAITING: Final = frozenset({"pending", "approved"})
MANAGERS: Final = frozenset({"supervisor", "administrator"})
"""The roles that may change the webhooks of an office."""
PARTS_OF_REQUEST: Final = ("focal_point", "label", "url")
MAX_APPROVALS: Final = 50
CREATE: Final = ActionForm(
    action="create",
    hint=mark(
        "A second person has to approve this. Then open the webhook here, to see its "
        "secret."
    ),
    fields=(
        FormField(
            name="label",
            label=mark("Name of the receiving system"),
            hint=mark("Never the name of a person."),
        ),
        FormField(
            name="url",
            label=mark("Address of the receiver"),
            hint=mark(
                "It begins with https:// and has no query. The operator of this service "
                "has to list its host first."
            ),
        ),
    ),
)
OPEN: Final = ActionForm(action="open")
ROTATE: Final = ActionForm(
    action="rotate-secret",
    hint=mark("The new secret is shown once. Until the old one ends, both are in use."),
    fields=(
        FormField(
            name="overlap_hours",
            label=mark("For how many hours is the old secret still used?"),
            hint=mark("Left empty: 24 hours. 0: it ends at once."),
            kind=FieldKind.NUMBER,
            is_required=False,
        ),
    ),
)
REPLAY: Final = ActionForm(
    action="replay",
    hint=mark("The receiver gets the messages again, in the same order."),
    fields=(
        FormField(
            name="after",
            label=mark("After which position?"),
            hint=mark("The “cursor” of a message. Left empty: all messages."),
            is_required=False,
        ),
    ),
)
PING: Final = ActionForm(
    action="ping", hint=mark("The result is on this page within seconds. Reload it.")
)
PAUSE: Final = ActionForm(
    action="pause", hint=mark("Messages are kept, and are sent when you resume.")
)
RESUME: Final = ActionForm(
    action="resume", hint=mark("Messages that were not sent are then sent.")
)
END: Final = ActionForm(
    action="end",
    hint=mark("The webhook and its secrets end at once, and cannot be used again."),
    is_grave=True,
)
CHANGES: Final[Mapping[str, ActionForm]] = {
    form.action: form for form in (PING, PAUSE, RESUME, REPLAY, ROTATE, END)
}
"""The forms that change a webhook, by the last part of the path of the operation."""
IMPOSSIBLE: Final[Mapping[str, frozenset[str]]] = {
    "active": frozenset({RESUME.action}),
    "paused": frozenset({PAUSE.action}),
    "stalled": frozenset({PAUSE.action}),
    "ended": frozenset(CHANGES),
}
"""The changes that the page of a webhook does not offer, by the state of the webhook."""


async def show_webhooks(visit: Visit) -> Response:
    """Show the webhooks of the office, and the form to request a new one."""
    return await render_webhooks(visit)


async def ask_for_webhook(visit: Visit) -> Response:
    """Request a new webhook, or show the form again with a problem."""
    target = Target(
        path="webhooks",
        page=PAGE,
        done=RECORDED,
        fixed={"focal_point": visit.me["focal_point"]},
    )
    outcome = await submit_form(visit, CREATE, target)
    return (
        outcome if isinstance(outcome, Response) else await render_webhooks(visit, outcome)
    )


async def open_webhook(visit: Visit) -> Response:
    """Create a webhook that a second person approved, and show its secret once."""
    identity = str(visit.request.path_params["id"])
    approval = (await visit.api.get(f"approvals/{identity}")).body
    if approval["action"] != APPROVED_ACTION:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    body = {name: approval["facts"][name] for name in PARTS_OF_REQUEST}
    sent = await visit.request.form()
    key = get_text(sent, KEY) or token_urlsafe()
    headers = {"Idempotency-Key": key, "Approval": identity}
    call = visit.api.send("POST", "webhooks", body, headers=headers)
    outcome = await resolve_call(call)
    if isinstance(outcome, ApiProblem):
        attempt = build_attempt(OPEN.action, EMPTY, outcome, sent)
        return await render_webhooks(visit, attempt)
    return render_secret(visit, outcome.body)


async def render_webhooks(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of the office's webhooks, with a failed attempt, if any."""
    webhooks = (await visit.api.get("webhooks")).body["items"]
    is_manager = may_change_webhooks(visit)
    asked = await list_requests(visit) if is_manager else ()
    return visit.render(
        "webhooks.html",
        attempt.status if attempt else HTTPStatus.OK,
        webhooks=webhooks,
        requests=[
            (one, offer_action(OPEN, {}, select_attempt(visit, attempt, one["id"])))
            for one in asked
        ],
        one=offer_action(CREATE, {}, attempt) if is_manager else None,
        attempt=attempt,
    )


async def list_requests(visit: Visit) -> Sequence[Json]:
    """List the person's own requests for a webhook that are pending or approved."""
    page = (await visit.api.get(f"approvals?limit={MAX_APPROVALS}")).body
    return [
        one
        for one in page["items"]
        if one["action"] == APPROVED_ACTION
        and one["asked_by_you"]
        and one["decision"] in WAITING
    ]


def may_change_webhooks(visit: Visit) -> bool:
    """Return whether the pages offer changes. The API checks all rules."""
    return visit.may("webhooks:write") and bool(visit.roles & MANAGERS)


async def show_webhook(visit: Visit) -> Response:
    """Show one webhook, its last attempts, and the forms that change it."""
    return await render_webhook(visit)


async def update_webhook(visit: Visit) -> Response:
    """Change a webhook, or show the page again with the entered values."""
    names = visit.request.path_params
    form = CHANGES.get(names["action"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    path = f"webhooks/{names['id']}"
    if form is ROTATE:
        return await rotate_secret(visit, path)
    fixed = {"after": None} if form is REPLAY else {}
    target = Target(
        path=f"{path}/{form.last_path}",
        page=f"/console/{path}",
        done=RECORDED,
        fixed=fixed,
    )
    outcome = await submit_form(visit, form, target)
    return (
        outcome if isinstance(outcome, Response) else await render_webhook(visit, outcome)
    )


async def rotate_secret(visit: Visit, path: str) -> Response:
    """Replace the secret of a webhook and show the new one once, or show the problem."""
    sent = await visit.request.form()
    filled = read_form(ROTATE.fields, sent, visit.formats.zone)
    if filled.errors:
        attempt = build_local_attempt(ROTATE.action, filled, sent)
        return await render_webhook(visit, attempt)
    outcome = await send_form(visit, f"{path}/{ROTATE.last_path}", filled.body, sent)
    if isinstance(outcome, ApiProblem):
        attempt = build_attempt(ROTATE.action, filled, outcome, sent)
        return await render_webhook(visit, attempt)
    return render_secret(visit, outcome.body)


def render_secret(visit: Visit, webhook: Json) -> Response:
    """Return the page with a new secret, or without it if the form was sent again."""
    return visit.render("webhook_secret.html", webhook=webhook)


async def render_webhook(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the page of a webhook, with a failed attempt to change it, if any."""
    path = f"webhooks/{visit.request.path_params['id']}"
    webhook: Json = (await visit.api.get(path)).body
    return visit.render(
        "webhook.html",
        attempt.status if attempt else HTTPStatus.OK,
        webhook=webhook,
        describe_answer=partial(describe_answer, visit.texts),
        forms_of_webhook=list_forms(visit, webhook, attempt),
        attempt=attempt,
    )


def list_forms(
    visit: Visit, webhook: Json, attempt: Attempt | None
) -> Sequence[OfferedAction]:
    """Return the forms that change a webhook in its state, or none without permission."""
    if not may_change_webhooks(visit):
        return ()
    impossible = IMPOSSIBLE.get(webhook["state"], frozenset())
    possible = (form for form in CHANGES.values() if form.action not in impossible)
    return [offer_action(form, {}, attempt) for form in possible]
