"""Each account gets the expected response to every operation on a referral."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.support.databases import Copy
from tests.sweeps.matrix import plans
from tests.sweeps.matrix.asking import Matrix, matrix

pytestmark = [pytest.mark.slow, pytest.mark.soak]
PLAN = plans.REFERRALS


@pytest.fixture(scope="module")
def built_matrix(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Matrix]:
    """Yield the access matrix of referrals, with a world that contains all its accounts."""
    with copy() as url, matrix(url, app, PLAN, tmp_path_factory.mktemp("kept")) as made:
        yield made


@pytest.mark.parametrize("operation", PLAN.operations())
def test_everyone_is_answered_as_is_written(built_matrix: Matrix, operation: str) -> None:
    assert built_matrix.faults(operation) == []


def test_nothing_was_changed_by_all_that(built_matrix: Matrix) -> None:
    assert built_matrix.rows() == built_matrix.before
