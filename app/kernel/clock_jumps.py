"""The last jump of the database's clock, in one row that every process can read.

The process that sees a jump logs it. `worker status` is another process that starts later,
so it reads the jump from this row.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base

ROW: Final = 1
"""The id of the only row."""
RECENT: Final = timedelta(hours=1)
"""How long a jump is reported."""


class ClockJump(Base):
    """The last jump: its time, by the clock after the jump, and its seconds."""

    __tablename__ = "clock_jump"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    seconds: Mapped[int]


def record_clock_jump(session: Session, now: datetime, *, seconds: int) -> None:
    """Store a jump in place of the previous one; a forward jump has positive seconds."""
    session.merge(ClockJump(id=ROW, at=now, seconds=seconds))


def get_recent_jump(session: Session, now: datetime) -> int:
    """Return the seconds of the last jump, or 0 if it was more than an hour ago.

    A jump in the future counts as recent, because the clock has been set back since.
    """
    jump = session.get(ClockJump, ROW)
    return jump.seconds if jump and now - jump.at < RECENT else 0
