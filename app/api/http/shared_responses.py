"""Responses that many operations have, written once in the OpenAPI document.

Most problems are the same for every operation. If each operation repeated them, they would
make up two thirds of the document.
"""

import json
from collections import Counter
from http import HTTPStatus
from typing import Any, Final

from app.api.http.response_headers import FIRST_ERROR

REFERENCE: Final = "#/components/responses/{name}"
FEWEST: Final = 10
"""A response is shared if at least this number of operations have it."""


def get_response_name(status: str) -> str:
    """Return the name of the shared response for a status, such as `NotFound` for 404."""
    return HTTPStatus(int(status)).phrase.title().replace(" ", "").replace("-", "")


def move_shared_responses(document: dict[str, Any]) -> None:
    """Replace the most frequent response of each error status with a reference.

    A response is replaced only if at least `FEWEST` operations have it. All others stay
    where they are.
    """
    groups = [
        item["responses"] for path in document["paths"].values() for item in path.values()
    ]
    counts = Counter(
        (status, json.dumps(response))
        for responses in groups
        for status, response in responses.items()
        if status >= FIRST_ERROR
    )
    shared = dict[str, str]()
    for (status, text), count in counts.most_common():
        if count >= FEWEST:
            shared.setdefault(status, text)
    document["components"]["responses"] = {
        get_response_name(status): json.loads(shared[status]) for status in sorted(shared)
    }
    for responses in groups:
        for status, response in responses.items():
            if shared.get(status) == json.dumps(response):
                name = get_response_name(status)
                responses[status] = {"$ref": REFERENCE.format(name=name)}
