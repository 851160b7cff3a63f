"""API schemas of opened documents and of the access log."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.cases.sections import DutyContact, EmergencyAccessPurpose, Safeguards, Section
from app.consents.coverage import Purpose
from app.kernel.actors import Role
from app.kernel.paging import Page
from app.kernel.text import ResponseModel
from app.referrals.schemas import Arrangement
from app.returns.schemas import TravelPlan
from app.screening.schemas import ScreeningPaper

Author = Annotated[
    str | None,
    Field(description="Code of the author's office; null if you may not know it."),
]


WHY_NOT = (
    "`consent`: no consent allows it, or you may not know why. `role`: a colleague with "
    "one of the `roles` may open it. `state`: not in this state of the case or referral. "
    "`author`: only its author may open it. `relation`: your office has no relation to it."
)


class OpenedDocument[C](ResponseModel):
    """A sealed document. The access log records that the caller opened it."""

    author: Author
    written_at: datetime
    content: C


class OpenedSafeguards(OpenedDocument[Safeguards]):
    """The safeguards. The access log records that the caller opened them."""


class SafeguardsHistory(ResponseModel):
    """Past safeguards, oldest first. The access log records that the caller opened them."""

    items: list[OpenedSafeguards]


class OpenedSafetyAlert(ResponseModel):
    """The safety alert. The access log records that the caller opened it."""

    author: Author
    written_at: datetime
    safety_alert: str | None


class OpenedContacts(ResponseModel):
    """The lead's contacts. The access log records that the caller opened them."""

    author: Author
    written_at: datetime
    contacts: list[DutyContact]


class OpenedArrangement(OpenedDocument[Arrangement]):
    """The recipient's arrangement. The access log records that the caller opened it."""


class OpenedScreening(OpenedDocument[ScreeningPaper]):
    """A screening with its result. The access log records that the caller opened it."""


class OpenedTravelPlan(OpenedDocument[TravelPlan]):
    """The travel plan. The access log records that the caller opened it."""


class NoteOut(ResponseModel):
    """The free text that was sent with an action."""

    about: str
    author: Author
    written_at: datetime
    text: str


class NoteList(ResponseModel):
    """The notes that the caller may read. The access log records that they were opened."""

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
        Field(description="Code of the reader's office; null if you may not know it."),
    ]
    in_emergency: Annotated[
        bool, Field(description="Whether only emergency access allowed the opening.")
    ]


class AccessLog(Page[AccessEntryOut]):
    """A page of the access log."""


class WhyNotCode(StrEnum):
    """The reason why an office may not open a section."""

    CONSENT = "consent"
    ROLE = "role"
    STATE = "state"
    AUTHOR = "author"
    RELATION = "relation"


class WhyNot(ResponseModel):
    """Why the caller may not open a section now."""

    code: Annotated[WhyNotCode, Field(description=WHY_NOT)]
    purposes: Annotated[
        list[Purpose],
        Field(description="A consent must name one of them, the section and your office."),
    ] = []
    roles: Annotated[
        list[Role], Field(description="The roles of which an account needs one.")
    ] = []


class OwnAccess(ResponseModel):
    """Whether the caller may open one section now."""

    section: Section
    written: Annotated[
        bool | None,
        Field(description="Whether it has content; null if you may not know it."),
    ]
    may_open: Annotated[
        bool,
        Field(description="Whether you may open it now, without emergency access."),
    ]
    why_not: Annotated[WhyNot | None, Field(description="Null if you may open it.")]


class OpenedOnce(ResponseModel):
    """The last time at which an office opened a section."""

    section: Section
    at: Annotated[datetime, Field(description="When it was opened last.")]


class OfficeKnowledge(ResponseModel):
    """The sections that an office has opened, according to the access log."""

    focal_point: Annotated[
        str | None,
        Field(description="Code of the office; null for offices that you may not know."),
    ]
    opened: list[OpenedOnce]


class Knowledge(ResponseModel):
    """The sections of a case that the caller may open, and those opened by each office."""

    own: Annotated[
        list[OwnAccess], Field(description="Every section, for the caller's account.")
    ]
    offices: Annotated[
        list[OfficeKnowledge] | None,
        Field(description="Null if you may not read the access log."),
    ]


class HtcdsExport(ResponseModel):
    """The parts of a case that you may read, in HTCDS 2.0 fields; access was recorded."""

    case: Annotated[str, Field(description="The code of the case.")]
    standard: Literal["HTCDS 2.0"] = "HTCDS 2.0"
    fields: Annotated[
        dict[str, list[str]],
        Field(
            description="Values by the names of the standard, with its spelling of codes. "
            "A missing field is not known, hidden from you, or not part of a case.",
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
