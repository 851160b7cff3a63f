"""Middleware that adds security headers to pages and refuses writes from other sites."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""The headers of every page. `no-referrer` would make browsers send `Origin: null`."""
TLS_HEADERS: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""The additional headers if the public origin of the service uses TLS."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
PREFETCHED: Final = "A page is not loaded before the person asks for it."
REFUSAL: Final = "This request came from another site. Open the page again, and repeat it."


class PageProtection:
    """Middleware that refuses writes from other sites (403) and adds security headers.

    It also refuses prefetch requests (503), because reading a case is recorded as an action
    of a person.
    """

    def __init__(self, app: ASGIApp, origin: str | None) -> None:
        self.app, self.origin = app, origin
        self.headers = HEADERS | (TLS_HEADERS if is_https(origin) else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, and add the headers to the response."""

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self.find_refusal(Request(scope))
        await (refused or self.app)(scope, receive, send_protected)

    def find_refusal(self, request: Request) -> Response | None:
        """Return the response to a request that is refused, or None if it is accepted."""
        if is_prefetch(request.headers):
            return PlainTextResponse(PREFETCHED, 503)
        origin = self.origin or f"{request.url.scheme}://{request.url.netloc}"
        if request.method in SAFE_METHODS or is_same_origin(request.headers, origin):
            return None
        return PlainTextResponse(REFUSAL, 403)


def is_https(origin: str | None) -> bool:
    """Return whether the origin is known and uses TLS."""
    return origin is not None and origin.startswith("https:")


def is_prefetch(headers: Headers) -> bool:
    """Return whether a browser loads a page before the person asks for it."""
    return "prefetch" in headers.get("sec-purpose", "") + headers.get("purpose", "")


def is_same_origin(headers: Headers, origin: str) -> bool:
    """Return whether a page of this site, which has the given origin, sent the request.

    Browsers send `Sec-Fetch-Site`. Old browsers send at least `Origin` with a form.
    """
    site = headers.get("sec-fetch-site")
    return headers.get("origin") == origin if site is None else site == "same-origin"
