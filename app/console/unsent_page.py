"""The page that shows an unsent form again, filled with the entered values.

The view of the form renders the page, with an API client that sends no writes. So each
form looks the same as after any other problem, and keeps its idempotency key.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Message

from app.console.api_client import ApiClient, ApiProblem, Withheld
from app.console.endpoints import UNSENT_PAGE, FormRoute, render_typed
from app.console.unsent_forms import (
    CHECK,
    NOT_SENT,
    PAGE,
    TypedForm,
    UnsentForm,
    read_unsent,
)
from app.console.visits import HOME, NOT_FOUND, View, Visit, has_plain_path, redirect_to

OK: Final = 200
NO_CONTENT: Final = 204
REDIRECTS: Final = 300
REPLAYED_FORM: Final = b"application/x-www-form-urlencoded"


async def list_unsent(api: ApiClient) -> Sequence[UnsentForm]:
    """Return the forms of the person that could not be sent, newest first."""
    return read_unsent((await api.get("unsent-forms")).body["items"])


async def find_first_page(visit: Visit, token: str, wanted: str = HOME) -> str:
    """Return the page that follows a sign-in, which is usually `wanted`.

    If `wanted` is the start page and there are unsent forms, it is their page.
    """
    if wanted != HOME:
        return wanted
    try:
        kept = await list_unsent(visit.api.build_client(token))
    except ApiProblem:
        return wanted
    return UNSENT_PAGE if kept else wanted


async def show_list(visit: Visit) -> Response:
    """Show the unsent forms. Redirect to the only form, or to the start page if none."""
    kept = await list_unsent(visit.api)
    if len(kept) == 1:
        return redirect_to(f"{UNSENT_PAGE}/{kept[0].name}")
    return visit.render("unsent_forms.html", kept=kept) if kept else redirect_to(HOME)


async def show_form(visit: Visit) -> Response:
    """Show an unsent form, filled with the entered values, or a 404 page if unknown."""
    name = visit.request.path_params["form"]
    kept = next((one for one in await list_unsent(visit.api) if one.name == name), None)
    if kept is None:
        return visit.render("gone.html", NOT_FOUND)
    texts = visit.texts
    body = {"title": texts.translate(NOT_SENT), "detail": texts.translate(CHECK)}
    withheld = Withheld(OK, body)
    shown = replace(visit, api=visit.api.build_reader(withheld), unsent=kept)
    view = find_view(visit, kept.typed)
    if view is None:  # the content is from another client, or from an earlier version
        return visit.render("gone.html", NOT_FOUND)
    response = await draw_form(shown, view)
    return response or render_typed(shown, withheld, kept.typed)


async def draw_form(visit: Visit, view: tuple[View, Request]) -> Response | None:
    """Return the page of a form from its view, or None if the view fails or redirects."""
    draw, request = view
    try:
        response = await draw(replace(visit, request=request))
    except (ApiProblem, HTTPException):
        return None
    return response if response.status_code < REDIRECTS else None


def find_view(visit: Visit, typed: TypedForm) -> tuple[View, Request] | None:
    """Return the view of a form and the request that fills it, or None if there is none."""
    body = urlencode(typed.fields).encode()
    scope = {
        **visit.request.scope,
        "method": "POST",
        "path": typed.path,
        "query_string": b"",
        "headers": [(b"content-type", REPLAYED_FORM)],
        "path_params": {},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    for route in visit.request.app.routes:
        match, child = route.matches(scope)
        if match == Match.FULL and isinstance(route, FormRoute):
            request = Request({**scope, **child}, receive)
            return (route.view, request) if has_plain_path(request) else None
    return None


async def save_form(visit: Visit) -> Response:
    """Save a form that the script of a page sends before it ends an idle session.

    Returns 404 for an empty form, or a form that is never kept, such as a settings form.
    """
    sent = await visit.request.form()
    typed = TypedForm.read(str(sent.get(PAGE, "")), sent)
    if not typed.is_filled or find_view(visit, typed) is None:
        return Response(status_code=NOT_FOUND)
    await visit.api.post("unsent-forms", typed.body)
    return Response(status_code=NO_CONTENT)


async def discard_form(visit: Visit) -> Response:
    """Delete a form that could not be sent."""
    name = visit.request.path_params["form"]
    await visit.api.send("DELETE", f"unsent-forms/{name}", headers={})
    return redirect_to(HOME)
