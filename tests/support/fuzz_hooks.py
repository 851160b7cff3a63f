"""What Schemathesis must know of us: values that JSON Schema cannot describe, and a check.

Loaded by `st`, as tests/support/fuzzing.py tells it to.
"""

import os
import sqlite3
from contextlib import closing
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response
from schemathesis.generation.meta import TestPhase

from app.api.problems import CELL, OURS
from app.kernel.codes import new_code
from tests.support.hostile_input import PROBLEM
from tests.support.raw_requests import lists
from tests.support.real_names import NAMES

PRISTINE, LIVE = "SAFE_CONDUCT_PRISTINE", "SAFE_CONDUCT_LIVE"
"""Where the world is kept as it was, and where it is served from."""
BEYOND_SCHEMA = OURS - {"text_unsafe"} | {CELL}
"""Faults that no schema shows: fields that are well, but not together; a mistyped code."""

schemathesis.openapi.format("safe-text", st.sampled_from(sorted(NAMES.values())))
schemathesis.openapi.format("contact-address", st.sampled_from(["duty@example.org"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["Asia/Almaty", "UTC"]))
schemathesis.openapi.format("case-code", st.uuids().map(new_code))
schemathesis.openapi.format(
    "date-time", st.sampled_from(["2026-06-02T09:00:00+05:00", "2027-01-01T00:00:00Z"])
)
schemathesis.openapi.format(
    "date", st.dates().map(str).filter(lambda day: day >= "1900-01-02")
)


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
    """Give each operation the world as it was: no act of another has ended it."""
    walks = case.meta and case.meta.phase.name == TestPhase.STATEFUL
    tried = "a walk" if walks else case.operation.label
    if tried not in NOW:
        restore(os.environ[PRISTINE], os.environ[LIVE])
        NOW[:] = [tried]


NOW: list[str] = []
"""What is tried now."""


def restore(pristine: str, live: str) -> None:
    """Put a database back to what it was, while it is served."""
    with closing(sqlite3.connect(pristine)) as kept, closing(sqlite3.connect(live)) as used:
        kept.backup(used)


@schemathesis.check
def each_problem_is_listed(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Fail where an operation answers a problem that its contract does not tell of."""
    told = case.operation.definition.raw["responses"].get(str(response.status_code))
    [kind] = response.headers.get("content-type", [""])
    if told and kind == PROBLEM:
        problem = response.json()
        assert lists(told, problem), f"The contract does not list it: {problem['type']}"


@schemathesis.check
def what_fits_the_contract_is_judged(
    _: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Fail where a request that the contract allows is refused for its shape."""
    valid = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE
    if not valid or response.status_code != 422 or is_made_up(case):
        return
    told = response.json()
    codes = {fault["code"] for fault in told.get("errors", [])}
    shape = told["type"] == "/problems/json-refused" or codes - BEYOND_SCHEMA
    assert not shape, f"The contract allows what is refused: {told}"


def is_made_up(case: Case[Any]) -> bool:
    """Say whether a header is called valid that is not.

    At its edges Schemathesis writes headers of letters and digits alone, and the one that a
    PUT takes, `If-None-Match: *`, has neither.
    """
    sent = dict(case.headers or ()).get("If-None-Match", "*")
    return case.method == "PUT" and sent != "*"
