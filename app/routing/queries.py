"""Queries for the ranking of a case, and for the profiles of offices."""

from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.cases import queries as case_queries
from app.cases import rule_documents
from app.cases.case_loading import require_all_loaded
from app.cases.models import CaseKey, Party, Sealed
from app.cases.sections import Paper
from app.directory import queries as directory_queries
from app.directory.kinds import AgeGroup, Service, Sex, may_see_free_places
from app.directory.lead_offices import list_lead_offices
from app.directory.models import FocalPoint
from app.directory.opening_hours import is_open
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction
from app.kernel.vault import Unopenable
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.question import Profile
from app.routing.results import LeftOutOffice, RoutingResult, Waiting

SHORTLIST: Final = (
    select(Shortlisted)
    .where(Shortlisted.case_id == bindparam("case"))
    .order_by(Shortlisted.place)
)


@dataclass(frozen=True)
class Place:
    """A position on the list of the offices that may lead a case."""

    place: int
    focal_point_id: UUID
    reasons: list[str]
    asked_at: datetime | None = None
    left_at: datetime | None = None


@load_once(Shortlisted)
def list_rows(tx: ReadTransaction, case_id: UUID) -> list[Shortlisted]:
    """List the offices that were asked to lead a case, in the order of the requests.

    Rows of earlier versions can name offices that were not asked yet. Raises NotAuthentic
    if a row was altered, inserted or deleted outside the service, because the rows decide
    which offices are not asked again.
    """
    found = list(tx.session.scalars(SHORTLIST, {"case": case_id}))
    require_all_loaded(tx.session, [case_id], Shortlisted.list_labels())
    return found


def list_asked(tx: ReadTransaction, case_id: UUID) -> list[Shortlisted]:
    """List the offices that were asked to lead a case, in the order of the requests."""
    return [row for row in list_rows(tx, case_id) if row.asked_at]


def load_result(tx: ReadTransaction, case_id: UUID) -> RoutingResult:
    """Return the routing result of a case, which is empty if its key is lost.

    If no result is sealed, the unencrypted result of an older version is returned.
    """
    kept = case_queries.find_sealed(tx, case_id, Paper.ROUTING)
    if kept is None:
        return load_clear_result(tx, case_id)
    try:
        return RoutingResult.model_validate_json(case_queries.open_sealed(tx, kept))
    except (NotFound, Unopenable):  # its key is lost, but the case can still be routed
        return RoutingResult()


@load_once(Sealed, CaseKey)
def load_results(
    tx: ReadTransaction, case_ids: Container[UUID], page: Iterable[UUID]
) -> Mapping[UUID, RoutingResult]:
    """Open the sealed routing results of several cases.

    Cases without a sealed result, and cases whose key is lost, are left out. `page`
    contains the ids of all cases that are shown together, including `case_ids`.
    """
    found: dict[UUID, RoutingResult] = {}
    for kept, key in rule_documents.list_routing(tx, page):
        if kept.case_id not in case_ids:
            continue
        with suppress(NotFound, Unopenable):
            content = case_queries.open_sealed(tx, kept, key)
            found[kept.case_id] = RoutingResult.model_validate_json(content)
    return found


def load_clear_result(tx: ReadTransaction, case_id: UUID) -> RoutingResult:
    """Return the result that an older version stored unencrypted, or an empty result."""
    waiting = [row for row in list_rows(tx, case_id) if not row.asked_at]
    left = select(LeftOutRow).where(LeftOutRow.case_id == case_id)
    return RoutingResult(
        waiting=[
            Waiting(focal_point_id=row.focal_point_id, reasons=row.reasons)
            for row in waiting
        ],
        excluded=[
            LeftOutOffice(focal_point=row.focal_point, reasons=row.reasons)
            for row in tx.session.scalars(left.order_by(LeftOutRow.focal_point))
        ],
    )


def list_clear_cases(session: Session) -> list[tuple[UUID, UUID]]:
    """List cases with unencrypted rows of an older version, each with its submitter."""
    waiting = select(Shortlisted.case_id).where(Shortlisted.asked_at.is_(None))
    either = waiting.union(select(LeftOutRow.case_id)).subquery()
    submitter = select(Party.case_id, Party.focal_point_id).where(
        Party.case_id.in_(select(either)), Party.relation == Relation.SUBMITTER
    )
    return [(case, office) for case, office in session.execute(submitter)]


def list_places(tx: ReadTransaction, case_id: UUID) -> list[Place]:
    """List the offices that were asked to lead a case, then those still to be asked."""
    before = [
        Place(row.place, row.focal_point_id, row.reasons, row.asked_at, row.left_at)
        for row in list_asked(tx, case_id)
    ]
    waiting = enumerate(load_result(tx, case_id).waiting, start=len(before) + 1)
    return before + [
        Place(place, one.focal_point_id, one.reasons) for place, one in waiting
    ]


def load_profiles(
    tx: ReadTransaction, reader: FocalPoint | None = None
) -> tuple[Profile, ...]:
    """Load the profile of every focal point.

    The free places are included only for offices whose free places `reader` may learn.
    """
    offices = directory_queries.list_all(tx)
    return tuple(
        build_profile(
            tx, one, with_places=bool(reader and may_see_free_places(reader, one))
        )
        for one in offices
    )


@load_once(FocalPoint)
def load_lead_profiles(tx: ReadTransaction, country: str) -> tuple[Profile, ...]:
    """Load the profiles that a ranking of leads depends on, without free places."""
    return tuple(build_profile(tx, found) for found in list_lead_offices(tx, country))


def build_profile(
    tx: ReadTransaction, focal_point: FocalPoint, *, with_places: bool = False
) -> Profile:
    """Return the profile of a focal point as it is now."""
    return Profile(
        id=focal_point.id,
        code=focal_point.code,
        kind=focal_point.kind,
        function=focal_point.function,
        of_state=focal_point.of_state,
        serves=focal_point.serves,
        can_lead=focal_point.can_lead,
        active=focal_point.active,
        capacity=focal_point.capacity if with_places else None,
        capacity_as_of=focal_point.capacity_as_of,
        deputy=focal_point.deputy,
        services=frozenset(map(Service, focal_point.services)),
        sexes=frozenset(map(Sex, focal_point.sexes)),
        ages=frozenset(map(AgeGroup, focal_point.ages)),
        languages=tuple(focal_point.languages),
        open=is_open(focal_point.opening, focal_point.time_zone, tx.now),
    )
