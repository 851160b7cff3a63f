"""The pages to begin, list, confirm and cancel enrolments.

The link and the code are shown only in the response to the form. They are in no URL, so
that no log and no browser history contains them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.account_pages import ENROLMENTS, may_change, render_account
from app.console.action_forms import Attempt, build_attempt, select_attempt, send_form
from app.console.api_client import ApiProblem, Json
from app.console.forms import EMPTY
from app.console.notices import DONE, RECORDED
from app.console.visits import Visit, redirect_to

OPEN_STATES: Final = frozenset({"waiting", "confirmed"})


@dataclass(frozen=True)
class ListedEnrolment:
    """An enrolment with its account, and the account that began it.

    `creator` is None for an operator, and for an account of another office. If `is_own` is
    true, the reader began the enrolment, and cannot confirm it. If `may_change` is true,
    the reader may change the account, and may therefore cancel the enrolment.
    """

    row: Json
    account: Json
    creator: Json | None
    is_own: bool
    may_change: bool


async def begin_enrolment(visit: Visit) -> Response:
    """Begin an enrolment or a recovery and show its link once, or show the problem."""
    action = visit.request.path_params["action"]
    form = ENROLMENTS.get(action)
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    account, sent = str(visit.request.path_params["id"]), await visit.request.form()
    body = {"account": account, "recovery": form.is_grave}
    outcome = await send_form(visit, "enrolments", body, sent)
    if isinstance(outcome, ApiProblem):
        return await render_account(visit, build_attempt(action, EMPTY, outcome, sent))
    return await render_secret(visit, outcome.body)


async def show_enrolments(visit: Visit) -> Response:
    """Show the enrolments of an office that are waiting or confirmed."""
    return await render_enrolments(visit)


async def confirm_enrolment(visit: Visit) -> Response:
    """Confirm an enrolment as the second person and show its code once, or the problem."""
    outcome = await send_decision(visit, "confirm")
    if isinstance(outcome, Attempt):
        return await render_enrolments(visit, outcome)
    return await render_secret(visit, outcome)


async def cancel_enrolment(visit: Visit) -> Response:
    """Cancel an enrolment and redirect to the page of its account, or show the problem."""
    outcome = await send_decision(visit, "cancel")
    if isinstance(outcome, Attempt):
        return await render_enrolments(visit, outcome)
    page = f"/console/accounts/{outcome['account']}"
    return redirect_to(f"{page}?{urlencode({DONE: RECORDED})}")


async def send_decision(visit: Visit, decision: str) -> Json | Attempt:
    """Confirm or cancel an enrolment. Return the enrolment, or the failed attempt."""
    sent = await visit.request.form()
    path = f"enrolments/{visit.request.path_params['id']}/{decision}"
    outcome = await send_form(visit, path, None, sent)
    if isinstance(outcome, ApiProblem):
        return build_attempt(decision, EMPTY, outcome, sent)
    return outcome.body


async def render_secret(visit: Visit, made: Json) -> Response:
    """Return the page that shows the link or the code of an enrolment.

    If a form is sent again, the page has no secret, because it was already shown.
    """
    account = (await visit.api.get(f"accounts/{made['account']}")).body
    is_link, secret = "link" in made, made.get("link") or made.get("code")
    if is_link and secret:
        secret = format_link(visit, secret)
    return visit.render(
        "enrolment_secret.html", made=made, account=account, secret=secret, is_link=is_link
    )


def format_link(visit: Visit, link: str) -> str:
    """Return the URL of the page on which a link is redeemed.

    The link follows `#`, so that browsers do not send it to the server.
    """
    return f"{visit.request.app.state.origin}/console/enrol#{link}"


async def render_enrolments(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of an office's open enrolments, with a failed attempt, if any.

    The office is the reader's own, unless the query names another office.
    """
    office = visit.request.query_params.get("office", visit.me["focal_point"])
    query = urlencode({"focal_point": office})
    rows = (await visit.api.get(f"enrolments?{query}")).body["items"]
    accounts = (await visit.api.get(f"accounts?{query}")).body["items"]
    return visit.render(
        "enrolments.html",
        attempt.status if attempt else HTTPStatus.OK,
        office=office,
        enrolments=list_open(visit, rows, accounts),
        attempt=attempt,
        choose_key=partial(choose_key, visit, attempt),
    )


def choose_key(
    visit: Visit, attempt: Attempt | None, enrolment_id: str, decision: str
) -> str:
    """Return the key of a failed attempt to send this decision, or else a new key."""
    tried = select_attempt(visit, attempt, enrolment_id)
    return tried.key if tried and tried.action == decision else token_urlsafe()


def list_open(
    visit: Visit, rows: Sequence[Json], accounts: Sequence[Json]
) -> Sequence[ListedEnrolment]:
    """Return the enrolments that are waiting or confirmed, in the order of `rows`."""
    by_id: Mapping[str, Json] = {one["id"]: one for one in accounts}
    return [
        ListedEnrolment(
            row,
            account := by_id[row["account"]],
            creator := by_id.get(row["created_by"]),
            is_own=creator is not None and creator["person"] == visit.person_id,
            may_change=may_change(visit, account),
        )
        for row in rows
        if row["state"] in OPEN_STATES
    ]
