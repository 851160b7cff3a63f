"""The table of screenings. The outcome is not encrypted; its reasons are sealed (L4)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.models import Case
from app.cases.protected_records import CaseRecord
from app.directory.models import FocalPoint
from app.kernel.db import Base
from app.screening.rules import CountedAs
from app.screening.scoring import Presumption


class Screening(CaseRecord, Base):
    """A screening of a case. Later changes of the age class do not affect its outcome."""

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
        """The path of the screening in the API."""
        return f"{self.case.reference}/screenings/{self.id}"
