"""Hooks for Schemathesis: formats beyond JSON Schema, a database reset, and two checks.

Schemathesis loads this module because tests/support/fuzzing.py names it in the
configuration.
"""

import os
import sqlite3
from contextlib import closing
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response
from schemathesis.generation.meta import TestPhase

from app.api.http.validation_errors import CELL_RULE, OWN_CODES
from app.kernel.codes import create_case_code
from tests.support.contract import resolve_reference
from tests.support.hostile_input import PROBLEM
from tests.support.raw_requests import includes_problem
from tests.support.real_names import NAMES

PRISTINE, LIVE = "SAFE_CONDUCT_PRISTINE", "SAFE_CONDUCT_LIVE"
"""Environment variables with the paths of the unchanged and of the served database."""
BEYOND_SCHEMA = OWN_CODES - {"text_unsafe"} | {CELL_RULE}
"""Codes of faults that no schema can express, such as fields that do not fit together."""

schemathesis.openapi.format("safe-text", st.sampled_from(sorted(NAMES.values())))
schemathesis.openapi.format("contact-address", st.sampled_from(["duty@example.org"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["Asia/Almaty", "UTC"]))
schemathesis.openapi.format("case-code", st.uuids().map(create_case_code))
schemathesis.openapi.format(
    "date-time", st.sampled_from(["2026-06-02T09:00:00+05:00", "2027-01-01T00:00:00Z"])
)
schemathesis.openapi.format(
    "date", st.dates().map(str).filter(lambda day: day >= "1900-01-02")
)


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
    """Restore the first state of the database when the tested operation changes.

    All requests of the stateful phase count as one operation.
    """
    walks = case.meta and case.meta.phase.name == TestPhase.STATEFUL
    tried = "a walk" if walks else case.operation.label
    if tried not in NOW:
        restore(os.environ[PRISTINE], os.environ[LIVE])
        NOW[:] = [tried]


NOW: list[str] = []
"""The operation that is being tested."""


def restore(pristine: str, live: str) -> None:
    """Restore the database `live` from `pristine` while a server uses it."""
    with closing(sqlite3.connect(pristine)) as kept, closing(sqlite3.connect(live)) as used:
        kept.backup(used)


@schemathesis.check
def check_problem_is_listed(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Fail if an operation returns a problem that the contract does not list for it."""
    shared = case.operation.schema.raw_schema["components"]["responses"]
    raw = case.operation.definition.raw["responses"].get(str(response.status_code))
    listed = raw and resolve_reference(raw, shared)
    [kind] = response.headers.get("content-type", [""])
    if listed and kind == PROBLEM:
        problem = response.json()
        assert includes_problem(listed, problem), (
            f"The contract does not list it: {problem['type']}"
        )


@schemathesis.check
def check_valid_request_is_judged(
    _: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Fail if a request that fits the contract is refused because of its format."""
    valid = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE
    if not valid or response.status_code != 422 or is_made_up(case):
        return
    body = response.json()
    codes = {fault["code"] for fault in body.get("errors", [])}
    shape = body["type"] == "/problems/json-invalid" or codes - BEYOND_SCHEMA
    assert not shape, f"The contract allows what is refused: {body}"


def is_made_up(case: Case[Any]) -> bool:
    """Return whether Schemathesis made up the `If-None-Match` header of a PUT request.

    The header must be `*`. As an edge case, Schemathesis generates a value of only letters
    and digits, and still calls the request valid.
    """
    sent = dict(case.headers or ()).get("If-None-Match", "*")
    return case.method == "PUT" and sent != "*"
