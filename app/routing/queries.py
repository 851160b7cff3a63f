"""Reading a shortlist, and the directory as routing looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.cases import queries as cases
from app.cases.models import Party
from app.cases.sections import Paper
from app.deadlines import queries as deadlines
from app.directory import queries as directory
from app.directory.kinds import AgeGroup, Service, Sex, serves
from app.directory.models import FocalPoint
from app.directory.opening import is_open
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.recall import recalled
from app.kernel.vault import Unopenable
from app.kernel.work import Reading
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.question import Profile
from app.routing.results import LeftOutOffice, RoutingResult, Waiting

REMEMBERED: Final = timedelta(days=90)
"""How far back answers count: our own proposal."""


SHORTLIST: Final = (
    select(Shortlisted)
    .where(Shortlisted.case_id == bindparam("case"))
    .order_by(Shortlisted.place)
)


@dataclass(frozen=True)
class Place:
    """A place on the list of those who may lead a case."""

    place: int
    focal_point_id: UUID
    reasons: list[str]
    asked_at: datetime | None = None
    left_at: datetime | None = None


@recalled(Shortlisted)
def list_rows(work: Reading, case_id: UUID) -> list[Shortlisted]:
    """List the rows of a case: who was asked, and what older versions kept."""
    return list(work.session.scalars(SHORTLIST, {"case": case_id}))


def list_asked(work: Reading, case_id: UUID) -> list[Shortlisted]:
    """List those who were asked to lead a case, in that order."""
    return [row for row in list_rows(work, case_id) if row.asked_at]


def load_result(work: Reading, case_id: UUID) -> RoutingResult:
    """Open what routing found for a case, for the rules alone."""
    kept = cases.sealed(work, case_id, Paper.ROUTING)
    if kept is None:
        return load_clear_result(work, case_id)
    try:
        return RoutingResult.model_validate_json(cases.unseal(work, kept))
    except (NotFound, Unopenable):  # its key is lost: it is routed all the same
        return RoutingResult()


def load_clear_result(work: Reading, case_id: UUID) -> RoutingResult:
    """Read what an older version kept in clear."""
    waiting = [row for row in list_rows(work, case_id) if not row.asked_at]
    left = select(LeftOutRow).where(LeftOutRow.case_id == case_id)
    return RoutingResult(
        waiting=[
            Waiting(focal_point_id=row.focal_point_id, reasons=row.reasons)
            for row in waiting
        ],
        left_out=[
            LeftOutOffice(focal_point=row.focal_point, reasons=row.reasons)
            for row in work.session.scalars(left.order_by(LeftOutRow.focal_point))
        ],
    )


def list_clear_cases(session: Session) -> list[tuple[UUID, UUID]]:
    """List the cases of which an older version kept something in clear, with submitters."""
    waiting = select(Shortlisted.case_id).where(Shortlisted.asked_at.is_(None))
    either = waiting.union(select(LeftOutRow.case_id)).subquery()
    submitter = select(Party.case_id, Party.focal_point_id).where(
        Party.case_id.in_(select(either)), Party.relation == Relation.SUBMITTER
    )
    return [(case, office) for case, office in session.execute(submitter)]


def shortlist(work: Reading, case_id: UUID) -> list[Place]:
    """List those who may lead a case, best first: who was asked, then who is to be."""
    before = [
        Place(row.place, row.focal_point_id, row.reasons, row.asked_at, row.left_at)
        for row in list_asked(work, case_id)
    ]
    waiting = enumerate(load_result(work, case_id).waiting, start=len(before) + 1)
    return before + [
        Place(place, one.focal_point_id, one.reasons) for place, one in waiting
    ]


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
