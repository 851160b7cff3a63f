"""The available actions of a case, compared with the statuses in the access matrix."""

import json
from collections.abc import Iterator

from app.cases.lifecycle import TABLE
from tests.support.case_actions import FURTHER
from tests.sweeps.matrix.asking import OPERATIONS, Matrix, relation
from tests.sweeps.matrix.people import Caller
from tests.sweeps.matrix.reading import NOBODIES
from tests.sweeps.matrix.stages import Stage

STEPS = {
    step.action: operation.name
    for step in TABLE.steps
    for operation in OPERATIONS.values()
    if operation.path == f"/v1/cases/{{code}}/{step.action.replace('_', '-')}"
}
"""The operation of each step of the life cycle that an office can take."""
ROW_OF = {"write_section": "write_section.needs"}
FITTING = frozenset({200, 201, 202, 204, 422})
"""Statuses for an available action; 422 means that the body does not fit the stage."""


def list_faults(matrix: Matrix) -> Iterator[str]:
    """Yield each account, stage and action for which the case contradicts the table."""
    for stage in matrix.stages_of("get_case"):
        for caller in matrix.askers("get_case", stage):
            if caller.name not in NOBODIES:
                yield from list_faults_of(matrix, stage, caller)


def list_faults_of(matrix: Matrix, stage: Stage, caller: Caller) -> Iterator[str]:
    """Yield the actions for which the case shown to an account contradicts the table."""
    answer, _ = matrix.ask("get_case", stage, caller)
    if answer.status != 200:
        return
    shown = {one["action"]: one for one in json.loads(answer.content)["available_actions"]}
    for action, operation in (STEPS | dict(FURTHER)).items():
        name = ROW_OF.get(action, operation)
        if not matrix.table.of(name):
            continue
        status = matrix.table.verdict(name, stage.name, relation(stage, caller)).status
        if (fault := compare(shown.get(action), status)) is not None:
            yield f"{stage.name} | {caller.name}: {action} is {fault}, answered {status}"


def compare(shown: dict[str, object] | None, status: int) -> str | None:
    """Return how a shown action contradicts a status, or None if it does not."""
    if shown is None:
        return "missing" if status < 300 else None
    if shown["role_missing"]:
        return None if status == 403 else "blocked by a role"
    if shown["open"]:
        return None if status in FITTING else "open"
    return None if status == 409 else "blocked"
