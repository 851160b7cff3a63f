"""What was erased: written in the transaction that destroys, and never rewritten (R34)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base
from app.kernel.journal import Epoch


class Erasure(Base):
    """That the data key of a case was destroyed, and when.

    It refers to no row: an older backup may not know the case at all.
    """

    __tablename__ = "erasure"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True)
class Mark:
    """Which database this is, and how many erasures it has recorded.

    None is ever taken away: as many as before, or more, are those of before and more.
    """

    epoch: str
    count: int


def enter(session: Session, case_id: UUID, at: datetime) -> bool:
    """Record that a key was destroyed; False: that is recorded already."""
    if session.get(Erasure, case_id) is not None:
        return False
    session.add(Erasure(case_id=case_id, at=at))
    session.flush()
    return True


def mark(session: Session) -> Mark:
    """Count, in one statement: cheap enough for a probe."""
    count = select(func.count()).select_from(Erasure).scalar_subquery()
    return Mark(*session.execute(select(Epoch.value, count)).one())


def recorded(session: Session) -> Mapping[UUID, datetime]:
    """List every erasure, the first one first."""
    every = session.scalars(select(Erasure).order_by(Erasure.at))
    return {erasure.case_id: erasure.at for erasure in every}
