"""Functions that open arrangements, screenings, travel plans and notes."""

from uuid import UUID

from app.cases import queries as case_queries
from app.cases.actions import NoteText
from app.cases.models import Case, Sealed
from app.cases.sections import EmergencyAccessPurpose, Paper
from app.cases.stored_fields import rename_subject
from app.consents import office_names
from app.consents.office_names import OfficeNames
from app.disclosure.actions import log_access, may_access, open_document
from app.disclosure.policy import Deed
from app.disclosure.queries import build_opened, get_sides, load_again
from app.disclosure.schemas import (
    NoteList,
    NoteOut,
    OpenedArrangement,
    OpenedScreening,
    OpenedTravelPlan,
)
from app.kernel.transactions import WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.models import Referral
from app.referrals.schemas import Arrangement
from app.returns import queries as return_queries
from app.returns.schemas import TravelPlan
from app.screening import queries as screening_queries
from app.screening.schemas import ScreeningPaper


def open_arrangement(
    tx: WriteTransaction, referral_id: UUID, purpose: EmergencyAccessPurpose
) -> OpenedArrangement | None:
    """Open the arrangement of a referral, or return None.

    The result is None if there is no arrangement, or if the caller may not open it. Raises
    NotFound (404) if the caller may not see the referral.
    """
    referral = referral_queries.get(tx, referral_id)
    document = open_document(tx, referral, Paper.ARRANGEMENT, purpose)
    if document is None:
        return None
    return build_opened(tx, referral.case, document, OpenedArrangement, Arrangement)


def open_screening(
    tx: WriteTransaction, code: str, screening_id: UUID, purpose: EmergencyAccessPurpose
) -> OpenedScreening | None:
    """Open a screening, or return None if it does not exist or may not be opened.

    Raises NotFound (404) if the caller may not see the case.
    """
    case, subject = case_queries.get_seen_or_led(tx, code), Paper.SCREENING
    screening = screening_queries.find(tx, case.id, screening_id)
    document = case_queries.find_sealed(tx, screening.id, subject) if screening else None
    load_again(tx, case)
    allowed = may_access(tx, case, subject, Deed.OPEN, document)
    log_access(tx, screening or case, subject, purpose, allowed=allowed)
    if document is None or not allowed:
        return None
    return build_opened(tx, case, document, OpenedScreening, ScreeningPaper)


def open_travel_plan(
    tx: WriteTransaction, return_id: UUID, purpose: EmergencyAccessPurpose
) -> OpenedTravelPlan | None:
    """Open a travel plan, or return None if it does not exist or may not be opened.

    Raises NotFound (404) if the caller may not see the return.
    """
    referral = return_queries.get(tx, return_id).referral
    document = open_document(tx, referral, Paper.TRAVEL_PLAN, purpose)
    if document is None:
        return None
    return build_opened(tx, referral.case, document, OpenedTravelPlan, TravelPlan)


def open_notes(
    tx: WriteTransaction, record: Case | Referral, purpose: EmergencyAccessPurpose
) -> NoteList:
    """Open the notes that the caller may read in a case or referral."""
    documents = case_queries.list_sealed(tx, record.id, Paper.NOTE, Paper.MESSAGE)
    load_again(tx, record)
    shown = [p for p in documents if may_access(tx, record, Paper(p.kind), Deed.OPEN, p)]
    counted = not get_sides(tx, record)
    log_access(tx, record, Paper.NOTE, purpose, allowed=bool(shown), counted=counted)
    case = record if isinstance(record, Case) else record.case
    names = office_names.load_names(tx, [(case, p.author, p.written_at) for p in shown])
    return NoteList(items=[build_note(tx, record, names, document) for document in shown])


def build_note(
    tx: WriteTransaction, record: Case | Referral, names: OfficeNames, document: Sealed
) -> NoteOut:
    """Return one note; the author is included only if the caller may learn who it is."""
    as_party = isinstance(record, Case)
    case = record if isinstance(record, Case) else record.case
    text = NoteText.model_validate_json(case_queries.open_sealed(tx, document)).text
    about, at = rename_subject(document.about or ""), document.written_at
    author = names.get_code(case, document.author, at, as_party=as_party)
    return NoteOut(about=about, author=author, written_at=at, text=text)
