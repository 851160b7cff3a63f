"""What each act on a case brings with it."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.cases.facts import LegalHold
from app.cases.reasons import (
    AssignReason,
    ClosureReason,
    DeclineReason,
    ErasureReason,
    ReopenReason,
    StopReason,
    SuspendReason,
    TakeOverReason,
    WithdrawReason,
)
from app.cases.sections import DutyContact, ReadingPurpose, Section
from app.cases.vital import VitalReason
from app.deadlines.schemas import Early
from app.kernel.codes import CaseCodeText
from app.kernel.text import Asked, Code, CountryCode, Instant, SafeText

Note = Annotated[SafeText | None, Field(description="Sealed.")]


class DeclineLead(Asked):
    """Why the candidate does not take the lead."""

    reason: DeclineReason
    note: Note = None


class AcceptLead(Asked):
    """What a focal point promises with the lead (BR22)."""

    contacts: Annotated[
        list[DutyContact],
        Field(min_length=1, max_length=5, description="Two different people; sealed."),
    ]


class WithdrawCase(Asked):
    """Why the submitter takes a case back."""

    reason: WithdrawReason
    note: Note = None


class CloseCase(Asked):
    """Why a case ends, and whether the person was told."""

    reason: ClosureReason
    person_informed: Annotated[
        StrictBool,
        Field(
            description="Whether the person was told. It has to be true, unless "
            "the reason is `LOST_CONTACT`, `DEATH` or `DUPLICATE`."
        ),
    ]
    continues_in: Annotated[
        CaseCodeText | None,
        Field(description="`DUPLICATE` alone: the case of the same person that goes on."),
    ] = None
    note: Note = None

    @model_validator(mode="after")
    def name_the_other_case(self) -> Self:
        """Require the case that goes on of a duplicate, and of no other."""
        is_duplicate = self.reason == ClosureReason.DUPLICATE
        if is_duplicate != (self.continues_in is not None):
            raise PydanticCustomError(
                "continues_in_unclear",
                "Give `continues_in` if the reason is DUPLICATE, and only then.",
            )
        return self


class StopCase(Asked):
    """That the person wants everything to end."""

    reason: StopReason
    note: Note = None


class ReopenCase(Asked):
    """Why help begins again."""

    reason: ReopenReason
    note: Note = None


class SuspendCase(Asked):
    """Why the case rests, and until when at the latest."""

    reason: SuspendReason
    review_at: Annotated[
        Instant,
        Field(
            description="Within 7 days of an emergency, 14 if urgent, else 30, or as your "
            "country or an agreement set (clock `review`)."
        ),
    ]
    note: Note = None


class MonitorCase(Asked):
    """When the person is visited after help has ended."""

    visits: Annotated[
        list[Instant] | None,
        Field(
            min_length=1,
            max_length=24,
            description="The first within 30 days, the last within 24 months; else after "
            "7 days and 1, 3, 6 and 12 months.",
        ),
    ] = None


class ReportVisit(Asked):
    """That a planned visit took place, or was tried."""

    person_met: StrictBool
    early: Early = False
    note: Note = None


class AssignCase(Asked):
    """Whom the desk chose, and why."""

    focal_point: Annotated[Code, Field(description="Code of the one who should lead.")]
    reason: AssignReason
    note: Note = None


class RelocateCase(Asked):
    """Where the person is now."""

    country: CountryCode
    note: Note = None


class TakeOverCase(Asked):
    """Whom the desk gives the lead of a case that its lead let down."""

    focal_point: Annotated[Code, Field(description="Code of the one who should lead.")]
    reason: TakeOverReason
    person_informed: Annotated[StrictBool, Field(description="Whether the person knows.")]
    note: Note = None


class EraseCase(Asked):
    """Why what is sealed is destroyed."""

    reason: ErasureReason


class HoldLegally(Asked):
    """Whether the law forbids to erase; why is for oversight to keep elsewhere."""

    value: LegalHold


class AskReading(Asked):
    """Why a life is at risk, and the least that has to be read to save it."""

    reason: Annotated[
        Literal[VitalReason.RISK_TO_LIFE],
        Field(description="Imminent; nothing less lets anybody read."),
    ]
    note: Annotated[SafeText, Field(description="What is known; sealed.")]
    sections: Annotated[list[Section], Field(min_length=1, max_length=7)]
    purpose: Annotated[
        ReadingPurpose, Field(description="Say the same as `Purpose` when you read.")
    ]


class InformOfReading(Asked):
    """That the person was told of a reading."""

    note: Note = None


class ReviewReading(Asked):
    """Whether a reading was right, as oversight finds."""

    justified: StrictBool
