"""That a person was screened: the outcome in clear, what it rests on sealed beside it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.directory.models import FocalPoint
from app.kernel.db import Base
from app.screening.rules import CountedAs
from app.screening.scoring import Presumption


class Screening(Base):
    """A presumption, as it was when it was made; a later age class leaves it as it is.

    Which signs were ticked, and what was remarked, is a paper of this record (L4).
    """

    __tablename__ = "screening"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), index=True)
    outcome: Mapped[Presumption]
    counted_as: Mapped[CountedAs]
    scoring: Mapped[str]
    screened_by: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    screened_at: Mapped[datetime]

    case: Mapped[Case] = relationship()

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"{self.case.reference}/screenings/{self.id}"
