"""What the system erases by itself, and what of a case is left in the tables."""

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
    *(CaseKey, Sealed, DocumentKey, RiskAssessment, Fact, Question, Screening, Done),
    *(Shortlisted, LeftOutRow),
)
"""Tables that say something of a person; none of their rows outlives an erasure."""


def held(work: Writing, case: Json) -> Case:
    """Hold a case as the worker does."""
    wanted = select(Case.id).where(Case.code == case["code"])
    found = holding.by_id(work, work.session.scalars(wanted).one())
    assert found is not None
    return found


def lapse(world: World, case: Json) -> None:
    """Do what the system does when the retention of a case is over."""
    with world.by_itself() as work:
        erasing.lapse(work, held(work, case))


def drop(world: World, case: Json) -> None:
    """Do what the system does when nobody finished a draft."""
    with world.by_itself() as work:
        erasing.drop(work, held(work, case))


def erase_again(world: World, case: Json) -> bool:
    """Do what the system does with a case of a backup that was erased since."""
    with world.by_itself() as work:
        return erasing.erase_again(work, held(work, case).id, NOON)


def kept(world: World, *tables: type[Base]) -> dict[str, int]:
    """Say of which of some tables there are rows, and how many."""
    with world.database.reading(SERVICE) as session:
        counts = {
            table.__tablename__: session.scalars(
                select(func.count()).select_from(table)
            ).one()
            for table in tables
        }
    return {name: count for name, count in counts.items() if count}
