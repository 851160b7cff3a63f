"""Returns as the outside world spells them: what comes in, and what goes out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from app.cases.risk import RiskLevel
from app.cases.sections import Content, DutyContact
from app.deadlines.schemas import Early
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.needs import UnmetNeed
from app.kernel.text import Asked, Instant, SafeLine, SafeText, Shown
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


class InformPerson(Asked):
    """That the person decides with all they have to know (step 1)."""

    right_to_stay_explained: StrictBool
    options_explained: StrictBool
    note: Note = None


class VerifyNationality(Asked):
    """What the State of origin answers (step 3)."""

    nationality: Nationality


class AssessReturn(Asked):
    """What the danger of a return is, as one side sees it (steps 4 and 5)."""

    level: RiskLevel
    threats: Annotated[
        list[Threat], Field(max_length=6, description="Empty: none was found.")
    ]
    note: Note = None


class AssessOrigin(AssessReturn):
    """What awaits the person at the origin (step 5)."""

    family: FamilyFinding
    services: Annotated[
        list[Service], Field(max_length=17, description="What there is to help them.")
    ] = []


class DetermineInterests(Asked):
    """What was determined to be best for the child (step 6)."""

    interests: Interests
    note: Note = None


class ReceiveChild(Asked):
    """Who awaits the child (step 6)."""

    carer_receives: StrictBool
    guardian_at_arrival: StrictBool
    note: Note = None


class DecideGo(Asked):
    """That the person can go (step 7)."""

    person_asked_to_leave: Annotated[
        StrictBool, Field(description="Though a reflection period runs.")
    ] = False
    note: Note = None


class DecideNoGo(Asked):
    """That the person cannot go, and what is asked for instead (step 7, BR11)."""

    reason: NoGoReason
    protection: Annotated[list[Protection], Field(min_length=1, max_length=3)]
    note: Note = None


class IssueDocument(Asked):
    """That the person can travel (step 8)."""

    without_marker: Annotated[
        StrictBool, Field(description="Nothing in it says what happened to them (BR12).")
    ]


class TravelPlan(Content):
    """How the person travels, and who is there for them: sealed."""

    escort: Annotated[
        SafeLine | None,
        Field(
            description="Who travels with the person; null: nobody. Required for a child."
        ),
    ] = None
    route: SafeText
    arrives_at: Annotated[Instant, Field(description="Ahead, by 30 days at most.")]
    met_by: SafeLine
    safe_contact: Annotated[SafeLine, Field(description="How they reach somebody.")]
    contacts: Annotated[
        list[DutyContact],
        Field(min_length=1, max_length=5, description="Two different people (BR22)."),
    ]


class PlanTravel(Asked):
    """A plan, made with the person (step 9)."""

    plan: TravelPlan
    person_agrees: StrictBool

    def terms(self) -> Terms:
        """Say it in the words of the rules."""
        return Terms(
            contacts=frozenset(contact.name for contact in self.plan.contacts),
            arrives_at=self.plan.arrives_at,
            person_agrees=self.person_agrees,
            escort=self.plan.escort is not None,
        )


class Depart(Asked):
    """That the person still wants to go, asked today (step 10, G09)."""

    reconfirmed_today: StrictBool


class ConfirmMet(Asked):
    """That the person was met, themselves."""

    person_met: StrictBool
    note: Note = None


class ReportPlanned(ConfirmMet):
    """That a person was met, or a visit was tried, as it was planned for a date."""

    early: Early = False


class PlanVisits(Asked):
    """When the person is visited after their return (step 12)."""

    visits: Annotated[
        list[Instant] | None,
        Field(
            min_length=1,
            max_length=24,
            description="The first within 30 days, the last within 24 months; else after "
            "7 days and 1, 3, 6 and 12 months.",
        ),
    ] = None


class CallOff(Asked):
    """That the person does not want to go."""

    note: Note = None


class StepDone(Shown):
    """A step that was taken; what came of it, for those it concerns."""

    step: Annotated[int, Field(ge=1, le=12)]
    action: Action
    at: datetime
    by: Annotated[
        str | None, Field(description="Code of the focal point; null: not yours to know.")
    ]
    result: str | None
    level: RiskLevel | None
    threats: list[Threat]
    services: Annotated[list[str], Field(description="Or the protection asked instead.")]


class AvailableReturnAction(Shown):
    """An action that is yours in this state: open now, or why not."""

    action: Action
    open: bool
    asks: Annotated[list[Need], Field(description="What your request must bring.")]
    unmet: list[UnmetNeed]


class ReturnOut(Shown):
    """A return, and what you can do with it."""

    id: UUID
    case: Annotated[str, Field(description="Code of the case.")]
    referral: Annotated[str, Field(description="`referrals/{id}`.")]
    you_are: list[Side]
    state: State
    steps: Annotated[list[StepDone], Field(description="Oldest first.")]
    open_instead: Annotated[
        list[Protection], Field(description="After a NO-GO: which referrals to open.")
    ]
    opened_at: datetime
    due_at: Annotated[
        datetime | None, Field(description="Until when the next step is due.")
    ]
    version: int
    available_actions: list[AvailableReturnAction]


class DocumentTaskOut(Shown):
    """All that an officer of the State of origin sees: papers, and of nobody why (BR12)."""

    id: UUID
    nationality: Nationality | None
    due_at: Annotated[
        datetime | None,
        Field(description="Until when your step is due; null: nothing waits for you."),
    ]
    version: int
    available_actions: list[AvailableReturnAction]


type AnyReturn = ReturnOut | DocumentTaskOut
"""A return as who leads it sees it, or as who has documents to give does."""
