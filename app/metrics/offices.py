"""Offices at which cases wait for an administrator, and their alarms (ADR 48, ADR 50)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.office_staff import find_unattended, find_without_second_person
from app.deadlines import missed_deadlines
from app.directory import queries as directory_queries
from app.directory.kinds import NEVER_LEAD, OfficeKind, is_at_home, list_home_countries
from app.directory.models import FocalPoint
from app.metrics.measurement import Gauge, GaugeGroup


@dataclass(frozen=True)
class Offices:
    """The offices of the directory, with the data from which their alarms are computed."""

    every: Sequence[FocalPoint]
    unattended: frozenset[UUID]
    """Offices with accounts, none of which can work on cases now."""
    without_second_person: frozenset[UUID]
    waited_for: frozenset[UUID]
    """Offices with a running deadline."""
    holders: frozenset[UUID]
    """Offices with a running deadline of a case itself, except the deadline of a draft."""
    drafts: dict[UUID, int]
    """The unfinished drafts of each closed office that has some."""


def load_offices(session: Session, now: datetime) -> Offices:
    """Load the offices of the directory, with the data from which alarms are computed."""
    return Offices(
        every=directory_queries.list_offices(session),
        unattended=find_unattended(session, now),
        without_second_person=find_without_second_person(session),
        waited_for=missed_deadlines.find_waited_for(session),
        holders=missed_deadlines.find_holders(session),
        drafts=missed_deadlines.count_drafts_of_closed(session),
    )


def list_codes(found: Offices, offices: Collection[UUID]) -> list[str]:
    """Return the codes of offices, for the operator who has to act there."""
    return [one.code for one in found.every if one.id in offices]


def list_unattended(found: Offices) -> frozenset[UUID]:
    """Return the offices with a running deadline at which no account can work on cases.

    An open desk is included even without a deadline, because it may have to move a case at
    any time. An office that never had an account is not included.
    """
    desks = {one.id for one in found.every if one.active and one.kind == OfficeKind.DESK}
    return found.unattended & (found.waited_for | desks)


def list_without_second_person(found: Offices) -> frozenset[UUID]:
    """Return the open offices that need a second person and do not have one (R14).

    A desk is included even without a case, because it may have to move a case at any time.
    """
    return frozenset(
        office.id
        for office in found.every
        if office.active and office.id in found.without_second_person
        if office.kind == OfficeKind.DESK or office.id in found.holders
    )


def list_countries_without_lead(found: Offices) -> frozenset[str]:
    """Return the countries in which no office can lead a case now.

    A country is included only if the directory has an office there that may lead. An office
    that never had an account counts as able to lead.
    """
    leads = [one for one in found.every if one.can_lead and one.kind not in NEVER_LEAD]
    countries = {country for lead in leads for country in list_home_countries(lead)}
    able = [one for one in leads if one.active and one.id not in found.unattended]
    return frozenset(
        one for one in countries if not any(is_at_home(lead, one) for lead in able)
    )


def join_codes(codes: Iterable[str]) -> str:
    """Return codes of offices or countries as text, sorted and without duplicates."""
    return ", ".join(sorted({*codes}))


OFFICES: Final = GaugeGroup[Offices](
    load_offices,
    (
        Gauge(
            "offices_unattended",
            "Desks, and offices with a running deadline, that lost all accounts for cases.",
            lambda found: len(list_unattended(found)),
            limit=0,
            remedy="Open an account there: oversight gets an event with `accounts_left` 0.",
            detail=lambda found: join_codes(list_codes(found, list_unattended(found))),
        ),
        Gauge(
            "offices_without_second_person",
            "Desks, and offices that have an open case, at which one person works alone.",
            lambda found: len(list_without_second_person(found)),
            limit=0,
            remedy="Some steps, such as closing a case, need a second person: open an "
            "account at each of these offices.",
            detail=lambda found: join_codes(
                list_codes(found, list_without_second_person(found))
            ),
        ),
        Gauge(
            "countries_without_lead",
            "Countries where each office that may lead is closed or has lost its accounts.",
            lambda found: len(list_countries_without_lead(found)),
            limit=0,
            remedy="Open such an office or an account there, or set `can_lead` to false.",
            detail=lambda found: join_codes(list_countries_without_lead(found)),
        ),
        Gauge(
            "closed_office_drafts",
            "Drafts of closed offices, which are discarded after 14 days.",
            lambda found: sum(found.drafts.values()),
            limit=0,
            remedy="Call the office: its people can sign in and submit or discard drafts.",
            detail=lambda found: join_codes(list_codes(found, found.drafts)),
        ),
    ),
)
