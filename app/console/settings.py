"""The settings page: language, time zone and Shift key (in cookies), sessions, passkeys."""

import asyncio
from typing import Final

from starlette.responses import Response

from app.console.forms import ON
from app.console.passkeys import SETTINGS
from app.console.sign_in import clear_browser
from app.console.translations import LANGUAGES
from app.console.visits import (
    LANGUAGE_COOKIE,
    OFF,
    SHIFT_COOKIE,
    SIGN_IN,
    ZONE_COOKIE,
    Visit,
    find_last_page,
    redirect_to,
)
from app.kernel.time_zones import list_time_zones

YEAR_SECONDS: Final = 365 * 24 * 3600


async def show_settings(visit: Visit) -> Response:
    """Show the settings, the sessions and the passkeys of the person."""
    sessions, passkeys = await asyncio.gather(
        visit.api.get("sessions"), visit.api.get("passkeys")
    )
    known = sessions.body["items"]
    return visit.render(
        "settings.html",
        zones=sorted(zone for zone in list_time_zones() if "/" in zone),
        chosen=visit.chosen_zone,
        sessions=sorted(known, key=lambda one: not one["current"]),
        passkeys=passkeys.body["items"],
    )


async def end_session(visit: Visit) -> Response:
    """End another session of the person, for example on a device that was lost."""
    session = visit.request.path_params["session_id"]
    await visit.api.post(f"sessions/{session}/end")
    return redirect_to(SETTINGS)


async def end_all_sessions(visit: Visit) -> Response:
    """End all sessions of the person, including this one."""
    await visit.api.post("sessions/end-all")
    return clear_browser(redirect_to(f"{SIGN_IN}?signed-out"))


async def remove_passkey(visit: Visit) -> Response:
    """Remove a passkey of the person, and end the sessions that it opened."""
    passkey = visit.request.path_params["passkey_id"]
    await visit.api.post(f"passkeys/{passkey}/remove", {})
    return redirect_to(SETTINGS)


async def choose_language(visit: Visit) -> Response:
    """Set the language in this browser, and redirect to the page with the form."""
    language = str((await visit.request.form()).get("language"))
    return set_preference(visit, LANGUAGE_COOKIE, language if language in LANGUAGES else "")


async def choose_zone(visit: Visit) -> Response:
    """Set the time zone of the person in this browser, and redirect to the last page."""
    zone = str((await visit.request.form()).get("zone"))
    chosen = f"{zone}@{visit.person_id}" if zone in list_time_zones() else ""
    return set_preference(visit, ZONE_COOKIE, chosen)


async def choose_shift(visit: Visit) -> Response:
    """Set in this browser whether pressing Shift three times leaves the page."""
    is_on = ON in (await visit.request.form()).getlist("shift")
    chosen = "" if is_on else f"{OFF}@{visit.person_id}"
    return set_preference(visit, SHIFT_COOKIE, chosen)


def set_preference(visit: Visit, cookie: str, value: str) -> Response:
    """Set a cookie, or delete it if `value` is empty, and redirect to the last page."""
    response = redirect_to(find_last_page(visit))
    if value:
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
