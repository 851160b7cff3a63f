"""That a part of the service lives: one row each, written anew at every beat (R57)."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base
from app.kernel.recall import change


class Part(StrEnum):
    """What beats."""

    CLOCKS = "clocks"
    NOTICES = "notices"
    ERASURES = "erasures"
    WEBHOOKS = "webhooks"


NEEDED: Final = (Part.CLOCKS, Part.NOTICES, Part.ERASURES)
"""Without these cases would wait for nobody. A feed that is not pushed can be polled."""


class Heartbeat(Base):
    """When a part was last heard of, by the clock of the database."""

    __tablename__ = "heartbeat"

    part: Mapped[Part] = mapped_column(primary_key=True)
    at: Mapped[datetime]


BEATEN: Final = (
    update(Heartbeat)
    .where(Heartbeat.part == bindparam("which"))
    .values(at=bindparam("now"))
    .returning(Heartbeat.part)
)
BEGUN: Final = insert(Heartbeat)


def beat(session: Session, part: Part, now: datetime) -> None:
    """Say that a part lives."""
    heard = {"which": part, "now": now}
    if change(session, BEATEN, heard).first() is None:
        change(session, BEGUN, {"part": part, "at": now})


def last_heard(session: Session) -> datetime | None:
    """Say when anything was last heard of; None: nothing ever was."""
    return max(last_beats(session).values(), default=None)


def last_beats(session: Session) -> dict[Part, datetime]:
    """Say when each part was last heard of, if ever."""
    return {row.part: row.at for row in session.scalars(select(Heartbeat))}
