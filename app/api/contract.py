"""The OpenAPI document as it is served, compressed, from a file in the package.

Building the document takes seconds, which would block the event loop. `make openapi` writes
the file, and a test compares it with the code.
"""

import gzip
import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.conditional import JSON, has, render_not_modified

PATH: Final = "/openapi.json"
FILE: Final = "openapi.json.gz"
VARY: Final = {"Vary": "Accept-Encoding"}
GZIP: Final = "gzip"

NEVER: Final = {"q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000"}
"""Weights that mean that an encoding is not acceptable (RFC 9110, 12.4.2)."""

PACKED: Final = files("app.api").joinpath("pages", FILE).read_bytes()
PLAIN: Final = gzip.decompress(PACKED)
HASH: Final = hashlib.sha256(PLAIN).hexdigest()[:16]


def pack(document: str) -> bytes:
    """Compress a document; the same document always gives the same bytes."""
    return gzip.compress(document.encode(), mtime=0)


def accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header lists gzip, and not with a weight of 0."""
    for one in accepted.split(","):
        name, _, weight = one.partition(";")
        if name.strip().lower() in {GZIP, "*"}:
            return weight.replace(" ", "") not in NEVER
    return False


async def get_contract(request: Request) -> Response:
    """Return the document, compressed if the client accepts gzip, or 304."""
    compressed = accepts_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{HASH}-{GZIP}"' if compressed else f'"{HASH}"'
    if has(request.headers.get("if-none-match", ""), tag):
        return render_not_modified(tag, VARY)
    headers = VARY | {"ETag": tag} | ({"Content-Encoding": GZIP} if compressed else {})
    return Response(PACKED if compressed else PLAIN, 200, headers, JSON)
