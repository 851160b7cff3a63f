"""Reading a shortlist, and the directory as routing looks at it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from app.deadlines import queries as deadlines
from app.directory import queries as directory
from app.directory.kinds import AgeGroup, Service, Sex, serves
from app.directory.models import FocalPoint
from app.directory.opening import is_open
from app.kernel.recall import recalled
from app.kernel.work import Reading
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.question import Profile

REMEMBERED: Final = timedelta(days=90)
"""How far back answers count: our own proposal."""


SHORTLIST: Final = (
    select(Shortlisted)
    .where(Shortlisted.case_id == bindparam("case"))
    .order_by(Shortlisted.place)
)


@recalled(Shortlisted)
def shortlist(work: Reading, case_id: UUID) -> list[Shortlisted]:
    """List those who may lead a case, best first; the desk comes last."""
    return list(work.session.scalars(SHORTLIST, {"case": case_id}))


def left_out(work: Reading, case_id: UUID) -> list[LeftOutRow]:
    """List those of the country who may not, by code."""
    of_case = select(LeftOutRow).where(LeftOutRow.case_id == case_id)
    return list(work.session.scalars(of_case.order_by(LeftOutRow.focal_point)))


def profiles(work: Reading, country: str) -> tuple[Profile, ...]:
    """Describe every focal point there is, in two statements.

    Past answers are read of those alone who work in the country, or everywhere.
    """
    everyone = directory.everyone(work)
    here = [f.id for f in everyone if f.active and works_for(f, country)]
    past = deadlines.answers(work, here, work.now - REMEMBERED)
    return tuple(profile_of(work, found, past) for found in everyone)


def works_for(focal_point: FocalPoint, country: str) -> bool:
    """Say whether its past answers may matter."""
    return country == focal_point.of_state or serves(focal_point, country)


def profile_of(
    work: Reading, focal_point: FocalPoint, past: Mapping[UUID, tuple[int, int]]
) -> Profile:
    """Describe a focal point as it is now."""
    answered, late = past.get(focal_point.id, (0, 0))
    return Profile(
        services=frozenset(map(Service, focal_point.services)),
        sexes=frozenset(map(Sex, focal_point.sexes)),
        ages=frozenset(map(AgeGroup, focal_point.ages)),
        languages=tuple(focal_point.languages),
        open=is_open(focal_point.opening, focal_point.time_zone, work.now),
        answered=answered,
        late=late,
        **{name: getattr(focal_point, name) for name in SAME},
    )


SAME: Final = (
    *("id", "code", "kind", "function", "of_state", "serves", "can_lead", "active"),
    *("capacity", "capacity_as_of", "deputy"),
)
