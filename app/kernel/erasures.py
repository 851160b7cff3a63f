"""Records of erasures, written in the transaction that destroys the key (R34)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base
from app.kernel.journal import Epoch


class Erasure(Base):
    """The record that the data key of a case was destroyed. Rows are never changed.

    There is no foreign key, because a restored backup may not contain the case.
    """

    __tablename__ = "erasure"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True)
class ErasureMark:
    """The epoch of a database and the number of erasures that it has recorded.

    Records of erasures are never deleted. Therefore, if two marks have the same epoch and
    the later number is not lower, all erasures that the earlier mark counted are recorded.
    """

    epoch: str
    count: int


def record_erasure(session: Session, case_id: UUID, at: datetime) -> bool:
    """Record the erasure of a case; return False if the erasure is already recorded."""
    if session.get(Erasure, case_id) is not None:
        return False
    session.add(Erasure(case_id=case_id, at=at))
    session.flush()
    return True


def get_erasure_mark(session: Session) -> ErasureMark:
    """Return the epoch and the number of erasures of a database, using one fast query."""
    count = select(func.count()).select_from(Erasure).scalar_subquery()
    return ErasureMark(*session.execute(select(Epoch.value, count)).one())


def get_erasures(session: Session) -> Mapping[UUID, datetime]:
    """Return the time of every erasure by case id, earliest first."""
    erasures = session.scalars(select(Erasure).order_by(Erasure.at))
    return {erasure.case_id: erasure.at for erasure in erasures}
