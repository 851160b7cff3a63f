"""The endpoints of pages, which check the sign-in and show a page for each problem.

A form that cannot be sent is kept or shown again, unless somebody ended the session.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.console.api_client import ApiProblem, Gone, SessionEnded, StepUpRequired
from app.console.unsent_forms import UNSENT, TypedForm, can_be_retried
from app.console.visits import (
    CONFIRM,
    HOME,
    NOT_FOUND,
    SEE_OTHER,
    SIGN_IN,
    Offices,
    View,
    Visit,
    begin_visit,
    find_last_page,
    has_plain_path,
    redirect_to,
)

type Endpoint = Callable[[Request], Awaitable[Response]]
MALFORMED: Final = 422
UNSENT_PAGE: Final = f"{HOME}unsent"


class FormRoute(Route):
    """A route of a form whose values are kept if the form cannot be sent."""

    def __init__(self, path: str, view: View, methods: list[str]) -> None:
        super().__init__(path, require_session(view, keeps=True), methods=methods)
        self.view = view


def require_session(view: View, *, keeps: bool = False) -> Endpoint:
    """Return an endpoint that shows a view to a signed-in person only.

    If `keeps` is true, the entered values of a form that cannot be sent are kept.
    """

    async def show(request: Request) -> Response:
        visit = begin_visit(request)
        typed = await read_typed_form(request) if keeps else None
        try:
            if not visit.has_cookie:
                return redirect_to(SIGN_IN)
            if not has_plain_path(request):
                return visit.render("gone.html", NOT_FOUND)
            await load_person(visit)
            response = await view(visit)
        except ApiProblem as problem:
            if typed:
                return await show_unsent_form(visit, problem, typed)
            return show_problem(visit, problem)
        if keeps and response.status_code == SEE_OTHER:
            await delete_sent_form(visit)
        return response

    return show


async def read_typed_form(request: Request) -> TypedForm | None:
    """Return the form of a request, or None if it has no form or nothing was entered.

    The form is stored in the state of the request, for the page that reports an error.
    """
    if request.method != "POST":
        return None
    sent = TypedForm.read(request.url.path, await request.form())
    typed = sent if sent.is_filled else None
    request.state.typed = typed
    return typed


async def load_person(visit: Visit) -> None:
    """Load the person and the offices into a visit. Raises ApiProblem."""
    offices: Offices = visit.request.app.state.offices
    answer, visit.offices = await asyncio.gather(
        visit.api.get("me"), offices.read(visit.api)
    )
    visit.me = answer.body


async def delete_sent_form(visit: Visit) -> None:
    """Delete the kept form that was sent. If this fails, the API deletes it after a day."""
    name = str((await visit.request.form()).get(UNSENT, ""))
    if name.isascii() and name.isalnum():
        with suppress(ApiProblem):
            await visit.api.send("DELETE", f"unsent-forms/{name}", headers={})


async def show_unsent_form(visit: Visit, problem: ApiProblem, typed: TypedForm) -> Response:
    """Return the page or redirect for a form that could not be sent.

    If the person has to sign in again, the API keeps the form. If that fails, or for any
    other problem, the page contains the form. If somebody ended the session, nothing is
    kept, because the person may have left in a hurry.
    """
    if not isinstance(problem, SessionEnded | StepUpRequired):
        return render_typed(visit, problem, typed)
    try:
        await visit.api.post("unsent-forms", typed.body)
    except SessionEnded:
        return visit.render("session_ended.html", problem.status, is_kept=False)
    except ApiProblem as refusal:
        return render_typed(visit, refusal, typed)
    if isinstance(problem, StepUpRequired):
        return redirect_to(f"{CONFIRM}?{urlencode({'next': UNSENT_PAGE})}")
    return visit.render("session_ended.html", problem.status, is_kept=True)


def render_typed(visit: Visit, problem: ApiProblem, typed: TypedForm) -> Response:
    """Return the page with a problem, the entered texts and, if useful, a retry button."""
    status = NOT_FOUND if isinstance(problem, Gone) else problem.status
    return visit.render(
        "unsent.html",
        status,
        problem=problem,
        typed=typed,
        may_retry=can_be_retried(problem),
    )


def show_problem(visit: Visit, problem: ApiProblem) -> Response:
    """Return the page or redirect for a problem that no form of the page can show.

    A malformed code in the URL gets the same page as a record that the user may not see.
    """
    is_malformed = problem.status == MALFORMED and visit.request.method == "GET"
    if isinstance(problem, StepUpRequired):
        return redirect_to(f"{CONFIRM}?{urlencode({'next': find_last_page(visit)})}")
    if isinstance(problem, SessionEnded):
        return visit.render("session_ended.html", problem.status, is_kept=None)
    if isinstance(problem, Gone) or is_malformed:
        return visit.render("gone.html", NOT_FOUND)
    return visit.render("problem.html", problem.status, problem=problem)


def show_to_anyone(view: View) -> Endpoint:
    """Return an endpoint that shows a view to anyone, signed in or not."""

    async def show(request: Request) -> Response:
        visit = begin_visit(request)
        try:
            return await view(visit)
        except ApiProblem as problem:
            return show_problem(visit, problem)

    return show
