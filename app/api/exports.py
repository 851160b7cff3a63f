"""A case in the words of a standard that others know."""

from fastapi import Response

from app.api.conditional import answer
from app.api.deps import CaseCode, OpenSections, Purpose
from app.api.nouns import Noun
from app.api.problems import problems
from app.api.seeing import OPENING
from app.disclosure import exporting
from app.disclosure.schemas import HtcdsExport
from app.kernel.free_space import SpaceReserved

router = Noun("sections", "/cases/{code}/export")


@router.get(
    "/htcds",
    response_model=HtcdsExport,
    responses=problems(*OPENING, SpaceReserved),
)
def export_case(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Export what you may read of a case now, in fields of the HTCDS 2.0 (IOM).

    Each section that has a field there is opened as if you read it: recorded before you
    read it, allowed or refused. Codes are spelled as the standard has them, its faults and
    a trailing space included. Where it is not plain which code is meant there is none.
    """
    with begin() as work:
        exported = exporting.export_case(work, code, purpose)
    return answer(exported)
