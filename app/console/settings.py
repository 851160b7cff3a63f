"""The settings of a reader: language and time zone, kept in cookies of this browser."""

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from app.console.translations import LANGUAGES
from app.console.visits import (
    HOME,
    LANGUAGE_COOKIE,
    ZONE_COOKIE,
    Visit,
    find_local_path,
    redirect_to,
)
from app.kernel.time_zones import list_time_zones

YEAR_SECONDS: Final = 365 * 24 * 3600
OFFICE_ZONE: Final = ""
"""The choice of the time zone of the office, which needs no cookie."""


async def show_settings(visit: Visit) -> Response:
    """Show the settings and the sessions of the person."""
    zones = sorted(zone for zone in list_time_zones() if "/" in zone)
    chosen = visit.request.cookies.get(ZONE_COOKIE, OFFICE_ZONE)
    return visit.render("settings.html", zones=zones, chosen=chosen)


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
    last = urlsplit(visit.request.headers.get("referer", "")).path
    response = redirect_to(find_local_path(last) or HOME)
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
