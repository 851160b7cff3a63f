"""A check of each answer of a test: its status and headers are in the contract.

The client of every world checks the answers that it gets, so the tests of the API cover
each operation in many states. Bodies are compared with their schemas in tests/sweeps.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx2

from tests.support.contract import load_contract, resolve_reference

EVERYWHERE: Final = frozenset({"content-type", "content-length"})
"""Headers that OpenAPI leaves out of its descriptions (4.8.17) or HTTP needs."""
HARDENING: Final = frozenset({"referrer-policy", "x-content-type-options"})
"""Headers that always have one value; the description of the contract names them."""
FAULT: Final = 500
"""The status of a fault of the service, which no operation documents."""

type Shape = tuple[str, ...]


@dataclass(frozen=True)
class Documented:
    """A response in the contract, with its allowed headers and its required headers."""

    allowed: frozenset[str]
    required: frozenset[str]


type Operation = dict[str, Documented]


@cache
def load_operations() -> dict[tuple[str, int], list[tuple[Shape, Operation]]]:
    """Return the operations by method and number of path segments.

    In each list, paths with fewer parameters come first.
    """
    document = load_contract()
    headers = document["components"]["headers"]
    found: dict[tuple[str, int], list[tuple[Shape, Operation]]] = {}
    for path, methods in sorted(document["paths"].items()):
        shape = tuple(path.split("/"))
        for method, operation in methods.items():
            responses = {
                status: read_response(response.get("headers", {}), headers)
                for status, response in operation["responses"].items()
            }
            found.setdefault((method.upper(), len(shape)), []).append((shape, responses))
    for operations in found.values():
        operations.sort(key=lambda one: sum("{" in segment for segment in one[0]))
    return found


def read_response(
    described: dict[str, dict[str, Any]], headers: dict[str, dict[str, Any]]
) -> Documented:
    """Return the headers of a response of the contract, with references resolved."""
    whole = {
        name.lower(): resolve_reference(header, headers)
        for name, header in described.items()
    }
    return Documented(
        allowed=frozenset(whole),
        required=frozenset(name for name, one in whole.items() if one.get("required")),
    )


def find_operation(method: str, path: str) -> Operation | None:
    """Return the documented responses to a request, or None if no operation matches it."""
    segments = path.split("/")
    for shape, operation in load_operations().get((method, len(segments)), ()):
        pairs = zip(shape, segments, strict=True)
        if all(one == other or one.startswith("{") for one, other in pairs):
            return operation
    return None


def list_differences(method: str, path: str, status: int, sent: Iterable[str]) -> list[str]:
    """Return the differences between an answer and the contract of its operation."""
    operation = find_operation(method, path)
    if operation is None or (status >= FAULT and str(status) not in operation):
        return []
    documented = operation.get(str(status))
    if documented is None:
        return [f"status {status}"]
    names = {name.lower() for name in sent} - EVERYWHERE - HARDENING
    return [
        *(f"{status} with {name}" for name in sorted(names - documented.allowed)),
        *(f"{status} without {name}" for name in sorted(documented.required - names)),
    ]


def check_answer(response: httpx2.Response) -> None:
    """Raise AssertionError if an answer is not as the contract documents it."""
    request = response.request
    asked = (request.method, request.url.path)
    differences = list_differences(*asked, response.status_code, response.headers)
    assert not differences, (*asked, differences)
