"""Cases that rest until an administrator opens an account or an office (ADR 48, ADR 50)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.attendance import find_unattended, find_without_second_person
from app.deadlines import breaches
from app.directory import queries as directory
from app.directory.kinds import NEVER_LEAD, Kind, homes, is_at_home


@dataclass(frozen=True)
class Offices:
    """How many offices, countries and drafts wait for somebody to act."""

    unattended: int
    without_second_person: int
    countries_without_lead: int
    drafts: int


def look_at_offices(session: Session, now: datetime) -> Offices:
    """Count what rests until an administrator acts."""
    return Offices(
        unattended=len(find_unattended_offices(session, now)),
        without_second_person=len(find_offices_without_second_person(session)),
        countries_without_lead=len(find_countries_without_lead(session, now)),
        drafts=breaches.count_drafts_of_closed(session),
    )


def find_unattended_offices(session: Session, now: datetime) -> frozenset[UUID]:
    """Return the offices with a running deadline at which nobody can sign in."""
    return find_unattended(session, now) & breaches.find_waited_for(session)


def find_offices_without_second_person(session: Session) -> frozenset[UUID]:
    """Return the open offices that have a case, and desks, with no second person (R14).

    A desk is included without a case: it may have to move one at any time.
    """
    alone = find_without_second_person(session)
    holders = breaches.find_holders(session)
    return frozenset(
        office.id
        for office in directory.list_offices(session)
        if office.active and office.id in alone
        if office.kind == Kind.DESK or office.id in holders
    )


def find_countries_without_lead(session: Session, now: datetime) -> frozenset[str]:
    """Return the countries whose offices that may lead a case are all closed or empty.

    A country without such an office is not included: the directory never had one there.
    """
    unattended = find_unattended(session, now)
    offices = directory.list_offices(session)
    leads = [one for one in offices if one.can_lead and one.kind not in NEVER_LEAD]
    countries = {country for lead in leads for country in homes(lead)}
    able = [one for one in leads if one.active and one.id not in unattended]
    return frozenset(
        one for one in countries if not any(is_at_home(lead, one) for lead in able)
    )
