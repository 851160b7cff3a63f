"""The JSON schemas of problems for the OpenAPI document, from the classes of problems.

A problem with members of its own has its own schema. Every other problem, including a
problem that is added later, has the schema `ProblemDetail` (ADR 55).
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from app.cases import lifecycle as cases
from app.handovers import lifecycle as handovers
from app.kernel.problems import Problem, list_problem_kinds
from app.referrals import lifecycle as referrals
from app.returns import lifecycle as returns


class ProblemDetail(BaseModel):
    """An RFC 9457 problem detail."""

    type: Annotated[
        str, Field(description="The path of a page about it, or `about:blank`.")
    ]
    title: Annotated[
        str, Field(description="In the language that you asked for, if it is translated.")
    ]
    status: Annotated[int, Field(description="The HTTP status of the answer.")]
    detail: Annotated[str, Field(description="What is wrong or what to do, in English.")]
    instance: Annotated[str, Field(description="The id of the request, for the operator.")]


PROBLEM: Final = "application/problem+json"
REFERENCE: Final = "#/components/schemas/{model}"
LIFECYCLES: Final = (cases, referrals, handovers, returns)
VOCABULARIES: Final = {
    "Requirement": ("Need", "A requirement of an action."),
    "RecordState": ("State", "A state of a case, a referral, a handover or a return."),
    "RecordAction": ("Action", "An action on a case, a referral, a handover or a return."),
}
"""The combined enums by name. Each has a description, and the name of the enum that it
combines from each life cycle."""
CODES: Final = (
    ("UnmetRequirement", "requirement", "Requirement"),
    ("RequiredConsent", "purpose", "Purpose"),
    ("RequiredConsent", "sections", "Section"),
    ("ActionIllegalProblem", "state", "RecordState"),
    ("LegalAction", "action", "RecordAction"),
)
"""The schema, name and enum of each property that the kernel declares only as a string."""


def get_schema_name(kind: type[Problem]) -> str:
    """Return the schema name of a problem class."""
    return f"{kind.__name__}Problem" if kind.members else ProblemDetail.__name__


def build_content(kinds: Iterable[type[Problem]]) -> dict[str, Any]:
    """Return the OpenAPI content of a response that can have these problems.

    `ProblemDetail` comes last, because it also describes the problems with members. With
    models instead of references, FastAPI would build a validator for each status of each
    route, which would take a quarter of the start-up time.
    """
    names = sorted({get_schema_name(kind) for kind in kinds if kind.members})
    options = [{"$ref": REFERENCE.format(model=name)} for name in names]
    plain = {"$ref": REFERENCE.format(model=ProblemDetail.__name__)}
    schema = {"anyOf": [*options, plain]} if options else plain
    return {PROBLEM: {"schema": schema}}


def build_model(kind: type[Problem], members: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a problem with members of its own."""
    constant: Any = Literal[kind.uri]
    model: type[BaseModel] = create_model(
        get_schema_name(kind),
        __base__=(members, ProblemDetail),
        __doc__=kind.title,
        type=(constant, Field(description="The stable name of this problem.")),
    )
    return model


def build_schemas() -> dict[str, Any]:
    """Return the JSON schemas of problems, their members and their codes by name."""
    kinds = sorted(list_problem_kinds(), key=lambda kind: kind.code)
    typed = [build_model(kind, kind.members) for kind in kinds if kind.members]
    models: list[type[BaseModel]] = [ProblemDetail, *typed]
    _, whole = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template=REFERENCE,
    )
    schemas: dict[str, Any] = whole["$defs"]
    for schema, name, enum in CODES:
        described = schemas[schema]["properties"][name]
        coded = described.get("items") or described.get("anyOf", [described])[0]
        del coded["type"]
        coded["$ref"] = REFERENCE.format(model=enum)
    return schemas | {name: build_vocabulary(*of) for name, of in VOCABULARIES.items()}


def build_vocabulary(enum: str, description: str) -> dict[str, Any]:
    """Return a schema with the values of the enum of this name in every life cycle."""
    codes = {str(code) for module in LIFECYCLES for code in getattr(module, enum)}
    return {"type": "string", "enum": sorted(codes), "description": description}
