"""Whether something waits where nobody may come to see it: over all offices (A8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.attendance import find_unattended
from app.deadlines import breaches


@dataclass(frozen=True)
class Offices:
    """How many offices nobody can sign in at, and how many drafts closed offices have."""

    unattended: int
    drafts: int


def look_at_offices(session: Session, now: datetime) -> Offices:
    """Count the offices that something waits for in vain, and drafts that may be lost."""
    return Offices(
        len(find_unattended_offices(session, now)),
        breaches.count_drafts_of_closed(session),
    )


def find_unattended_offices(session: Session, now: datetime) -> frozenset[UUID]:
    """Return the offices that something waits for, and where nobody can sign in."""
    return find_unattended(session, now) & breaches.find_waited_for(session)
