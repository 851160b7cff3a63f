"""API schemas of opened documents and of the access log."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.cases.sections import DutyContact, EmergencyAccessPurpose, Safeguards, Section
from app.kernel.paging import Page
from app.kernel.text import ResponseModel
from app.referrals.schemas import Arrangement
from app.returns.schemas import TravelPlan
from app.screening.schemas import ScreeningPaper

Author = Annotated[
    str | None, Field(description="Code of the author's office; null: you may not know it.")
]


class OpenedDocument[C](ResponseModel):
    """A sealed document, opened for the caller; the opening was recorded."""

    author: Author
    written_at: datetime
    content: C


class OpenedSafeguards(OpenedDocument[Safeguards]):
    """The safeguards, opened for the caller; the opening was recorded."""


class SafeguardsHistory(ResponseModel):
    """Past safeguards, oldest first, opened for the caller; the opening was recorded."""

    items: list[OpenedSafeguards]


class OpenedSafetyAlert(ResponseModel):
    """The safety alert, opened for the caller; the opening was recorded."""

    author: Author
    written_at: datetime
    safety_alert: str | None


class OpenedContacts(ResponseModel):
    """The contact people of the lead, opened for the caller; the opening was recorded."""

    author: Author
    written_at: datetime
    contacts: list[DutyContact]


class OpenedArrangement(OpenedDocument[Arrangement]):
    """The arrangement of the recipient, opened for the caller; the opening was recorded."""


class OpenedScreening(OpenedDocument[ScreeningPaper]):
    """A screening with its result, opened for the caller; the opening was recorded."""


class OpenedTravelPlan(OpenedDocument[TravelPlan]):
    """The travel plan, opened for the caller; the opening was recorded."""


class NoteOut(ResponseModel):
    """The free text that was sent with an action."""

    about: str
    author: Author
    written_at: datetime
    text: str


class NoteList(ResponseModel):
    """The notes that the caller may read; their opening was recorded."""

    items: list[NoteOut]


class AccessEntryOut(ResponseModel):
    """An entry of the access log: an opening or a refusal."""

    id: UUID
    at: datetime
    subject: str
    purpose: EmergencyAccessPurpose
    allowed: bool
    focal_point: Annotated[
        str | None,
        Field(description="Code of the reader's office; null: you may not know it."),
    ]
    in_emergency: Annotated[
        bool, Field(description="Whether it was allowed as emergency access alone.")
    ]


class AccessLog(Page[AccessEntryOut]):
    """A page of the access log."""


class HtcdsExport(ResponseModel):
    """The parts of a case that you may read, in HTCDS 2.0 fields; access was recorded."""

    case: Annotated[str, Field(description="The code of the case.")]
    standard: Literal["HTCDS 2.0"] = "HTCDS 2.0"
    fields: Annotated[
        dict[str, list[str]],
        Field(
            description="Values by the names of the standard, with its spelling of codes. "
            "A missing field is not known, not for you to read, or not part of a case.",
            examples=[
                {"prs_Citizenship": ["UZ"], "vic_MethodsOfControl": ["DebtBondage "]}
            ],
        ),
    ]
    opened: Annotated[list[Section], Field(description="The sections that were opened.")]
    withheld: Annotated[
        list[Section],
        Field(
            description="Sections with fields in the standard that you may not open now or "
            "that were never written; the two look alike on purpose."
        ),
    ]
    with_case: Annotated[
        bool,
        Field(
            description="Whether `fields` includes the case itself; this needs the scope "
            "`cases:read` and a current relation to the case."
        ),
    ]
