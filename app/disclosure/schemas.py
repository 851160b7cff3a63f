"""What was opened, and the record of openings, as the outside world sees them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.cases.sections import DutyContact, ReadingPurpose, Safeguards, Section
from app.kernel.paging import Page
from app.kernel.text import Shown
from app.referrals.schemas import Arrangement
from app.returns.schemas import TravelPlan
from app.screening.schemas import ScreeningPaper

Author = Annotated[
    str | None, Field(description="Code of who wrote it; null: not yours to know.")
]


class OpenedSafeguards(Shown):
    """The safeguards, opened for you; the opening was recorded."""

    author: Author
    written_at: datetime
    content: Safeguards


class SafeguardsHistory(Shown):
    """The safeguards as they were before, oldest first; the reading was recorded."""

    items: list[OpenedSafeguards]


class OpenedSafetyNotice(Shown):
    """What whoever meets the person must know; the opening was recorded."""

    author: Author
    written_at: datetime
    safety_notice: str | None


class OpenedContacts(Shown):
    """Whom to reach at the lead; the opening was recorded."""

    author: Author
    written_at: datetime
    contacts: list[DutyContact]


class OpenedArrangement(Shown):
    """What the recipient promised, opened for you; the opening was recorded."""

    author: Author
    written_at: datetime
    content: Arrangement


class OpenedScreening(Shown):
    """What signs were ticked and what they amounted to; the opening was recorded."""

    author: Author
    written_at: datetime
    content: ScreeningPaper


class OpenedTravelPlan(Shown):
    """How the person travels and who meets them, opened for you; it was recorded."""

    author: Author
    written_at: datetime
    content: TravelPlan


class NoteOut(Shown):
    """A free text that came with a step."""

    about: str
    author: Author
    written_at: datetime
    text: str


class NoteList(Shown):
    """The notes you may read; the reading was recorded."""

    items: list[NoteOut]


class AccessEntryOut(Shown):
    """One opening, or one refusal."""

    id: UUID
    at: datetime
    subject: str
    purpose: ReadingPurpose
    allowed: bool
    focal_point: Annotated[
        str | None, Field(description="Code of who looked; null: not yours to know.")
    ]
    in_emergency: Annotated[
        bool,
        Field(description="Whether it rested on a vital interest, and on nothing else."),
    ]


class AccessLog(Page[AccessEntryOut]):
    """Who opened what, when and why."""


class HtcdsExport(Shown):
    """What you may read of a case now, in the words of the HTCDS 2.0; it was recorded."""

    case: Annotated[str, Field(description="The code of the case.")]
    standard: Literal["HTCDS 2.0"] = "HTCDS 2.0"
    fields: Annotated[
        dict[str, list[str]],
        Field(
            description="By the names of the standard, each with its values, codes spelled "
            "as there. One that is not here is not known, not yours, or nothing of ours.",
            examples=[
                {"prs_Citizenship": ["UZ"], "vic_MethodsOfControl": ["DebtBondage "]}
            ],
        ),
    ]
    opened: Annotated[list[Section], Field(description="What was opened for you.")]
    withheld: Annotated[
        list[Section],
        Field(
            description="What has fields there, and is not yours to open now or was never "
            "written: nobody can tell the two apart."
        ),
    ]
    with_case: Annotated[
        bool,
        Field(
            description="Whether what is known of the case itself is in it; that takes the "
            "scope `cases:read`, and a part in the case as it is now."
        ),
    ]
