"""Functions that store and delete screenings."""

from uuid import UUID

from app.cases import actions as case_actions
from app.cases.case_changes import delete_records
from app.cases.models import Case
from app.cases.sections import Paper
from app.kernel.transactions import WriteTransaction
from app.screening.models import Screening
from app.screening.schemas import ScreeningInput, ScreeningPaper, ScreeningResult
from app.screening.scoring import Result, compute_result


def add_screening(tx: WriteTransaction, case: Case, new: ScreeningInput) -> Screening:
    """Score and store a screening, and seal its indicators, remarks and reasons."""
    result = compute_result(new.to_ticked(), case.age_class)
    kept = Screening(
        id=tx.create_id(),
        case_id=case.id,
        outcome=result.outcome,
        counted_as=result.counted_as,
        scoring=result.scoring,
        screened_by=tx.actor.focal_point_id,
        screened_at=tx.now,
    )
    tx.session.add(kept)
    case_actions.store_sealed(tx, kept, Paper.SCREENING, build_document(new, result))
    return kept


def build_document(new: ScreeningInput, result: Result) -> ScreeningPaper:
    """Return the document to seal, with sorted unique codes and the result."""
    return ScreeningPaper(
        indicators=sorted(set(new.indicators)),
        acts=sorted(set(new.acts)),
        means=sorted(set(new.means)),
        purposes=sorted(set(new.purposes)),
        remarks=new.remarks,
        result=ScreeningResult.model_validate(result),
    )


def delete_screenings(tx: WriteTransaction, case_id: UUID) -> None:
    """Delete the screenings of a case; `erase_content` deletes their sealed documents."""
    delete_records(tx.session, case_id, Screening)
