"""Request bodies of the actions on a case."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.cases import reasons
from app.cases.facts import LegalHold
from app.cases.sections import (
    DEFAULT_CONTACTS,
    DutyContacts,
    EmergencyAccessPurpose,
    Section,
)
from app.cases.vital_interest import VitalInterestReason
from app.deadlines.schemas import Early
from app.kernel.codes import CaseCodeText
from app.kernel.text import Code, CountryCode, Instant, RequestModel, SafeText

PERSON_INFORMED = (
    "Whether the person was told. It has to be true, unless the reason is `LOST_CONTACT`, "
    "`DEATH` or `DUPLICATE`."
)
REVIEW_AT = (
    "Within 7 days in an emergency, 14 if urgent, otherwise 30, or within the limit that "
    "your country or an agreement set (deadline `review`)."
)
Note = Annotated[SafeText | None, Field(description="Sealed.")]


class DeclineLead(RequestModel):
    """The reason why the candidate declines the lead."""

    reason: reasons.DeclineReason
    note: Note = None


class AcceptLead(RequestModel):
    """The contacts that an office names when it accepts the lead (BR22)."""

    contacts: Annotated[DutyContacts | None, Field(description=DEFAULT_CONTACTS)] = None


class WithdrawCase(RequestModel):
    """The reason why the submitter withdraws a case."""

    reason: reasons.WithdrawReason
    note: Note = None


class CloseCase(RequestModel):
    """The reason why a case is closed, and whether the person was told."""

    reason: reasons.ClosureReason
    person_informed: Annotated[StrictBool, Field(description=PERSON_INFORMED)]
    continues_in: Annotated[
        CaseCodeText | None,
        Field(description="Only for `DUPLICATE`: the person's other case, still open."),
    ] = None
    note: Note = None

    @model_validator(mode="after")
    def require_continues_in(self) -> Self:
        """Require `continues_in` for the reason DUPLICATE; refuse it for other reasons."""
        is_duplicate = self.reason == reasons.ClosureReason.DUPLICATE
        if is_duplicate != (self.continues_in is not None):
            raise PydanticCustomError(
                "continues_in_unclear",
                "Give `continues_in` if the reason is DUPLICATE, and only then.",
            )
        return self


class StopCase(RequestModel):
    """The reason why a case is stopped at the person's request."""

    reason: reasons.StopReason
    note: Note = None


class ReopenCase(RequestModel):
    """The reason why a case is reopened."""

    reason: reasons.ReopenReason
    note: Note = None


class SuspendCase(RequestModel):
    """The reason why a case is suspended, and the date of its review."""

    reason: reasons.SuspendReason
    review_at: Annotated[Instant, Field(description=REVIEW_AT)]
    note: Note = None


class MonitorCase(RequestModel):
    """The dates of the visits to the person after help has ended."""

    visits: Annotated[
        list[Instant] | None,
        Field(
            min_length=1,
            max_length=24,
            description="The first within 30 days, the last within 24 months. The default: "
            "after 7 days and 1, 3, 6 and 12 months.",
        ),
    ] = None


class ReportVisit(RequestModel):
    """A report that a planned visit took place or was attempted."""

    person_met: StrictBool
    early: Early = False
    note: Note = None


class AssignCase(RequestModel):
    """The candidate that the desk chose, and the reason."""

    focal_point: Annotated[Code, Field(description="Code of the office that should lead.")]
    reason: reasons.AssignReason
    note: Note = None


class RelocateCase(RequestModel):
    """The country where the person is now."""

    country: CountryCode
    note: Note = None


class TakeOverCase(RequestModel):
    """The new lead that the desk chose for a case whose lead does not act."""

    focal_point: Annotated[Code, Field(description="Code of the office that should lead.")]
    reason: reasons.TakeOverReason
    person_informed: Annotated[StrictBool, Field(description="Whether the person knows.")]
    note: Note = None


class EraseCase(RequestModel):
    """The reason why the sealed content of a case is erased."""

    reason: reasons.ErasureReason


class HoldLegally(RequestModel):
    """Whether a legal hold forbids erasure. Oversight stores the reason elsewhere."""

    value: LegalHold


class RequestEmergencyAccess(RequestModel):
    """A request for emergency access. Name only the sections that must be read."""

    reason: Annotated[
        Literal[VitalInterestReason.RISK_TO_LIFE],
        Field(description="Only an imminent risk to life permits emergency access."),
    ]
    note: Annotated[SafeText, Field(description="What is known; sealed.")]
    sections: Annotated[list[Section], Field(min_length=1, max_length=7)]
    purpose: Annotated[
        EmergencyAccessPurpose,
        Field(description="Send the same value in `Purpose` when you read."),
    ]


class InformOfEmergencyAccess(RequestModel):
    """A report that the person was told of an emergency access."""

    note: Note = None


class ReviewEmergencyAccess(RequestModel):
    """The result of oversight's review: whether an emergency access was justified."""

    justified: StrictBool
