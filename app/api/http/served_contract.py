"""The OpenAPI document as it is served: compressed, from a file in the package.

Building the document takes seconds, which would block the event loop. `make openapi` writes
the file, and a test compares the file with the code.
"""

import gzip
import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.http.conditional_requests import JSON, matches_tag, render_not_modified

PATH: Final = "/openapi.json"
FILE: Final = "openapi.json.gz"
VARY: Final = {"Vary": "Accept-Encoding"}
GZIP: Final = "gzip"

NEVER: Final = {"q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000"}
"""Weights that mean that an encoding is not acceptable (RFC 9110, 12.4.2)."""

COMPRESSED: Final = files("app.api").joinpath("pages", FILE).read_bytes()
DOCUMENT: Final = gzip.decompress(COMPRESSED)
HASH: Final = hashlib.sha256(DOCUMENT).hexdigest()[:16]


def encode_document(document: str) -> bytes:
    """Compress a document. The same document always gives the same bytes."""
    return gzip.compress(document.encode(), mtime=0)


def can_accept_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header lists gzip with a weight above 0."""
    for one in accepted.split(","):
        name, _, weight = one.partition(";")
        if name.strip().lower() in {GZIP, "*"}:
            return weight.replace(" ", "") not in NEVER
    return False


async def get_contract(request: Request) -> Response:
    """Return the OpenAPI document, if accepted with gzip, or 304 if it is unchanged."""
    compressed = can_accept_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{HASH}-{GZIP}"' if compressed else f'"{HASH}"'
    if matches_tag(request.headers.get("if-none-match", ""), tag):
        return render_not_modified(tag, VARY)
    headers = VARY | {"ETag": tag} | ({"Content-Encoding": GZIP} if compressed else {})
    return Response(COMPRESSED if compressed else DOCUMENT, 200, headers, JSON)
