"""Each account gets the expected response to every operation on a case."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.sweeps.matrix import plans, shown_actions
from tests.sweeps.matrix.asking import Matrix, matrix

pytestmark = [pytest.mark.slow, pytest.mark.soak]
PLAN = plans.CASES


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


def test_there_are_as_many_cells_as_were_promised(built_matrix: Matrix) -> None:
    assert built_matrix.planned() >= (6_000 if built_matrix.restore else 1_000)


@pytest.mark.parametrize(
    "listed",
    [
        "cases",
        "cases?include=tasks&sort=due_at",
        "events",
        "worklist",
        "worklist?include=summary",
        "referrals",
        "handovers",
    ],
)
def test_a_list_names_what_one_has_a_part_in_and_nothing_else(
    built_matrix: Matrix, listed: str
) -> None:
    assert built_matrix.strayed(listed) == []


@pytest.mark.parametrize("listed", ["cases", "cases?include=tasks&sort=due_at"])
def test_a_list_of_cases_leaves_nothing_out(built_matrix: Matrix, listed: str) -> None:
    assert built_matrix.excluded(listed) == []


def test_the_available_actions_agree_with_the_answers(built_matrix: Matrix) -> None:
    assert list(shown_actions.list_faults(built_matrix)) == []


def test_nothing_was_changed_by_all_that(built_matrix: Matrix) -> None:
    assert built_matrix.rows() == built_matrix.before
