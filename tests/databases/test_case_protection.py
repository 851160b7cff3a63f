"""Tests of `case protect`, which protects the cases of an earlier version (ADR 81)."""

from collections.abc import Collection, Sequence
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cases import case_protection
from app.cases.case_protection import protect_cases
from app.cases.models import Case
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.problems import Busy
from app.kernel.statements import lock_rows
from tests.support.world import Json, Someone, World, get_path


def remove_macs(world: World) -> None:
    """Remove the MACs of all cases and deadlines, which an earlier version did not have."""
    with world.database.begin_write(SERVICE) as session:
        for model in (Case, Clock):
            session.connection().execute(update(model).values(mac=None))


def count_readable(who: Someone, cases: Sequence[Json]) -> int:
    """Return the number of these cases that an office can read."""
    answers = [who.get(get_path(case)) for case in cases]
    assert {one.status_code for one in answers} <= {200, 500}
    return sum(one.status_code == 200 for one in answers)


def test_cases_are_protected_in_batches(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [officer.submit() for _ in range(3)]
    remove_macs(world)
    assert count_readable(officer, cases) == 0
    monkeypatch.setattr(case_protection, "BATCH", 2)

    assert [*protect_cases(world.runtime)] == [(2, 3), (3, 3)]

    assert count_readable(officer, cases) == 3
    with world.database.begin_read(SERVICE) as session:
        assert list(session.scalars(select(Clock.number).where(Clock.mac.is_(None)))) == []
    assert [*protect_cases(world.runtime)] == []


def test_case_that_a_request_has_locked_is_protected_at_the_end(
    world: World, pg_url: str, officer: Someone
) -> None:
    assert pg_url
    cases = [officer.submit() for _ in range(3)]
    remove_macs(world)
    running = protect_cases(world.runtime)

    with world.database.begin_write(SERVICE) as session:
        code = Case.code == cases[0]["code"]
        session.execute(lock_rows(select(Case.number).where(code)))
        assert next(running) == (2, 3)
        assert count_readable(officer, cases) == 2

    assert [*running] == [(3, 3)]
    assert count_readable(officer, cases) == 3


def test_batch_with_a_deadlock_is_protected_at_the_end(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [officer.submit() for _ in range(2)]
    remove_macs(world)
    protect = case_protection.protect_batch

    def protect_or_fail(
        session: Session, case_ids: Collection[UUID], *, skip_locked: bool = False
    ) -> set[UUID]:
        if skip_locked:
            raise Busy("deadlock")
        return protect(session, case_ids)

    monkeypatch.setattr(case_protection, "protect_batch", protect_or_fail)
    assert [*protect_cases(world.runtime)] == [(0, 2), (1, 2), (2, 2)]
    assert count_readable(officer, cases) == 2
