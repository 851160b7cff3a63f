"""The contract as a page to read and to try, with nothing fetched from anywhere else.

Only where a setting says so: it is for those who build clients, beside a drill. Elsewhere
it would be one more thing to attack, on the very origin where keys are typed in.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response

PAGE: Final = "docs.html"
KINDS: Final = {
    PAGE: "text/html",
    "docs.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        (
            *("default-src 'none'", "script-src 'self'", "style-src 'self'"),
            *("img-src 'self' data:", "connect-src 'self'", "base-uri 'none'"),
            *("form-action 'none'", "frame-ancestors 'none'"),
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Nothing runs, and nothing is asked, but what comes from here."""


def showing(name: str) -> Callable[[], Response]:
    """Make what shows a file of the page."""
    content = (files("app.api") / "pages" / name).read_bytes()

    def show() -> Response:
        return Response(content, headers=HEADERS, media_type=KINDS[name])

    return show


def page() -> APIRouter:
    """Make the routes of the page; the contract does not tell of them."""
    router = APIRouter(include_in_schema=False)
    for name in KINDS:
        path = "/docs" if name == PAGE else f"/docs/{name}"
        router.add_api_route(path, showing(name), methods=["GET"])
    return router
