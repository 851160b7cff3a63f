"""Functions that store the ranking of a case, and the offices that were asked to lead."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.case_changes import delete_records
from app.cases.models import CaseKey, Sealed
from app.cases.sections import Paper
from app.kernel.problems import NotFound
from app.kernel.recall import store_result
from app.kernel.transactions import RecordIdentity, WriteTransaction
from app.kernel.vault import Unopenable
from app.routing import queries as routing_queries
from app.routing.models import LeftOutRow, Shortlisted
from app.routing.ranking import Ranking, ReasonIn
from app.routing.results import LeftOutOffice, RoutingResult, Waiting


def seal_ranking(
    tx: WriteTransaction, case_id: UUID, ranking: Ranking, *, skip: int = 0
) -> None:
    """Seal a ranking with its reasons, without the first `skip` offices.

    The desk, if there is one, is the last entry. An excluded office is stored only if it is
    near (`fit.is_near`).
    """
    found = RoutingResult(
        waiting=[
            Waiting(focal_point_id=candidate.id, reasons=list(candidate.reasons))
            for candidate in ranking.in_turn[skip:]
        ],
        excluded=[
            LeftOutOffice(focal_point=out.code, reasons=list(out.reasons))
            for out in sorted(ranking.excluded, key=lambda out: out.code)
            if out.near
        ],
    )
    seal_result(tx, case_id, found)


def seal_result(tx: WriteTransaction, case_id: UUID, found: RoutingResult) -> None:
    """Seal a routing result in place of the earlier result, which may be unencrypted.

    If the key of the case is lost, nothing is stored. The case can still be routed, because
    the stored list is only displayed.
    """
    if any(row.asked_at is None for row in routing_queries.list_rows(tx, case_id)):
        delete_clear_rows(tx, case_id)
    with suppress(NotFound, Unopenable):
        case_actions.replace_sealed(
            tx, RecordIdentity(case_id, case_id, ""), Paper.ROUTING, found
        )
        ids, results = [case_id], {case_id: found}
        store_result(tx, routing_queries.load_results, results, ids, ids)


def delete_clear_rows(tx: WriteTransaction, case_id: UUID) -> None:
    """Delete unencrypted rows of an older version about offices that were not asked."""
    delete_records(tx.session, case_id, Shortlisted, Shortlisted.asked_at.is_(None))
    tx.session.execute(delete(LeftOutRow).where(LeftOutRow.case_id == case_id))


def ask_first(tx: WriteTransaction, case_id: UUID, ranking: Ranking) -> UUID | None:
    """Store a ranking, record its first office as asked, and return its id, or None."""
    seal_ranking(tx, case_id, ranking, skip=1)
    first = next(iter(ranking.in_turn), None)
    if first is None:
        return None
    add_asked(tx, case_id, first.id, list(first.reasons))
    return first.id


def add_asked(
    tx: WriteTransaction, case_id: UUID, focal_point: UUID, reasons: list[str]
) -> None:
    """Record that a focal point is asked to lead."""
    row = Shortlisted(
        case_id=case_id,
        place=len(routing_queries.list_asked(tx, case_id)) + 1,
        focal_point_id=focal_point,
        reasons=reasons,
        asked_at=tx.now,
    )
    tx.session.add(row)


def record_desk_choice(tx: WriteTransaction, case_id: UUID, focal_point: UUID) -> None:
    """Record that a desk chose an office, and remove the offices that wait to be asked.

    The chosen office is not asked again if it declines.
    """
    found = routing_queries.load_result(tx, case_id)
    seal_result(tx, case_id, found.model_copy(update={"waiting": []}))
    if focal_point not in {
        row.focal_point_id for row in routing_queries.list_asked(tx, case_id)
    }:
        add_asked(tx, case_id, focal_point, [ReasonIn.CHOSEN_BY_THE_DESK])


def record_passed_over(tx: WriteTransaction, case_id: UUID, focal_point: UUID) -> None:
    """Record that a candidate did not take a case. The candidate is not asked again."""
    for row in routing_queries.list_asked(tx, case_id):
        if row.focal_point_id == focal_point:
            row.left_at = tx.now


def delete_ranking(tx: WriteTransaction, case_id: UUID) -> None:
    """Delete the ranking of a case and its list of asked offices.

    The ranking was computed from data that is erased or can no longer be decrypted.
    """
    sealed = (Sealed.record_id == case_id) & (Sealed.kind == Paper.ROUTING)
    delete_records(tx.session, case_id, Sealed, sealed)
    delete_records(tx.session, case_id, Shortlisted)
    tx.session.execute(delete(LeftOutRow).where(LeftOutRow.case_id == case_id))


def seal_clear_result(tx: WriteTransaction, case_id: UUID) -> bool:
    """Seal a routing result that an older version stored unencrypted.

    If a sealed result exists, the unencrypted result is only deleted. Returns False if
    there is no unencrypted result, or if it was deleted because the case has no key.
    """
    kept = routing_queries.load_clear_result(tx, case_id)
    if not (kept.waiting or kept.excluded):
        return False
    if tx.session.get(CaseKey, case_id) is None:
        delete_ranking(tx, case_id)
        return False
    delete_clear_rows(tx, case_id)
    if case_queries.find_sealed(tx, case_id, Paper.ROUTING) is None:
        seal_result(tx, case_id, kept)
    return True
