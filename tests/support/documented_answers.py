"""A check that the status and headers of each response in a test are in the contract.

The client of every world checks the responses that it gets, so the tests of the API cover
each operation in many states. The body of a problem has the members that its class
declares. Other bodies are compared with their schemas in tests/sweeps.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx2

from app.api.http.problem_schemas import (
    PROBLEM,
    ProblemDetail,
    get_schema_name,
)
from app.kernel.problems import Problem, list_problem_kinds
from tests.support.contract import list_options, load_contract, resolve_reference

EVERYWHERE: Final = frozenset({"content-type", "content-length", "date"})
"""Headers that OpenAPI does not describe (4.8.17), or that HTTP itself requires."""
HARDENING: Final = frozenset({"referrer-policy", "x-content-type-options"})
"""Headers that always have one value; the description of the contract names them."""
FAULT: Final = 500
"""The status of an internal error of the service, which no operation documents."""


@dataclass(frozen=True)
class Documented:
    """A response in the contract, with its allowed headers and its required headers."""

    allowed: frozenset[str]
    required: frozenset[str]
    schemas: frozenset[str]
    """The names of the schemas of the problems that the body may contain."""


type Shape = tuple[str, ...]
type Operation = dict[str, Documented]


@cache
def load_operations() -> dict[tuple[str, int], list[tuple[Shape, Operation]]]:
    """Return the operations by method and number of path segments.

    In each list, paths with fewer parameters come first.
    """
    document = load_contract()
    found: dict[tuple[str, int], list[tuple[Shape, Operation]]] = {}
    for path, methods in sorted(document["paths"].items()):
        shape = tuple(path.split("/"))
        for method, operation in methods.items():
            responses = {
                status: read_response(response, document["components"])
                for status, response in operation["responses"].items()
            }
            found.setdefault((method.upper(), len(shape)), []).append((shape, responses))
    for operations in found.values():
        operations.sort(key=lambda one: sum("{" in segment for segment in one[0]))
    return found


def read_response(
    response: dict[str, Any], components: dict[str, dict[str, Any]]
) -> Documented:
    """Return the headers and problems of a response, with references resolved."""
    whole = {
        name.lower(): resolve_reference(header, components["headers"])
        for name, header in response.get("headers", {}).items()
    }
    schema = response.get("content", {}).get(PROBLEM, {}).get("schema", {})
    return Documented(
        allowed=frozenset(whole),
        required=frozenset(name for name, one in whole.items() if one.get("required")),
        schemas=frozenset(list_options(schema, components["schemas"]) if schema else []),
    )


def find_operation(method: str, path: str) -> Operation | None:
    """Return the documented operation that matches a request, or None if there is none."""
    segments = path.split("/")
    for shape, operation in load_operations().get((method, len(segments)), ()):
        if matches_shape(shape, segments):
            return operation
    return None


def list_differences(method: str, path: str, status: int, sent: Iterable[str]) -> list[str]:
    """Return the differences between a response and the contract of its operation.

    An undocumented operation or server error (5xx) has no differences.
    """
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
    """Raise AssertionError if a response differs from the contract."""
    request = response.request
    asked = (request.method, request.url.path)
    differences = list_differences(*asked, response.status_code, response.headers)
    if response.headers.get("content-type") == PROBLEM:
        response.read()
        differences += list_problem_differences(*asked, response.json())
    assert not differences, (*asked, differences)


@cache
def load_kinds() -> dict[str, type[Problem]]:
    """Return the classes of problems by their URIs."""
    return {kind.uri: kind for kind in list_problem_kinds()}


def list_problem_differences(method: str, path: str, problem: dict[str, Any]) -> list[str]:
    """Return the differences of a problem from its class and from the contract.

    Raises pydantic's ValidationError if a member of the class has an invalid value.
    """
    kind = load_kinds().get(problem["type"])
    declared = kind.members if kind else None
    added = problem.keys() - ProblemDetail.model_fields.keys()
    fields = declared.model_fields.items() if declared else ()
    differences = sorted(added ^ {field.alias or name for name, field in fields})
    if declared and not differences:
        declared.model_validate_json(json.dumps({name: problem[name] for name in added}))
    operation = find_operation(method, path) or {}
    documented = operation.get(str(problem["status"]))
    name = get_schema_name(kind) if kind else ProblemDetail.__name__
    undocumented = documented and name not in documented.schemas
    return [*differences, *([f"no schema {name}"] if undocumented else [])]


def matches_shape(shape: Shape, segments: list[str]) -> bool:
    """Return whether a path equals a template in each segment that is not a parameter."""
    pairs = zip(shape, segments, strict=True)
    return all(one == other or one.startswith("{") for one, other in pairs)
