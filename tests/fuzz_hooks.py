"""What Schemathesis must know of us: values that JSON Schema cannot describe, and a check.

Loaded by `st`, as tests/fuzzing.py tells it to.
"""

from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response

from app.api.problems import OURS
from app.kernel.codes import new_code
from tests.names import NAMES

BEYOND_SCHEMA = (OURS - {"text_unsafe"}) | {"extra_forbidden"}
"""Faults that no schema of ours shows: fields that are well, but not together; a check
character; and a field too many in what is sealed, whose schema is that of its reading too.
"""

schemathesis.openapi.format("safe-text", st.sampled_from(sorted(NAMES.values())))
schemathesis.openapi.format("contact-address", st.sampled_from(["duty@example.org"]))
schemathesis.openapi.format("case-code", st.uuids().map(new_code))
schemathesis.openapi.format(
    "date-time", st.sampled_from(["2026-06-02T09:00:00+05:00", "2027-01-01T00:00:00Z"])
)
schemathesis.openapi.format(
    "date", st.dates().map(str).filter(lambda day: day >= "1900-01-02")
)


@schemathesis.check
def what_fits_the_contract_is_judged(
    _: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Fail where a request that the contract allows is refused for its shape."""
    valid = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE
    if not valid or response.status_code != 422:
        return
    told = response.json()
    codes = {fault["code"] for fault in told.get("errors", [])}
    shape = told["type"] == "/problems/json-refused" or codes - BEYOND_SCHEMA
    assert not shape, f"The contract allows what is refused: {told}"
