"""Keeping what routing found for a case, and walking down the list."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete

from app.cases import actions as cases
from app.cases import queries as cases_read
from app.cases.models import CaseKey, Sealed
from app.cases.sections import Paper
from app.kernel.problems import NotFound
from app.kernel.vault import Unopenable
from app.kernel.work import Named, Writing
from app.routing import queries
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.ranking import Ranking, ReasonIn
from app.routing.results import LeftOutOffice, RoutingResult, Waiting


def seal_ranking(
    work: Writing, case_id: UUID, ranking: Ranking, *, but_first: int = 0
) -> None:
    """Seal a ranking with its reasons, without the first so many, who are asked now.

    The desk stands at its end. Of those left out, only who has to do with the country.
    """
    found = RoutingResult(
        waiting=[
            Waiting(focal_point_id=candidate.id, reasons=list(candidate.reasons))
            for candidate in ranking.in_turn[but_first:]
        ],
        left_out=[
            LeftOutOffice(focal_point=out.code, reasons=list(out.reasons))
            for out in sorted(ranking.left_out, key=lambda out: out.code)
            if out.near
        ],
    )
    seal(work, case_id, found)


def seal(work: Writing, case_id: UUID, found: RoutingResult) -> None:
    """Seal what was found in place of what was before, in clear or sealed.

    Of a case whose key is lost nothing is kept: it is routed all the same, and anew each
    time, so nothing depends on the list but showing it.
    """
    if any(row.asked_at is None for row in queries.list_rows(work, case_id)):
        delete_clear_rows(work, case_id)
    with suppress(NotFound, Unopenable):
        cases.seal(work, Named(case_id, case_id, ""), Paper.ROUTING, found)
    work.session.flush()


def delete_clear_rows(work: Writing, case_id: UUID) -> None:
    """Delete what an older version kept in clear; who was asked stays."""
    waiting = (Shortlisted.case_id == case_id) & Shortlisted.asked_at.is_(None)
    work.session.execute(delete(Shortlisted).where(waiting))
    work.session.execute(delete(LeftOutRow).where(LeftOutRow.case_id == case_id))


def ask_first(work: Writing, case_id: UUID, ranking: Ranking) -> UUID | None:
    """Keep a ranking, and take the first of it; None: there is no desk either."""
    seal_ranking(work, case_id, ranking, but_first=1)
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


def ask_by_hand(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Remember that a desk chose somebody, so that who declines is not asked again."""
    found = queries.load_result(work, case_id)
    seal(work, case_id, found.model_copy(update={"waiting": []}))
    if focal_point not in {row.focal_point_id for row in queries.list_asked(work, case_id)}:
        add_asked(work, case_id, focal_point, [ReasonIn.CHOSEN_BY_THE_DESK])


def pass_over(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Remember that a candidate declined, so that it is not asked again."""
    for row in queries.list_asked(work, case_id):
        if row.focal_point_id == focal_point:
            row.left_at = work.now


def forget(work: Writing, case_id: UUID) -> None:
    """Delete who could have led a case, and why: it was made from what is erased.

    No key is needed for that.
    """
    sealed = (Sealed.record_id == case_id) & (Sealed.kind == Paper.ROUTING)
    work.session.execute(delete(Sealed).where(sealed))
    for model in (Shortlisted, LeftOutRow):
        work.session.execute(delete(model).where(model.case_id == case_id))


def seal_clear_result(work: Writing, case_id: UUID) -> bool:
    """Seal what an older version kept in clear; False: there is nothing, or no key left."""
    kept = queries.load_clear_result(work, case_id)
    if not (kept.waiting or kept.left_out):
        return False
    if work.session.get(CaseKey, case_id) is None:
        forget(work, case_id)
        return False
    delete_clear_rows(work, case_id)
    if cases_read.sealed(work, case_id, Paper.ROUTING) is None:
        seal(work, case_id, kept)
    return True
