"""Request and response schemas of referrals."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from app.cases.reasons import DeclineReason, SuspendReason, WithdrawReason
from app.cases.sections import DEFAULT_CONTACTS, Content, DutyContacts, Section
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.paging import Page
from app.kernel.requirements import AvailableAction
from app.kernel.text import Code, Instant, RequestModel, ResponseModel, SafeLine, SafeText
from app.referrals.lifecycle import Action, Need, State

SECTIONS = (
    "Sections that the recipient may open after it accepts; empty: the summary alone."
)

COVERED_UNTIL = (
    "When the consents that you may list cease, or ceased, to cover this service and these "
    "sections. Null: none covers them, the referral has ended, or you may not know."
)

PREDECESSOR = (
    "Id of the redirected referral that this one replaces. Null: it replaces none, or you "
    "are not its sender."
)

REASON = (
    "A code. The recipient of a referral that was withdrawn or revoked always reads "
    "`NO_LONGER_NEEDED`, so that it does not learn the cause."
)


class Outcome(StrEnum):
    """The outcome of a referral."""

    DELIVERED = "delivered"
    PARTLY_DELIVERED = "partly_delivered"
    NOT_DELIVERED = "not_delivered"


class ReferralInput(RequestModel):
    """A request to one focal point for one service."""

    recipient: Annotated[Code, Field(description="Code of the focal point to ask.")]
    service: Service
    sections: Annotated[list[Section], Field(max_length=7, description=SECTIONS)] = []
    send: Annotated[
        StrictBool,
        Field(description="Send the referral in the same transaction; false: a draft."),
    ] = False


class Meeting(Content):
    """The place, time and contact of the first meeting with the person."""

    place: SafeLine
    at: Instant
    person: Annotated[SafeLine, Field(description="Name of the contact at the meeting.")]


class Arrangement(Content):
    """The first meeting and the contacts of the recipient, sealed with the referral."""

    meeting: Meeting
    contacts: DutyContacts


class AcceptReferral(RequestModel):
    """The first meeting and the contacts that a recipient names when it accepts (BR22)."""

    meeting: Meeting
    contacts: Annotated[DutyContacts | None, Field(description=DEFAULT_CONTACTS)] = None


class DeclineReferral(RequestModel):
    """The reason why the recipient declines the referral."""

    reason: DeclineReason
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class WithdrawReferral(RequestModel):
    """The reason why the sender withdraws or revokes the referral."""

    reason: WithdrawReason
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class AskAboutReferral(RequestModel):
    """A question that the recipient asks before it decides on the referral."""

    topics: Annotated[
        list[Section],
        Field(min_length=1, max_length=7, description="Sections that you ask about."),
    ]
    question: Annotated[SafeText, Field(description="Sealed, for the sender.")]


class AnswerReferral(RequestModel):
    """The sender's answer to a question, limited to what the person agreed to share."""

    sections: Annotated[
        list[Section],
        Field(max_length=7, description="Further sections that the recipient may open."),
    ] = []
    answer: Annotated[SafeText | None, Field(description="Sealed, for the recipient.")] = (
        None
    )


class RedirectReferral(RequestModel):
    """The reason why the recipient cannot help, and an office that could."""

    reason: DeclineReason
    alternative: Annotated[
        Code, Field(description="Code of a focal point that could help.")
    ]
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class HoldReferral(RequestModel):
    """The reason why help is paused, and the time of the review."""

    reason: SuspendReason
    review_at: Instant
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class StartReferral(RequestModel):
    """A confirmation that the recipient has met the person and started to help."""

    person_met: Annotated[StrictBool, Field(description="Whether the person was met.")]


class ReportReferral(RequestModel):
    """A report that the service of a referral is still being provided."""

    feedback: Annotated[SafeText, Field(description="For the sender; sealed.")]


class CompleteReferral(RequestModel):
    """The outcome of a referral, with feedback for the sender."""

    outcome: Outcome
    feedback: Annotated[SafeText, Field(description="For the sender; sealed.")]


class AvailableReferralAction(AvailableAction[Action, Need]):
    """An action of your office in this state, with its unmet requirements."""


class ReferralOut(ResponseModel):
    """A referral, with the actions that you can take on it."""

    id: UUID
    case: Annotated[str, Field(description="Code of the case.")]
    you_are: list[Side]
    sender: str | None
    recipient: Annotated[
        str | None,
        Field(description="Code of the focal point; null if you may not know it."),
    ]
    predecessor: Annotated[UUID | None, Field(description=PREDECESSOR)]
    service: Service
    sections: list[Section]
    asked: Annotated[
        list[Section], Field(description="Sections that the recipient asked about.")
    ]
    state: State
    reason: Annotated[str | None, Field(description=REASON)]
    outcome: Outcome | None
    opened_at: datetime
    due_at: Annotated[datetime | None, Field(description="When the next step is due.")]
    covered_until: Annotated[datetime | None, Field(description=COVERED_UNTIL)]
    version: int
    available_actions: list[AvailableReferralAction]


class ReferralPage(Page[ReferralOut]):
    """A page of your referrals."""
