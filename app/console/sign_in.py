"""The pages for signing in and out, and the quick exit."""

from contextlib import suppress
from typing import Final

from starlette.responses import Response

from app.console.api_client import ApiProblem, SessionEnded
from app.console.visits import SESSION_COOKIE, SIGN_IN, Visit, redirect_to

ENDED: Final = "/console/ended"
KEPT: Final = "kept"
"""The parameter that makes a page say that the entered values are kept."""
CLEARED: Final = '"cache", "storage"'
LEFT: Final = '"cache", "cookies", "storage"'
"""The data that the quick exit deletes, including the settings in this browser."""


async def show_sign_in(visit: Visit) -> Response:
    """Show the page on which a person signs in."""
    query = visit.request.query_params
    return visit.render(
        "sign_in.html", signed_out="signed-out" in query, is_kept=KEPT in query
    )


async def show_session_ended(visit: Visit) -> Response:
    """Show that the session has ended and, if KEPT is set, that a form was saved."""
    is_kept = KEPT in visit.request.query_params or None
    return visit.render("session_ended.html", 401, is_kept=is_kept)


async def end_unused_session(visit: Visit) -> Response:
    """End the session, as a page's script requests when the page was idle for too long."""
    is_kept = KEPT in await visit.request.form()
    await end_session(visit)
    return clear_session(redirect_to(f"{ENDED}?{KEPT}" if is_kept else ENDED))


async def sign_out(visit: Visit) -> Response:
    """End the session, and make the browser delete the pages that it stored.

    If the session cannot be ended now, a page says so, and the browser keeps the session.
    """
    with suppress(SessionEnded):
        await visit.api.post("sessions/end")
    return clear_browser(redirect_to(f"{SIGN_IN}?signed-out"))


async def leave(visit: Visit) -> Response:
    """Leave the console at once: end the session, and open a harmless site.

    The response is 200 with `Refresh`, because `form-action` would block a redirect to
    another site. This works without JavaScript.
    """
    await end_session(visit)
    response = Response(status_code=200)
    response.headers["Refresh"] = f"0; url={visit.request.app.state.options.exit_url}"
    return clear_browser(response, LEFT)


async def end_session(visit: Visit) -> None:
    """End the session of the visit. Problems are ignored, as it may have ended before."""
    with suppress(ApiProblem):
        await visit.api.post("sessions/end")


def clear_browser[R: Response](response: R, cleared: str = CLEARED) -> R:
    """Make the browser delete the session cookie and the pages that it stored.

    The settings in this browser stay, except after the quick exit.
    """
    response.headers["Clear-Site-Data"] = cleared
    return clear_session(response)


def clear_session[R: Response](response: R) -> R:
    """Make the browser delete the session cookie."""
    response.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="lax")
    return response


def store_session[R: Response](response: R, token: str) -> R:
    """Store the session in a cookie that the browser deletes when it is closed."""
    response.set_cookie(SESSION_COOKIE, token, secure=True, httponly=True, samesite="lax")
    return response


async def renew_session(visit: Visit) -> Response:
    """Renew the session of a person who reads a page for a long time.

    Returns 204, or 401 if the session has ended.
    """
    await visit.api.get("me")
    return Response(status_code=204)
