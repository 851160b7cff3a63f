"""Referrals as the outside world spells them: what comes in, and what goes out."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from app.cases.reasons import DeclineReason, SuspendReason, WithdrawReason
from app.cases.sections import Content, DutyContact, Section
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.needs import UnmetNeed
from app.kernel.paging import Page
from app.kernel.text import Asked, Code, Instant, SafeLine, SafeText, Shown
from app.referrals.lifecycle import Action, Need, State
from app.referrals.needs import Terms

SECTIONS = "What the recipient may open once it has accepted; empty: the notice alone."

COVERED_UNTIL = (
    "Until when consents that you may list cover this service and these sections, or, in "
    "the past, did. Null: none does, it is over, or it is not yours to know."
)


class Outcome(StrEnum):
    """What came of a referral."""

    DELIVERED = "delivered"
    PARTLY_DELIVERED = "partly_delivered"
    NOT_DELIVERED = "not_delivered"


class NewReferral(Asked):
    """A request for one service, to one focal point."""

    recipient: Annotated[Code, Field(description="Code of the focal point asked.")]
    service: Service
    sections: Annotated[list[Section], Field(max_length=7, description=SECTIONS)] = []
    send: Annotated[
        StrictBool, Field(description="Send it in the same transaction; else keep a draft.")
    ] = False


class Meeting(Content):
    """Where, when and by whom the person is met first."""

    place: SafeLine
    at: Instant
    person: Annotated[SafeLine, Field(description="Who meets them.")]


class Arrangement(Content):
    """What a recipient promises when it accepts: sealed with the referral."""

    meeting: Meeting
    contacts: Annotated[list[DutyContact], Field(min_length=1, max_length=5)]

    def terms(self) -> Terms:
        """Say it in the words of the rules."""
        people = frozenset(contact.name for contact in self.contacts)
        return Terms(meeting_at=self.meeting.at, contacts=people)


class DeclineReferral(Asked):
    """Why the recipient says no."""

    reason: DeclineReason
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class TakeBackReferral(Asked):
    """Why the sender takes it back."""

    reason: WithdrawReason
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class AskAboutReferral(Asked):
    """What a recipient must know before it decides."""

    topics: Annotated[
        list[Section], Field(min_length=1, max_length=7, description="What it is about.")
    ]
    question: Annotated[SafeText, Field(description="Sealed, for the sender.")]


class AnswerReferral(Asked):
    """What the sender answers, as far as the person agreed."""

    sections: Annotated[
        list[Section],
        Field(max_length=7, description="What the recipient may open besides from now on."),
    ] = []
    answer: Annotated[SafeText | None, Field(description="Sealed, for the recipient.")] = (
        None
    )


class RedirectReferral(Asked):
    """Why the recipient cannot help, and who could."""

    reason: DeclineReason
    alternative: Annotated[Code, Field(description="Code of the focal point that could.")]
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class HoldReferral(Asked):
    """Why help rests for a while, and until when at the latest."""

    reason: SuspendReason
    review_at: Instant
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class StartReferral(Asked):
    """That help has begun."""

    person_met: Annotated[StrictBool, Field(description="Whether the person was met.")]


class ReportReferral(Asked):
    """How help goes that is not over."""

    feedback: Annotated[SafeText, Field(description="How it goes, for the sender; sealed.")]


class CompleteReferral(Asked):
    """What came of it."""

    outcome: Outcome
    feedback: Annotated[SafeText, Field(description="How it went, for the sender; sealed.")]


class AvailableReferralAction(Shown):
    """An action that is yours in this state: open now, or why not."""

    action: Action
    open: bool
    asks: Annotated[list[Need], Field(description="What your request must bring.")]
    unmet: list[UnmetNeed]


class ReferralOut(Shown):
    """A referral, and what you can do with it."""

    id: UUID
    case: Annotated[str, Field(description="Code of the case.")]
    you_are: list[Side]
    sender: str | None
    recipient: Annotated[
        str | None, Field(description="Code of the focal point; null: not yours to know.")
    ]
    service: Service
    sections: list[Section]
    asked: Annotated[
        list[Section],
        Field(description="What the recipient asked about."),
    ]
    state: State
    reason: str | None
    outcome: Outcome | None
    opened_at: datetime
    due_at: Annotated[
        datetime | None, Field(description="Until when the next step is due.")
    ]
    covered_until: Annotated[datetime | None, Field(description=COVERED_UNTIL)]
    version: int
    available_actions: list[AvailableReferralAction]


class ReferralPage(Page[ReferralOut]):
    """Some of your referrals."""
