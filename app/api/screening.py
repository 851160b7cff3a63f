"""Routes for screenings: scored sets of indicators. A result is only a presumption."""

from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    CaseCode,
    IfNoneMatch,
    Once,
    OpenSections,
    Purpose,
    ReadCases,
    ScreenSigns,
    WriteCases,
)
from app.api.http.problems import CREATION, NOT_FOUND
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import build_case_view
from app.api.read_receipts import OPENED, show_opened
from app.cases import queries as case_queries
from app.cases.models import Case
from app.casework import intake
from app.directory import queries as directory_queries
from app.disclosure import documents
from app.disclosure.schemas import OpenedScreening
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.screening import queries as screening_queries
from app.screening.models import Screening
from app.screening.schemas import (
    ScreenedIndicators,
    ScreeningInput,
    ScreeningList,
    ScreeningOut,
    ScreeningResult,
)
from app.screening.scoring import compute_result

router = ResourceRouter("screenings")
OF_CASE = "/cases/{code}/screenings"


@router.post("/screenings", response_model=ScreeningResult)
def score_screening(begin: ScreenSigns, screened: ScreenedIndicators) -> Response:
    """Score indicators and return the outcome with the reasons. Nothing is stored.

    The outcome is only a presumption. It never means that a person is not a victim, and
    help must not wait for it. You need the scope for writing cases, but no case.
    """
    with begin():
        result = compute_result(screened.to_ticked(), screened.age_class)
        return render(ScreeningResult.model_validate(result))


@router.serve_action(OF_CASE, ScreeningOut, *CREATION, DiskSpaceReserved, status=201)
def record_screening(
    begin: WriteCases, code: CaseCode, key: Once, new: ScreeningInput
) -> Response:
    """Record a screening. Only the lead can do this, or the submitter if there is no lead.

    The screening is scored with the age class in the summary. Indicators, remarks and
    reasons are sealed. To see the reasons, score the indicators first, or open the
    screening.
    """
    view = build_case_view(code, find_screening, build_screenings)
    return view.create_once(begin, key, lambda tx: intake.add_screening(tx, code, new))


@router.get(OF_CASE, response_model=ScreeningList, responses=NOT_FOUND)
def list_screenings(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the outcomes of the screenings that you may see.

    The holder gets all screenings, and so does the submitter until there is a lead. Other
    offices and a former lead get only the screenings that they recorded.
    """
    with begin() as tx:
        shown = load_screenings(tx, case_queries.get_seen_or_led(tx, code))
        return render(shown, if_none_match=if_none_match)


def load_screenings(tx: ReadTransaction, case: Case) -> ScreeningList:
    """Return the outcomes of those screenings of a case that the caller may see."""
    return ScreeningList(items=build_screenings(tx, screening_queries.list_known(tx, case)))


@router.get(f"{OF_CASE}/{{screening_id}}", response_model=OpenedScreening, responses=OPENED)
def open_screening(
    begin: OpenSections, code: CaseCode, screening_id: UUID, purpose: Purpose
) -> Response:
    """Open the indicators, remarks and reasons of a screening.

    The rules and consents are the same as for the section `indicators`, but emergency
    access does not apply. Police and prosecution need a consent for `LAW_ENFORCEMENT`. The
    opening is recorded in the access log before you get the response. The response is 404
    if you may not open the screening or it does not exist.
    """
    return show_opened(
        begin, lambda tx: documents.open_screening(tx, code, screening_id, purpose)
    )


def find_screening(tx: ReadTransaction, case_id: UUID, screening_id: UUID) -> Screening:
    """Return a screening that the caller may see, or raise NotFound (404)."""
    case = case_queries.get_by_id(tx, case_id)
    for screening in screening_queries.list_known(tx, case):
        if screening.id == screening_id:
            return screening
    raise NotFound("There is no such screening in this case.")


def build_screenings(
    tx: ReadTransaction, screenings: list[Screening]
) -> list[ScreeningOut]:
    """Return screenings with the codes of the offices that recorded them."""
    codes = directory_queries.get_codes(tx, [one.screened_by for one in screenings])
    return [
        ScreeningOut(
            screened_by=codes[one.screened_by],
            id=one.id,
            outcome=one.outcome,
            counted_as=one.counted_as,
            scoring=one.scoring,
            screened_at=one.screened_at,
        )
        for one in screenings
    ]
