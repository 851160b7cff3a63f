"""Each account gets the expected response to every operation on a handover."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.sweeps.matrix import plans, reading
from tests.sweeps.matrix.asking import Matrix, matrix

pytestmark = [pytest.mark.slow, pytest.mark.soak]
PLAN = plans.HANDOVERS


@pytest.fixture(scope="module")
def built_matrix(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Matrix]:
    """Yield the access matrix for this module's operations, with all accounts."""
    with copy() as url, matrix(url, app, PLAN, tmp_path_factory.mktemp("kept")) as made:
        yield made


@pytest.mark.parametrize("operation", PLAN.operations())
def test_everyone_is_answered_as_is_written(built_matrix: Matrix, operation: str) -> None:
    assert built_matrix.faults(operation) == []


def test_nothing_was_changed_by_all_that(built_matrix: Matrix) -> None:
    assert built_matrix.rows() == built_matrix.before


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("get_handover", 200),
        ("get_handover", 404),
        ("accept_handover", 403),
        ("accept_handover", 404),
    ],
)
def test_who_expects_one_answer_of_everyone_is_disappointed(
    built_matrix: Matrix, operation: str, expected: int
) -> None:
    rows = ((frozenset({"*", "*/*"}), reading.Verdict(expected)),)
    always = reading.Row(operation, frozenset({"*"}), rows)
    other = replace(built_matrix, table=reading.Table((always,)))

    assert len(other.faults(operation)) > 10
