"""Opening sealed documents of records: arrangements, screenings, travel plans, notes."""

from uuid import UUID

from app.cases import queries
from app.cases.actions import NoteText
from app.cases.models import Case, Sealed
from app.cases.sections import Paper, ReadingPurpose
from app.consents import office_names
from app.consents.office_names import OfficeNames
from app.disclosure.actions import log_access, may_access, open_document
from app.disclosure.policy import Deed
from app.disclosure.queries import get_author, get_sides, load_again
from app.disclosure.schemas import (
    NoteList,
    NoteOut,
    OpenedArrangement,
    OpenedScreening,
    OpenedTravelPlan,
)
from app.kernel.transactions import Writing
from app.referrals import queries as referrals
from app.referrals.models import Referral
from app.referrals.schemas import Arrangement
from app.returns import queries as returning
from app.returns.schemas import TravelPlan
from app.screening import queries as screenings
from app.screening.schemas import ScreeningPaper


def open_arrangement(
    work: Writing, referral_id: UUID, purpose: ReadingPurpose
) -> OpenedArrangement | None:
    """Open the arrangement of a recipient; raises NotFound (404) for a stranger to it."""
    referral = referrals.get(work, referral_id)
    document = open_document(work, referral, Paper.ARRANGEMENT, purpose)
    if document is None:
        return None
    content = Arrangement.model_validate_json(queries.open_sealed(work, document))
    author = get_author(work, referral.case, document)
    return OpenedArrangement(author=author, written_at=document.written_at, content=content)


def open_screening(
    work: Writing, code: str, screening_id: UUID, purpose: ReadingPurpose
) -> OpenedScreening | None:
    """Open a screening by the rules of the section `indicators`; raises NotFound (404)."""
    case = queries.get(work, code)
    screening = screenings.find(work, case.id, screening_id)
    document = (
        queries.find_sealed(work, screening.id, Paper.SCREENING) if screening else None
    )
    load_again(work, case)
    allowed = may_access(work, case, Paper.SCREENING, Deed.OPEN, document)
    log_access(work, screening or case, Paper.SCREENING, purpose, allowed=allowed)
    if document is None or not allowed:
        return None
    content = ScreeningPaper.model_validate_json(queries.open_sealed(work, document))
    author = get_author(work, case, document)
    return OpenedScreening(author=author, written_at=document.written_at, content=content)


def open_travel_plan(
    work: Writing, return_id: UUID, purpose: ReadingPurpose
) -> OpenedTravelPlan | None:
    """Open a travel plan; raises NotFound (404) for a stranger to the return."""
    referral = returning.get(work, return_id).referral
    document = open_document(work, referral, Paper.TRAVEL_PLAN, purpose)
    if document is None:
        return None
    content = TravelPlan.model_validate_json(queries.open_sealed(work, document))
    author = get_author(work, referral.case, document)
    return OpenedTravelPlan(author=author, written_at=document.written_at, content=content)


def open_notes(work: Writing, record: Case | Referral, purpose: ReadingPurpose) -> NoteList:
    """Open the notes of a case or referral that the caller may read."""
    documents = queries.list_sealed(work, record.id, Paper.NOTE, Paper.MESSAGE)
    load_again(work, record)
    shown = [p for p in documents if may_access(work, record, Paper(p.kind), Deed.OPEN, p)]
    counted = not get_sides(work, record)
    log_access(work, record, Paper.NOTE, purpose, allowed=bool(shown), counted=counted)
    case = record if isinstance(record, Case) else record.case
    names = office_names.load_names(work, [(case, p.author, p.written_at) for p in shown])
    return NoteList(items=[build_note(work, record, names, document) for document in shown])


def build_note(
    work: Writing, record: Case | Referral, names: OfficeNames, document: Sealed
) -> NoteOut:
    """Return one note, with its author if the caller may know it."""
    as_party = isinstance(record, Case)
    case = record if isinstance(record, Case) else record.case
    text = NoteText.model_validate_json(queries.open_sealed(work, document)).text
    return NoteOut(
        about=document.about or "",
        author=names.get_code(
            case, document.author, document.written_at, as_party=as_party
        ),
        written_at=document.written_at,
        text=text,
    )
