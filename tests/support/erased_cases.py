"""Helpers that erase cases as the service does, and count the rows that remain."""

from typing import Final

from sqlalchemy import func, select

from app.cases import system_queries
from app.cases.models import Case, CaseKey, DocumentKey, Sealed
from app.cases.records import Fact, Question, RiskAssessment
from app.casework import erasing
from app.kernel.actors import SERVICE
from app.kernel.db import Base
from app.kernel.transactions import WriteTransaction
from app.returns.models import Done
from app.routing.models import LeftOutRow, Shortlisted
from app.screening.models import Screening
from tests.support.world import NOON, Json, World

PERSONAL_TABLES: Final[tuple[type[Base], ...]] = (
    CaseKey,
    Sealed,
    DocumentKey,
    RiskAssessment,
    Fact,
    Question,
    Screening,
    Done,
    Shortlisted,
    LeftOutRow,
)
"""Tables with personal data; an erasure deletes all their rows of the case."""


def lock_case(tx: WriteTransaction, case: Json) -> Case:
    """Lock a case as the worker does, and return it."""
    wanted = select(Case.id).where(Case.code == case["code"])
    found = system_queries.lock_for_system(tx, tx.session.scalars(wanted).one())
    assert found is not None
    return found


def erase_after_retention(world: World, case: Json) -> None:
    """Erase a case as the worker does when its retention is over."""
    with world.write_as_service() as tx:
        erasing.erase_after_retention(tx, lock_case(tx, case))


def erase_draft(world: World, case: Json) -> None:
    """Erase a draft as the worker does when its deadline has passed."""
    with world.write_as_service() as tx:
        erasing.discard_unfinished(tx, lock_case(tx, case))


def erase_again(world: World, case: Json) -> bool:
    """Erase a case that a restored backup brought back; return whether this was needed."""
    with world.write_as_service() as tx:
        return erasing.erase_again(tx, lock_case(tx, case).id, NOON)


def count_rows(world: World, *tables: type[Base]) -> dict[str, int]:
    """Return the number of rows of each table that is not empty."""
    with world.database.begin_read(SERVICE) as session:
        counts = {
            table.__tablename__: session.scalars(
                select(func.count()).select_from(table)
            ).one()
            for table in tables
        }
    return {name: count for name, count in counts.items() if count}
