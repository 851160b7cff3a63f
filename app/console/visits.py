"""A visit: one request of a browser, with the signed-in person and a client of the API."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import monotonic
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.console.api_client import NOWHERE, ApiClient, Json
from app.console.formats import Formats
from app.console.navigation import MenuItem, list_menu_items
from app.console.notices import DONE, find_notice
from app.console.rendering import render_template
from app.console.translations import Texts, choose_texts
from app.console.unsent_forms import UnsentForm
from app.kernel.time_zones import list_time_zones

SESSION_COOKIE: Final = "__Host-sc"
LANGUAGE_COOKIE: Final = "__Host-sc-language"
ZONE_COOKIE: Final = "__Host-sc-zone"
SHIFT_COOKIE: Final = "__Host-sc-shift"
OFF: Final = "off"
HOME: Final = "/console/"
SIGN_IN: Final = "/console/sign-in"
CONFIRM: Final = "/console/confirm"
OFFICES_SECONDS: Final = 60.0
"""Seconds for which the list of offices is reused. It is the same for every reader."""
MAX_OFFICES: Final = 200
EVERYWHERE: Final = "*"
"""The value in `serves` of an office that works in all countries."""
WATCHERS: Final = frozenset({"supervisor", "protection_officer"})
"""The roles to which every page says that no worker runs."""
SEE_OTHER: Final = 303
NOT_FOUND: Final = 404
UTC_ZONE: Final = "UTC"
NOT_IN_PATHS: Final = ("//", "\\", "?", "#")
"""The texts that the path of a page of the console never contains."""
PLAIN: Final = re.compile(r"[A-Za-z0-9_/-]+")
"""The pattern of a part of an address that is used in an API path."""


@dataclass
class Offices:
    """The offices of the directory by code, read through the API and reused for a while."""

    by_code: Mapping[str, Json] = field(default_factory=dict)
    read_at: float = -OFFICES_SECONDS

    async def read(self, api: ApiClient) -> Mapping[str, Json]:
        """Return the offices by code. Raises ApiProblem."""
        if monotonic() - self.read_at > OFFICES_SECONDS:
            self.by_code = {one["code"]: one async for one in list_offices(api)}
            self.read_at = monotonic()
        return self.by_code


async def list_offices(api: ApiClient) -> AsyncIterator[Json]:
    """Yield the offices of the directory, page by page."""
    after = ""
    while True:
        page = (await api.get(f"focal-points?limit={MAX_OFFICES}{after}")).body
        for office in page["items"]:
            yield office
        if not page.get("next"):
            return
        after = f"&after={page['next']}"


@dataclass
class Visit:
    """One request of a browser.

    `api` sends the session of the browser, and `anonymous` sends no credential. `me` is the
    response of `GET /v1/me`. `unsent` is the form that is shown again because it was not
    sent. Templates get the visit as `visit`.
    """

    request: Request
    api: ApiClient
    texts: Texts
    anonymous: ApiClient
    me: Json = field(default_factory=dict)
    offices: Mapping[str, Json] = field(default_factory=dict)
    unsent: UnsentForm | None = None

    @property
    def office(self) -> Json:
        """The office of the person, as in the directory, or {} if nobody is signed in."""
        return self.offices.get(self.me.get("focal_point", ""), {})

    @property
    def has_cookie(self) -> bool:
        """Whether the browser keeps a session, which may have ended."""
        return SESSION_COOKIE in self.request.cookies

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the account."""
        return frozenset(self.me.get("roles", ()))

    @property
    def watches_service(self) -> bool:
        """Whether each page tells the person that no worker runs."""
        return not WATCHERS.isdisjoint(self.roles)

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the account."""
        return frozenset(self.me.get("scopes", ()))

    @property
    def menu(self) -> Sequence[MenuItem]:
        """The entries of the main menu that the account can use."""
        return list_menu_items(self.request.url.path, self.scopes, self.roles)

    @property
    def chosen_zone(self) -> str:
        """The time zone that the person chose in this browser, or "" if none."""
        return self.read_own_cookie(ZONE_COOKIE)

    @property
    def watches_shift(self) -> bool:
        """Whether pressing Shift three times leaves the page. This can be switched off."""
        return self.read_own_cookie(SHIFT_COOKIE) != OFF

    def read_own_cookie(self, cookie: str) -> str:
        """Return the person's setting in a cookie, or an empty string if there is none.

        The cookie also names the person, so that it has no effect on the next person who
        uses the browser.
        """
        value, _, person = self.request.cookies.get(cookie, "").partition("@")
        return value if person and person == self.person_id else ""

    @property
    def person_id(self) -> str:
        """The id of the signed-in person, or an empty string if there is none.

        There is none before sign-in, and for the account of a machine.
        """
        person: Json = self.me.get("person") or {}
        return str(person.get("id", ""))

    @cached_property
    def formats(self) -> Formats:
        """The formats for the language and the time zone of the person.

        By default, the time zone is that of the office, or UTC if nobody is signed in.
        """
        zone = self.chosen_zone or self.office.get("time_zone")
        now = self.request.app.state.clock()
        return Formats(self.texts.locale, find_zone(zone), now)

    @property
    def notice(self) -> Markup | None:
        """The notice about the action that led to the page, or None if there is none.

        A link from elsewhere shows no notice: it could claim an action that never happened.
        """
        if self.request.headers.get("sec-fetch-site") != "same-origin":
            return None
        code = self.request.query_params.get(DONE, "")
        return find_notice(code, self.texts, self.formats)

    def name_office(self, code: str | None) -> str:
        """Return the short name of an office, or else its name or code, or else ""."""
        office = self.offices.get(code or "", {})
        short: Mapping[str, str] = office.get("short_names", {})
        name = short.get(self.texts.language) or short.get("en") or office.get("name")
        return str(name or code or "")

    @property
    def offices_by_country(self) -> Sequence[tuple[str, Sequence[Json]]]:
        """The active offices by the name of the country in which they work, and by name.

        Offices that work in several countries or in none come last, under an empty name.
        """
        groups: dict[str, list[Json]] = {}
        for office in self.offices.values():
            if office["active"]:
                groups.setdefault(self.name_place(office), []).append(office)
        for offices in groups.values():
            offices.sort(key=lambda office: self.name_office(office["code"]))
        return sorted(groups.items(), key=lambda group: (not group[0], group[0]))

    def list_unlisted(self, codes: Sequence[str]) -> Sequence[str]:
        """Return the codes that do not belong to an active office."""
        return [code for code in codes if not self.offices.get(code, {}).get("active")]

    def name_place(self, office: Json) -> str:
        """Return the name of the only country of an office, or "" for several or none."""
        serves = office["serves"]
        is_of_one = len(serves) == 1 and serves[0] != EVERYWHERE
        return self.formats.name_country(serves[0]) if is_of_one else ""

    def may(self, scope: str) -> bool:
        """Return whether the account has a scope."""
        return scope in self.scopes

    def render(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page from a template."""
        html = render_template(template, self.texts, visit=self, menu=self.menu, **values)
        return HTMLResponse(html, status)


type View = Callable[[Visit], Awaitable[Response]]


def find_zone(name: str | None) -> ZoneInfo:
    """Return a time zone by its name, or UTC if there is none with this name."""
    return ZoneInfo(name if name in list_time_zones() else UTC_ZONE)


def begin_visit(request: Request) -> Visit:
    """Return the visit of a request, before the person is known."""
    cookies, headers = request.cookies, request.headers
    asked = headers.get("accept-language", "")
    texts = choose_texts(cookies.get(LANGUAGE_COOKIE, ""), asked)
    client = request.client
    build = partial(
        ApiClient,
        request.app.state.api,
        language=texts.language,
        client=(client.host, client.port) if client else NOWHERE,
    )
    api = build(cookies.get(SESSION_COOKIE, ""))
    return Visit(request, api, texts, build(""))


def has_plain_path(request: Request) -> bool:
    """Return whether no part of the address can change the path of an API call."""
    return all(PLAIN.fullmatch(str(part)) for part in request.path_params.values())


def redirect_to(path: str) -> RedirectResponse:
    """Return a redirect (303) to a path of the console. The browser follows it with GET."""
    return RedirectResponse(path, SEE_OTHER)


def find_local_path(path: str) -> str | None:
    """Return `path` if it can be the path of a page of the console, or None if it cannot.

    An address of another site, such as `//example.org`, is rejected. So is a path with a
    query string, because the query could make the page show a message.
    """
    is_page = path.startswith(HOME) and not any(part in path for part in NOT_IN_PATHS)
    return path if is_page and path.isprintable() else None


def find_last_page(visit: Visit) -> str:
    """Return the path of the page that the person sees, or the start page if unknown.

    For a GET request, this is the requested page, otherwise the page with the form.
    """
    request = visit.request
    referer = urlsplit(request.headers.get("referer", "")).path
    path = request.url.path if request.method == "GET" else referer
    return find_local_path(path) or HOME
