"""Examples of requests and responses in the OpenAPI document, from `app/api/data/examples`.

`make examples` calls the service and records the examples; a test repeats these calls. The
files are read only when the document is built, not when the service starts (ADR 62).
"""

import json
import re
from importlib.resources import files
from typing import Any, Final

from app.api.http.problem_schemas import PROBLEM

FOLDER: Final = files("app.api").joinpath("data", "examples")
SHARED: Final = "problems.json"
"""The file with the examples of problems that all operations share."""
REFERENCE: Final = "#/components/examples/{code}"
LISTED_CODE: Final = re.compile(r"^- `([a-z-]+)`:", re.MULTILINE)
"""The pattern of a listed problem in a response description, see `describe_problem`."""
PLACES: Final = {"path": "path", "query": "query", "header": "headers"}
"""For each `in` of a parameter, the part of an example that contains its value."""

type Example = dict[str, Any]


def load_examples() -> tuple[dict[str, Example], dict[str, Any]]:
    """Return the examples by operation id, and the shared problems by code."""
    examples, problems = dict[str, Example](), dict[str, Any]()
    for file in sorted(FOLDER.iterdir(), key=lambda one: one.name):
        found = json.loads(file.read_text("utf-8"))
        (problems if file.name == SHARED else examples).update(found)
    return examples, problems


def add_examples(document: dict[str, Any]) -> None:
    """Add the recorded examples to the operations that have them."""
    examples, problems = load_examples()
    document["components"]["examples"] = {
        code: {"summary": body["title"], "value": body} for code, body in problems.items()
    }
    for path in document["paths"].values():
        for operation in path.values():
            example = examples.get(operation["operationId"], {})
            add_request_example(operation, example.get("request", {}))
            add_success_examples(operation, example.get("responses", {}))
            add_problem_examples(operation, example.get("problems", {}), problems)


def add_request_example(operation: dict[str, Any], request: Example) -> None:
    """Add the recorded values of the parameters and the recorded body to an operation."""
    for parameter in operation.get("parameters", []):
        values = request.get(PLACES[parameter["in"]], {})
        if parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    if "body" in request:
        for media in operation.get("requestBody", {}).get("content", {}).values():
            media["example"] = request["body"]


def add_success_examples(operation: dict[str, Any], bodies: dict[str, Any]) -> None:
    """Add a recorded body to each successful response for which there is one."""
    for status, body in find_success_bodies(operation, bodies).items():
        for media in operation["responses"][status]["content"].values():
            media["example"] = body


def find_success_bodies(
    operation: dict[str, Any], bodies: dict[str, Any]
) -> dict[str, Any]:
    """Return the recorded body of each successful status, or one with the same schema.

    A status for which there is neither is left out.
    """
    schemas = {
        status: next(iter(response["content"].values()))["schema"]
        for status, response in operation["responses"].items()
        if status.startswith("2") and response.get("content")
    }
    by_schema = {
        json.dumps(schema): bodies[status]
        for status, schema in schemas.items()
        if status in bodies
    }
    return {
        status: bodies.get(status, by_schema.get(json.dumps(schema)))
        for status, schema in schemas.items()
        if json.dumps(schema) in by_schema
    }


def add_problem_examples(
    operation: dict[str, Any], own: dict[str, Any], shared: dict[str, Any]
) -> None:
    """Add the operation's own examples, or else shared ones, to its problem responses."""
    for response in operation["responses"].values():
        media = response.get("content", {}).get(PROBLEM)
        if media is None:
            continue
        found = dict[str, Any]()
        for code in LISTED_CODE.findall(response["description"]):
            if code in own:
                found[code] = {"summary": own[code]["title"], "value": own[code]}
            elif code in shared:
                found[code] = {"$ref": REFERENCE.format(code=code)}
        if found:
            media["examples"] = found
