"""The settings of a reader: language and time zone, kept in cookies of this browser."""

import asyncio
from typing import Final

from starlette.responses import Response

from app.console.passkeys import SETTINGS
from app.console.sign_in import clear_session
from app.console.translations import LANGUAGES
from app.console.visits import (
    LANGUAGE_COOKIE,
    SIGN_IN,
    ZONE_COOKIE,
    Visit,
    find_last_page,
    redirect_to,
)
from app.kernel.time_zones import list_time_zones

YEAR_SECONDS: Final = 365 * 24 * 3600
OFFICE_ZONE: Final = ""
"""The choice of the time zone of the office, which needs no cookie."""


async def show_settings(visit: Visit) -> Response:
    """Show the settings, the sessions and the passkeys of the person."""
    sessions, passkeys = await asyncio.gather(
        visit.api.get("sessions"), visit.api.get("passkeys")
    )
    return visit.render(
        "settings.html",
        zones=sorted(zone for zone in list_time_zones() if "/" in zone),
        chosen=visit.request.cookies.get(ZONE_COOKIE, OFFICE_ZONE),
        sessions=sessions.body["items"],
        passkeys=passkeys.body["items"],
    )


async def end_session(visit: Visit) -> Response:
    """End another session of the person, for example on a device that was lost."""
    session = visit.request.path_params["session_id"]
    await visit.api.post(f"sessions/{session}/end")
    return redirect_to(SETTINGS)


async def end_all_sessions(visit: Visit) -> Response:
    """End all sessions of the person, also this one."""
    await visit.api.post("sessions/end-all")
    return clear_session(redirect_to(f"{SIGN_IN}?signed-out"))


async def remove_passkey(visit: Visit) -> Response:
    """Remove a passkey of the person, with the sessions that it opened."""
    passkey = visit.request.path_params["passkey_id"]
    await visit.api.post(f"passkeys/{passkey}/remove", {})
    return redirect_to(SETTINGS)


async def choose_language(visit: Visit) -> Response:
    """Set the language of this browser, and return to the page of the form."""
    form = await visit.request.form()
    return set_preference(visit, LANGUAGE_COOKIE, str(form.get("language")), LANGUAGES)


async def choose_zone(visit: Visit) -> Response:
    """Set the time zone of this browser, and return to the page of the form."""
    form = await visit.request.form()
    return set_preference(visit, ZONE_COOKIE, str(form.get("zone")), list_time_zones())


def set_preference(
    visit: Visit, cookie: str, value: str, allowed: tuple[str, ...] | frozenset[str]
) -> Response:
    """Set a cookie to an allowed value, or delete it, and return to the last page."""
    response = redirect_to(find_last_page(visit))
    if value in allowed:
        response.set_cookie(
            cookie,
            value,
            max_age=YEAR_SECONDS,
            secure=True,
            httponly=True,
            samesite="lax",
        )
    else:
        response.delete_cookie(cookie, secure=True, httponly=True, samesite="lax")
    return response
