"""Whether something waits where nobody may come to see it: over all offices (A8)."""

from dataclasses import dataclass
from datetime import datetime

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
    waited_for = breaches.find_waited_for(session)
    return Offices(
        len(find_unattended(session, now) & waited_for),
        breaches.count_drafts_of_closed(session),
    )
