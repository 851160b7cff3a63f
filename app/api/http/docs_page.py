"""Swagger UI for the OpenAPI document, with all files served from this package.

A setting turns the page on. The page is meant for developers who test clients against a
drill, which is an installation without data of real people. In production, the page would
enlarge the attack surface of the origin at which users enter their keys.
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
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Headers that let the page load files from, and send requests to, this origin only."""


def build_file_route(name: str) -> Callable[[], Response]:
    """Return a route function that serves a file of the documentation page."""
    content = (files("app.api") / "pages" / name).read_bytes()

    def show() -> Response:
        return Response(content, headers=HEADERS, media_type=KINDS[name])

    return show


def build_docs_router() -> APIRouter:
    """Build a router for the documentation page, which is not in the OpenAPI document."""
    router = APIRouter(include_in_schema=False)
    for name in KINDS:
        path = "/docs" if name == PAGE else f"/docs/{name}"
        router.add_api_route(path, build_file_route(name), methods=["GET"])
    return router
