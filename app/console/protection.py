"""The protection of the console's pages: response headers, and no form of another site."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
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
"""Headers of every page. With `no-referrer` a form would be sent with `Origin: null`."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
PREFETCHED: Final = "A page is not loaded before the person asks for it."
REFUSAL: Final = "This request came from another site. Open the page again, and repeat it."


class PageProtection:
    """Middleware that refuses writes from other sites (403), and adds the headers.

    It also refuses to let a browser load a page in advance (503), because reading a case
    is recorded as something that a person did.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, and add the headers to the answer."""

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self.refuse(scope["method"], Headers(scope=scope))
        await (refused or self.app)(scope, receive, send_protected)

    def refuse(self, method: str, headers: Headers) -> Response | None:
        """Return the answer to a request that the console refuses, or None."""
        if is_prefetch(headers):
            return PlainTextResponse(PREFETCHED, 503)
        if method not in SAFE_METHODS and not is_same_origin(headers):
            return PlainTextResponse(REFUSAL, 403)
        return None


def is_prefetch(headers: Headers) -> bool:
    """Return whether a browser loads a page in advance, to show it or not."""
    return "prefetch" in headers.get("sec-purpose", "") + headers.get("purpose", "")


def is_same_origin(headers: Headers) -> bool:
    """Return whether a page of this site sent the request.

    Browsers send `Sec-Fetch-Site`. Old browsers send at least `Origin` with a form.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get("host")
