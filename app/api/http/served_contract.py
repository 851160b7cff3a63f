"""The editions of the OpenAPI document, which are served from compressed package files.

Building a document takes seconds, which would block the event loop. `make openapi` writes
the files, and a test compares the files with the code.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.http.conditional_requests import (
    JSON,
    REVALIDATE,
    matches_tag,
    render_not_modified,
)

CONTRACT: Final = "/openapi.json"
"""The contract, in OpenAPI 3.1."""
WITHOUT_WEBHOOKS: Final = "/openapi-3.1-client.json"
"""The contract without webhooks, for generators that cannot use them."""
CONTRACT_3_2: Final = "/openapi-3.2.json"
"""The contract in OpenAPI 3.2."""
EDITIONS: Final = (CONTRACT, WITHOUT_WEBHOOKS, CONTRACT_3_2)
"""The paths of the editions."""
HEADERS: Final = {"Vary": "Accept-Encoding", "Cache-Control": REVALIDATE}
GZIP: Final = "gzip"

NEVER: Final = {"q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000"}
"""Weights that mean that an encoding is not acceptable (RFC 9110, 12.4.2)."""


def get_file_name(path: str) -> str:
    """Return the name of the package file for the path of an edition."""
    return f"{path.removeprefix('/')}.gz"


COMPRESSED: Final[Mapping[str, bytes]] = {
    path: files("app.api").joinpath("pages", get_file_name(path)).read_bytes()
    for path in EDITIONS
}
HASHES: Final[Mapping[str, str]] = {
    path: hashlib.sha256(compressed).hexdigest()[:16]
    for path, compressed in COMPRESSED.items()
}


@cache
def get_document(path: str) -> bytes:
    """Return an edition as JSON. It is decompressed when a client first asks for it.

    Most clients accept gzip, so most processes need no memory for the documents.
    """
    return gzip.decompress(COMPRESSED[path])


def encode_document(document: str) -> bytes:
    """Compress a document. The same document always gives the same bytes."""
    return gzip.compress(document.encode(), mtime=0)


def can_accept_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header accepts gzip (RFC 9110, 12.5.3).

    The weight of `*` applies to gzip only if the header does not list gzip.
    """
    parts = [one.partition(";") for one in accepted.lower().split(",")]
    weights = {name.strip(): weight.replace(" ", "") for name, _, weight in parts}
    weight = weights.get(GZIP, weights.get("*"))
    return weight is not None and weight not in NEVER


def build_edition_route(path: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the route function that serves the edition with the given path."""

    async def get_edition(request: Request) -> Response:
        """Return the document, compressed if gzip is accepted, or 304 if unchanged."""
        compressed = can_accept_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{HASHES[path]}-{GZIP}"' if compressed else f'"{HASHES[path]}"'
        if matches_tag(request.headers.get("if-none-match", ""), tag):
            return render_not_modified(tag, HEADERS)
        headers = HEADERS | {"ETag": tag}
        if compressed:
            headers |= {"Content-Encoding": GZIP}
        body = COMPRESSED[path] if compressed else get_document(path)
        return Response(body, 200, headers, JSON)

    return get_edition
