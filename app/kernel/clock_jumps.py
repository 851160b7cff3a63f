"""The last jump of the database's clock, in a row that every process can read."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base

ROW: Final = 1
"""The id of the only row of the table."""
RECENT: Final = timedelta(hours=1)
"""The time for which a clock jump is reported."""


class ClockJump(Base):
    """The last jump of the clock: the time after the jump, and its length in seconds."""

    __tablename__ = "clock_jump"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    seconds: Mapped[int]


def record_clock_jump(session: Session, now: datetime, *, seconds: int) -> None:
    """Replace the stored clock jump; `seconds` is positive if the clock moved forward."""
    session.merge(ClockJump(id=ROW, at=now, seconds=seconds))


def get_recent_jump(session: Session, now: datetime) -> int:
    """Return the length of the last clock jump in seconds, or 0 if there is no recent one.

    A jump counts as recent for one hour. A jump with a time in the future also counts,
    because the clock was set back after it.
    """
    jump = session.get(ClockJump, ROW)
    return jump.seconds if jump and now - jump.at < RECENT else 0
