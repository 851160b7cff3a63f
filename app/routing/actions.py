"""Storing the ranking of a case, and the offices that were asked to lead it."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete

from app.cases import actions as cases
from app.cases import queries as cases_read
from app.cases.models import CaseKey, Sealed
from app.cases.sections import Paper
from app.kernel.problems import NotFound
from app.kernel.transactions import RecordIdentity, Writing
from app.kernel.vault import Unopenable
from app.routing import queries
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.ranking import Ranking, ReasonIn
from app.routing.results import LeftOutOffice, RoutingResult, Waiting


def seal_ranking(work: Writing, case_id: UUID, ranking: Ranking, *, skip: int = 0) -> None:
    """Seal a ranking with its reasons, without the first `skip` offices.

    The desk is its last entry. Only left-out offices that concern the country are stored.
    """
    found = RoutingResult(
        waiting=[
            Waiting(focal_point_id=candidate.id, reasons=list(candidate.reasons))
            for candidate in ranking.in_turn[skip:]
        ],
        left_out=[
            LeftOutOffice(focal_point=out.code, reasons=list(out.reasons))
            for out in sorted(ranking.left_out, key=lambda out: out.code)
            if out.near
        ],
    )
    seal_result(work, case_id, found)


def seal_result(work: Writing, case_id: UUID, found: RoutingResult) -> None:
    """Seal a routing result in place of the earlier one, which may be unencrypted.

    Nothing is stored if the key of the case is lost. The case can still be routed, because
    each ranking is made anew and the stored list is only shown.
    """
    if any(row.asked_at is None for row in queries.list_rows(work, case_id)):
        delete_clear_rows(work, case_id)
    with suppress(NotFound, Unopenable):
        cases.replace_sealed(
            work, RecordIdentity(case_id, case_id, ""), Paper.ROUTING, found
        )
    work.session.flush()


def delete_clear_rows(work: Writing, case_id: UUID) -> None:
    """Delete the unencrypted rows of older versions, except of offices that were asked."""
    waiting = (Shortlisted.case_id == case_id) & Shortlisted.asked_at.is_(None)
    work.session.execute(delete(Shortlisted).where(waiting))
    work.session.execute(delete(LeftOutRow).where(LeftOutRow.case_id == case_id))


def ask_first(work: Writing, case_id: UUID, ranking: Ranking) -> UUID | None:
    """Store a ranking, and return its first office as the one to ask; None without any."""
    seal_ranking(work, case_id, ranking, skip=1)
    first = next(iter(ranking.in_turn), None)
    if first is None:
        return None
    add_asked(work, case_id, first.id, list(first.reasons))
    return first.id


def add_asked(work: Writing, case_id: UUID, focal_point: UUID, reasons: list[str]) -> None:
    """Record that a focal point is asked to lead."""
    row = Shortlisted(
        case_id=case_id,
        place=len(queries.list_asked(work, case_id)) + 1,
        focal_point_id=focal_point,
        reasons=reasons,
        asked_at=work.now,
    )
    work.session.add(row)


def record_desk_choice(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Record that a desk chose an office, so that it is not asked again if it declines."""
    found = queries.load_result(work, case_id)
    seal_result(work, case_id, found.model_copy(update={"waiting": []}))
    if focal_point not in {row.focal_point_id for row in queries.list_asked(work, case_id)}:
        add_asked(work, case_id, focal_point, [ReasonIn.CHOSEN_BY_THE_DESK])


def record_passed_over(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Record that a candidate did not take the case, so that it is not asked again."""
    for row in queries.list_asked(work, case_id):
        if row.focal_point_id == focal_point:
            row.left_at = work.now


def delete_ranking(work: Writing, case_id: UUID) -> None:
    """Delete the ranking of a case, as it was made from data that is erased.

    This needs no key.
    """
    sealed = (Sealed.record_id == case_id) & (Sealed.kind == Paper.ROUTING)
    work.session.execute(delete(Sealed).where(sealed))
    for model in (Shortlisted, LeftOutRow):
        work.session.execute(delete(model).where(model.case_id == case_id))


def seal_clear_result(work: Writing, case_id: UUID) -> bool:
    """Seal what an older version stored unencrypted; return False if it cannot be done."""
    kept = queries.load_clear_result(work, case_id)
    if not (kept.waiting or kept.left_out):
        return False
    if work.session.get(CaseKey, case_id) is None:
        delete_ranking(work, case_id)
        return False
    delete_clear_rows(work, case_id)
    if cases_read.find_sealed(work, case_id, Paper.ROUTING) is None:
        seal_result(work, case_id, kept)
    return True
