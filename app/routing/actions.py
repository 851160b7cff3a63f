"""Keeping a shortlist, and walking down it."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert

from app.kernel.recall import change
from app.kernel.work import Writing
from app.routing import queries
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.ranking import Ranking, ReasonIn

LEFT_OUT: Final = insert(LeftOutRow)


def keep(work: Writing, case_id: UUID, ranking: Ranking) -> None:
    """Keep a ranking with its reasons, behind those who were asked before.

    The desk stands at its end. Of those left out, only who has to do with the country.
    """
    before = queries.shortlist(work, case_id)
    asked = [row for row in before if row.asked_at]
    if before:  # who was left out is kept with who was asked, or not at all
        waiting = (Shortlisted.case_id == case_id) & Shortlisted.asked_at.is_(None)
        work.session.execute(delete(Shortlisted).where(waiting))
        work.session.execute(delete(LeftOutRow).where(LeftOutRow.case_id == case_id))
    work.session.add_all(
        Shortlisted(
            case_id=case_id,
            place=place,
            focal_point_id=candidate.id,
            reasons=list(candidate.reasons),
        )
        for place, candidate in enumerate(ranking.in_turn, start=len(asked) + 1)
    )
    near = [
        {"case_id": case_id, "focal_point": out.code, "reasons": list(out.reasons)}
        for out in ranking.left_out
        if out.near
    ]
    if near:
        change(work.session, LEFT_OUT, near)
    work.session.flush()


def ask_next(work: Writing, case_id: UUID) -> UUID | None:
    """Take the next of the shortlist who was not asked yet; None: there is no desk."""
    waiting = [row for row in queries.shortlist(work, case_id) if not row.asked_at]
    if not waiting:
        return None
    waiting[0].asked_at = work.now
    return waiting[0].focal_point_id


def ask_by_hand(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Remember that a desk chose somebody, so that who declines is not asked again."""
    asked = [row for row in queries.shortlist(work, case_id) if row.asked_at]
    waiting = (Shortlisted.case_id == case_id) & Shortlisted.asked_at.is_(None)
    work.session.execute(delete(Shortlisted).where(waiting))
    if focal_point in {row.focal_point_id for row in asked}:
        return
    row = Shortlisted(
        case_id=case_id,
        place=len(asked) + 1,
        focal_point_id=focal_point,
        reasons=[ReasonIn.CHOSEN_BY_THE_DESK],
        asked_at=work.now,
    )
    work.session.add(row)


def pass_over(work: Writing, case_id: UUID, focal_point: UUID) -> None:
    """Remember that a candidate declined, so that it is not asked again."""
    for row in queries.shortlist(work, case_id):
        if row.focal_point_id == focal_point:
            row.left_at = work.now


def forget(work: Writing, case_id: UUID) -> None:
    """Throw away who could have led a case, and why: it was made from what is erased."""
    for model in (Shortlisted, LeftOutRow):
        work.session.execute(delete(model).where(model.case_id == case_id))
