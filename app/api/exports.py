"""The route that exports a case as HTCDS 2.0 fields."""

from fastapi import Response

from app.access.session_limits import AuthenticationTooOld
from app.api.http.dependencies import CaseCode, OpenSections, Purpose
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.api.read_receipts import OPENING, show_opened
from app.disclosure import exporting
from app.disclosure.schemas import HtcdsExport
from app.kernel.free_space import DiskSpaceReserved

router = ResourceRouter("sections", "/cases/{code}/export")


@router.get(
    "/htcds",
    response_model=HtcdsExport,
    responses=list_problems(*OPENING, AuthenticationTooOld, DiskSpaceReserved),
)
def export_case(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Export the parts of a case that you may read now, in the fields of HTCDS 2.0 (IOM).

    Each section with a field in HTCDS is opened as if you requested it separately: each
    attempt is first recorded in the access log, whether it is allowed or refused. Codes are
    spelled exactly as in the standard, including its errors and a trailing space. A value
    that matches no code of the standard is left out. With a session, a case can be exported
    only for 5 minutes after the sign-in.
    """
    return show_opened(begin, lambda tx: exporting.export_case(tx, code, purpose))
