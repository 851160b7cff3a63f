"""The erasures that the service performs by itself, and the rows that they leave."""

from typing import Final

from sqlalchemy import func, select

from app.cases import holding
from app.cases.models import Case, CaseKey, DocumentKey, Sealed
from app.cases.records import Fact, Question, RiskAssessment
from app.casework import erasing
from app.kernel.actors import SERVICE
from app.kernel.db import Base
from app.kernel.work import Writing
from app.returns.models import Done
from app.routing.models import LeftOutRow, Shortlisted
from app.screening.models import Screening
from tests.support.world import NOON, Json, World

TELLING: Final[tuple[type[Base], ...]] = (
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


def held(work: Writing, case: Json) -> Case:
    """Lock a case as the worker does."""
    wanted = select(Case.id).where(Case.code == case["code"])
    found = holding.by_id(work, work.session.scalars(wanted).one())
    assert found is not None
    return found


def lapse(world: World, case: Json) -> None:
    """Erase a case as the worker does when its retention is over."""
    with world.by_itself() as work:
        erasing.lapse(work, held(work, case))


def drop(world: World, case: Json) -> None:
    """Erase a draft as the worker does when nobody finished it."""
    with world.by_itself() as work:
        erasing.drop(work, held(work, case))


def erase_again(world: World, case: Json) -> bool:
    """Erase a case of a restored backup that had been erased since."""
    with world.by_itself() as work:
        return erasing.erase_again(work, held(work, case).id, NOON)


def kept(world: World, *tables: type[Base]) -> dict[str, int]:
    """Return the number of rows of each table that has any."""
    with world.database.reading(SERVICE) as session:
        counts = {
            table.__tablename__: session.scalars(
                select(func.count()).select_from(table)
            ).one()
            for table in tables
        }
    return {name: count for name, count in counts.items() if count}
