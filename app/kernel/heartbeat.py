"""Heartbeats: a row for each part of the service, updated when the part has run (R57)."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base
from app.kernel.recall import write_rows


class Part(StrEnum):
    """A part of the service that records heartbeats."""

    CLOCKS = "clocks"
    NOTICES = "notices"
    ERASURES = "erasures"
    WEBHOOKS = "webhooks"
    FIGURES = "figures"


REQUIRED_PARTS: Final = (Part.CLOCKS, Part.NOTICES, Part.ERASURES)
"""Parts that have to run. Webhooks and figures are optional: no case waits for them."""


class Heartbeat(Base):
    """The time of a service part's last heartbeat, by the database's clock."""

    __tablename__ = "heartbeat"

    part: Mapped[Part] = mapped_column(primary_key=True)
    at: Mapped[datetime]


UPDATE_HEARTBEAT: Final = (
    update(Heartbeat)
    .where(Heartbeat.part == bindparam("which"))
    .values(at=bindparam("now"))
    .returning(Heartbeat.part)
)
INSERT_HEARTBEAT: Final = insert(Heartbeat)


def record_heartbeat(session: Session, part: Part, now: datetime) -> None:
    """Record that a part of the service has just run."""
    if write_rows(session, UPDATE_HEARTBEAT, {"which": part, "now": now}).first() is None:
        write_rows(session, INSERT_HEARTBEAT, {"part": part, "at": now})


def get_last_heartbeat(session: Session) -> datetime | None:
    """Return the time of the latest heartbeat of any part, or None if there is none."""
    return max(get_heartbeats(session).values(), default=None)


def get_heartbeats(session: Session) -> dict[Part, datetime]:
    """Return the time of the last heartbeat of each part that has recorded one."""
    return {row.part: row.at for row in session.scalars(select(Heartbeat))}
