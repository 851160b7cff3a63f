"""Request and response schemas of returns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from app.cases.risk import RiskLevel
from app.cases.sections import Content, DutyContacts, collect_names
from app.deadlines.schemas import Early
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.requirements import AvailableAction
from app.kernel.text import Instant, RequestModel, ResponseModel, SafeLine, SafeText
from app.returns.lifecycle import Action, Need, State
from app.returns.needs import Terms
from app.returns.risk import (
    FamilyFinding,
    Interests,
    Nationality,
    NoGoReason,
    Protection,
    Threat,
)

Note = Annotated[SafeText | None, Field(description="Sealed.")]


class InformPerson(RequestModel):
    """A confirmation that the person was informed before they decide (step 1)."""

    right_to_stay_explained: StrictBool
    options_explained: StrictBool
    note: Note = None


class VerifyNationality(RequestModel):
    """The answer of the State of origin about the person's nationality (step 3)."""

    nationality: Nationality


class AssessReturn(RequestModel):
    """An assessment of the risk of a return by one side (steps 4 and 5)."""

    level: RiskLevel
    threats: Annotated[
        list[Threat], Field(max_length=6, description="Empty: no threat was found.")
    ]
    note: Note = None


class AssessOrigin(AssessReturn):
    """An assessment of risk, family and services in the country of origin (step 5)."""

    family: FamilyFinding
    services: Annotated[
        list[Service], Field(max_length=17, description="Services in that country.")
    ] = []


class DetermineInterests(RequestModel):
    """The result of the child's best interests determination (step 6)."""

    interests: Interests
    note: Note = None


class ReceiveChild(RequestModel):
    """A confirmation that a carer and a guardian receive the child (step 6)."""

    carer_receives: StrictBool
    guardian_at_arrival: StrictBool
    note: Note = None


class DecideGo(RequestModel):
    """The decision that the return can take place (step 7)."""

    person_asked_to_leave: Annotated[
        StrictBool, Field(description="True permits GO during a reflection period.")
    ] = False
    note: Note = None


class DecideNoGo(RequestModel):
    """The decision against the return, with the protection to ask for (step 7, BR11)."""

    reason: NoGoReason
    protection: Annotated[list[Protection], Field(min_length=1, max_length=3)]
    note: Note = None


class IssueDocument(RequestModel):
    """A confirmation that a travel document was issued (step 8)."""

    without_marker: Annotated[
        StrictBool, Field(description="The document does not say what happened (BR12).")
    ]


class TravelPlan(Content):
    """The journey and the contacts of the person, stored as a sealed document."""

    escort: Annotated[
        SafeLine | None,
        Field(
            description="Who travels with the person; null if nobody. Required for a child."
        ),
    ] = None
    route: SafeText
    arrives_at: Annotated[Instant, Field(description="In the future, within 30 days.")]
    met_by: SafeLine
    safe_contact: Annotated[
        SafeLine, Field(description="How the person can call for help.")
    ]
    contacts: DutyContacts


class PlanTravel(RequestModel):
    """A travel plan that was made with the person (step 9)."""

    plan: TravelPlan
    person_agrees: StrictBool

    def to_terms(self) -> Terms:
        """Return the values that the requirements are checked against."""
        return Terms(
            contacts=collect_names(self.plan.contacts),
            arrives_at=self.plan.arrives_at,
            person_agrees=self.person_agrees,
            escort=self.plan.escort is not None,
        )


class Depart(RequestModel):
    """A confirmation that the person said today that they want to go (step 10, G09)."""

    reconfirmed_today: StrictBool


class ConfirmMet(RequestModel):
    """A confirmation that somebody has met the person."""

    person_met: StrictBool
    note: Note = None


class ReportPlanned(ConfirmMet):
    """A report that a planned meeting or visit took place or was attempted."""

    early: Early = False


class PlanVisits(RequestModel):
    """The times of the visits after the return (step 12)."""

    visits: Annotated[
        list[Instant] | None,
        Field(
            min_length=1,
            max_length=24,
            description="The first within 30 days, the last within 24 months. Default: "
            "after 7 days and 1, 3, 6 and 12 months.",
        ),
    ] = None


class CallOff(RequestModel):
    """A statement that the person does not want to return."""

    note: Note = None


class StepDone(ResponseModel):
    """A step that was taken; the result is shown only to sides that may see it."""

    step: Annotated[int, Field(ge=1, le=12)]
    action: Action
    at: datetime
    by: Annotated[
        str | None,
        Field(description="Code of the focal point; null if you may not know it."),
    ]
    result: str | None
    level: RiskLevel | None
    threats: list[Threat]
    services: Annotated[
        list[str],
        Field(description="Services in the country of origin; after NO-GO: protection."),
    ]


class AvailableReturnAction(AvailableAction[Action, Need]):
    """An action of your office in this state, with its unmet requirements."""


class ReturnOut(ResponseModel):
    """A return, with the actions that you can take on it."""

    id: UUID
    case: Annotated[str, Field(description="Code of the case.")]
    referral: Annotated[str, Field(description="`referrals/{id}`.")]
    you_are: list[Side]
    state: State
    steps: Annotated[list[StepDone], Field(description="Oldest first.")]
    open_instead: Annotated[
        list[Protection], Field(description="After NO-GO: the referrals to open.")
    ]
    opened_at: datetime
    due_at: Annotated[datetime | None, Field(description="When the next step is due.")]
    version: int
    available_actions: list[AvailableReturnAction]


class ReturnExistsMembers(BaseModel):
    """The return that exists already."""

    existing: Annotated[
        str | None,
        Field(
            alias="return",
            description="`returns/{id}`, or null if the return is for another referral.",
        ),
    ]


class DocumentTaskOut(ResponseModel):
    """The task of a consulate in a return, without names or reasons (BR12)."""

    id: UUID
    nationality: Nationality | None
    due_at: Annotated[
        datetime | None,
        Field(description="When your step is due; null if you have no step to take."),
    ]
    version: int
    available_actions: list[AvailableReturnAction]


type AnyReturn = Annotated[
    ReturnOut | DocumentTaskOut,
    Field(description="A return, or the task of a consulate in a return."),
]
"""A return for its lead or recipient, or the task that a consulate sees."""
